"""Finds COCO's files of annotations below a folder, reads them with checks, and finds their images."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import is_number, shown
from ...errors import DatasetError
from ...video.probing import MAX_FRAME_RATE
from .file_index import FileIndex
from .json_reading import objects, read_json
from .reading import DropReport, entries_of, require_folder

_LAYOUT = "annotations/instances_*.json and the images"
_KEYS = ("images", "annotations", "categories")
_NOT_INSTANCES = ("captions_", "person_keypoints_", "panoptic_", "stuff_", "image_info_")
TEST_FILES = "files of annotations of the published test part"


@dataclass(frozen=True)
class AnnotationFile:
    """Content of a file of annotations.

    Attributes:
        path: The file.
        part: ``train`` or ``val`` if its name or folder states one.
        categories: Name of each category by its id.
        images: Entries of images by id, each with a ``file_name``.
        annotations: Annotations as they are in the file.
        videos: Name and frame rate, if stated, of each video by its id.
    """

    path: Path
    part: str | None
    categories: dict[int, str]
    images: dict[Hashable, dict[str, Any]]
    annotations: list[dict[str, Any]]
    videos: dict[Hashable, tuple[str, float | None]]


def find_annotations(root: Path, report: DropReport) -> tuple[Path, list[AnnotationFile]]:
    """Return the folder of the dataset and its files of annotations.

    Args:
        root: That folder, or one file, whose folder, or the one above ``annotations``, is the dataset's.
        report: Receives the files of a test part.

    Raises:
        DatasetError: There is none, or one is damaged.
    """
    if root.is_file():
        file = _read(root)
        folder = root.parent.parent if root.parent.name.casefold() == "annotations" else root.parent
        return folder, [file]
    require_folder(root, _LAYOUT)
    files = []
    for path in _candidates(root):
        if _part(path, root) == "test":
            report.add(TEST_FILES, 1, path)
        else:
            files.append(_read(path))
    if not files:
        raise DatasetError(f"{root} has no file of COCO annotations; expected {_LAYOUT}.")
    return root, files


def find_image(name: str, file: AnnotationFile, index: FileIndex) -> Path | None:
    """Return an image by its ``file_name``: in the folder of the file of annotations, or where COCO and CVAT put it."""
    own = file.path.parent.relative_to(index.root).as_posix() if file.path.is_relative_to(index.root) else "."
    suffix = file.path.stem.rpartition("_")[2]  # train2017
    folders = [own, ".", "images", suffix, f"images/{suffix}"]
    folders += [file.part, f"images/{file.part}"] if file.part else []
    index.find(name)  # refuses a name outside the root before anything is put before it
    for folder in folders:
        found = index.find(name if folder == "." else f"{folder}/{name}") if folder else None
        if found is not None and found.is_file():
            return found
    return None


def _candidates(root: Path) -> list[Path]:
    """Return the JSON files that may be annotations: in the root, and in the folders one level below."""
    folders = [root, *(path for path in entries_of(root) if path.is_dir())]
    files = [path for folder in folders for path in entries_of(folder) if path.suffix.casefold() == ".json"]
    instances = [path for path in files if path.name.casefold().startswith("instances_")]
    others = [path for path in files if not path.name.casefold().startswith(_NOT_INSTANCES)]
    return instances or [path for path in others if _looks_like_coco(path)]


def _looks_like_coco(path: Path) -> bool:
    """Return whether a JSON file mentions the keys of annotations; others, such as settings, may lie beside them."""
    with path.open("rb") as file:
        content = file.read(1 << 30)
    return all(f'"{key}"'.encode() in content for key in _KEYS)


def _part(path: Path, root: Path | None) -> str | None:
    """Return the part that the name of a file or its folder states."""
    folder = "" if root is None or path.parent == root else path.parent.name
    for text in (path.stem.casefold(), folder.casefold()):
        for name, part in (("train", "train"), ("val", "val"), ("test", "test")):
            if name in text:
                return part
    return None


def _read(path: Path) -> AnnotationFile:
    content = read_json(path, f"COCO annotations, an object with the lists {', '.join(_KEYS)}")
    images, categories, annotations = (
        objects(content.get(key), path, f", {key}") for key in ("images", "categories", "annotations")
    )
    by_id: dict[Hashable, dict[str, Any]] = {}
    names: dict[str, Any] = {}
    for number, entry in enumerate(images):
        key, name = entry.get("id"), entry.get("file_name")
        if isinstance(key, bool) or not isinstance(key, int | str) or not isinstance(name, str) or not name:
            raise DatasetError(f"{path}, images[{number}]: {shown(entry)}; expected an id and a file_name.")
        if key in by_id or name in names:
            what = f"id {key}" if key in by_id else f"file_name {name}"
            raise DatasetError(f"{path}, images[{number}]: {what} is there twice; expected each image once.")
        by_id[key], names[name] = entry, key
    return AnnotationFile(
        path, _part(path, path.parent.parent), _categories(categories, path), by_id, annotations,
        _videos(content.get("videos", []), path),
    )  # fmt: skip


def _categories(items: list[dict[str, Any]], path: Path) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, item in enumerate(items):
        key, name = item.get("id"), item.get("name")
        if isinstance(key, bool) or not isinstance(key, int) or not isinstance(name, str) or key in found:
            raise DatasetError(f"{path}, categories[{number}]: {shown(item)}; expected a new id and a name.")
        found[key] = name
    if not found:
        raise DatasetError(f"{path} has no categories; expected at least one, such as person.")
    return found


def _videos(value: Any, path: Path) -> dict[Hashable, tuple[str, float | None]]:
    found: dict[Hashable, tuple[str, float | None]] = {}
    for item in objects(value, path, ", videos"):
        key, name = item.get("id"), item.get("name", item.get("file_name"))
        if isinstance(key, int | str):
            rate = item.get("fps", item.get("frame_rate"))
            rate = float(rate) if is_number(rate) and 0 < rate <= MAX_FRAME_RATE else None
            text = name if isinstance(name, str) and name.strip("./\\ ") else f"video-{key}"
            found[key] = (text.replace("\\", "/").rstrip("/").rpartition("/")[2], rate)
    return found
