"""Finds the images of a tree ``images/`` with labels in a parallel tree, as YOLO, JDE and FairMOT store them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import DatasetError
from .file_index import FileIndex
from .mot_folders import plain_name, unique_names, without_detector_copies
from .reading import DropReport, images_in

IMAGE_FOLDER = "images"
TEST_IMAGES = "images of the published test part"
_FRAME_FOLDER = "img1"  # of a sequence, in MOTChallenge's layout
_PART = re.compile(r"(train|val|valid|validation|test)(\d{4})?")
_PARTS = {"train": "train", "test": "test"}


@dataclass
class ImageFolder:
    """A folder of images with the folder of their labels.

    Attributes:
        path: Folder of the images.
        images: Image files in natural order.
        labels: Folder of the labels, or None if it does not exist.
        ignored: Folder of the ignored areas of a prepared dataset, or None.
        name: Name of the sequence, unique.
        part: ``train`` or ``val`` if the dataset is split, else None.
    """

    path: Path
    images: list[Path]
    labels: Path | None
    ignored: Path | None
    name: str
    part: str | None


def find_folders(
    root: Path, label_folder: str, report: DropReport, parts: Mapping[str, str] | None = None
) -> list[ImageFolder]:
    """Return the folders of images below ``images`` folders.

    Args:
        root: Folder of the dataset. A folder ``images`` above it does not count.
        label_folder: Name of the tree of labels, such as ``labels``.
        report: Receives the images of a test part, and copies of sequences.
        parts: Part by folder as a file states it; it comes before the names of folders.

    Raises:
        DatasetError: There is no folder ``images`` with images, or two images have one label file.
    """
    index = FileIndex(root)
    stated = {_normal(folder): part for part, folder in (parts or {}).items()}
    folders = [folder for folder in _walk(root) if IMAGE_FOLDER in _lower(folder.relative_to(root))]
    of_sequences = {_sequence_folder(folder): folder for folder in folders}
    kept = [of_sequences[folder] for folder in without_detector_copies(list(of_sequences), report)]
    found = []
    for folder in kept:
        images = images_in(folder)
        relative = folder.relative_to(root)
        part = _part(relative, stated)
        if part == "test":
            report.add(TEST_IMAGES, len(images), folder)
            continue
        _check_stems(images)
        labels = _parallel(index, relative, label_folder)
        found.append(ImageFolder(folder, images, labels, _parallel(index, relative, "ignored"), "", part))
    if not found:
        raise DatasetError(
            f"{root} has no folder {IMAGE_FOLDER} with images; expected {IMAGE_FOLDER}/… and {label_folder}/… below it."
        )
    _name(root, found)
    return found


def _walk(root: Path) -> Iterator[Path]:
    """Yield the folders that have images, in order; symbolic links are followed, once each."""
    seen: set[str] = set()
    for folder, below, _ in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        if images_in(Path(folder)):
            yield Path(folder)


def _lower(relative: Path) -> list[str]:
    return [part.casefold() for part in relative.parts]


def _sequence_folder(folder: Path) -> Path:
    return folder.parent if folder.name.casefold() == _FRAME_FOLDER else folder


def _normal(folder: str) -> str:
    """Return a folder as a file states it, relative to the root: exporters begin it with ``../`` or ``./``."""
    parts = [part for part in PurePosixPath(folder.replace("\\", "/")).parts if part not in {"..", ".", "/"}]
    return "/".join(parts).casefold()


def _part(relative: Path, stated: Mapping[str, str]) -> str | None:
    path = "/".join(_lower(relative))
    for folder, part in stated.items():
        if folder and folder != IMAGE_FOLDER and (path == folder or path.startswith(f"{folder}/")):
            return part
    for name in _lower(relative):
        match = _PART.fullmatch(name)
        if match:
            return _PARTS.get(match[1], "val")
    return None


def _parallel(index: FileIndex, relative: Path, folder: str) -> Path | None:
    """Return the folder in the parallel tree: ``images`` is replaced where that gives a folder that exists."""
    parts = list(relative.parts)
    for position in [place for place, part in enumerate(parts) if part.casefold() == IMAGE_FOLDER]:
        found = index.find("/".join([*parts[:position], folder, *parts[position + 1 :]]))
        if found is not None and found.is_dir():
            return found
    return None


def _check_stems(images: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for image in images:
        if seen.setdefault(image.stem, image) is not image:
            raise DatasetError(
                f"{image.parent} has {seen[image.stem].name} and {image.name}, which have one label file; expected one"
                " image per name. Remove one of them."
            )


def _name(root: Path, folders: list[ImageFolder]) -> None:
    """Give every folder a unique name: what is left of its path without ``images``, the part and ``img1``."""
    paths = []
    for folder in folders:
        parts = [
            plain_name(part)
            for part in folder.path.relative_to(root).parts
            if part.casefold() not in {IMAGE_FOLDER, _FRAME_FOLDER} and not _PART.fullmatch(part.casefold())
        ]
        paths.append(parts or [folder.part or IMAGE_FOLDER])
    above = [[*([folder.part] if folder.part else []), *path[:-1]] for folder, path in zip(folders, paths, strict=True)]
    for folder, name in zip(folders, unique_names([path[-1] for path in paths], above), strict=True):
        folder.name = name
