"""Reader of COCO's instance annotations, with the identities and videos that trackers and CVAT add to them."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np

from ...config import DEFAULT_FRAME_RATE, shown
from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import NO_IDENTITY, SourceImage, SourceSequence
from .building import MARKED, Boxes, is_video, labelled_image
from .coco_files import AnnotationFile, find_annotations, find_image
from .file_index import FileIndex
from .image_header import ImageHeader, read_header
from .json_reading import box, flag
from .mot_folders import unique_names
from .reading import DropReport, ReadOptions, natural_order

OTHER_CLASS = "boxes of other classes"
MISSING = "labelled images that are missing"
TURNED = "images whose labels are of the image before its EXIF rotation, now rotated too"
_IDENTITIES = ("track_id", "instance_id", "tracking_id")


def read_coco(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read COCO's ``instances_*.json``, one sequence per video or, without videos, per folder of images.

    ``iscrowd`` and ``ignore`` make an ignored area. An identity is ``track_id`` or ``instance_id`` of the annotation
    or of its ``attributes``. The part is taken from the name of the file or its folder: train or val; test is left out.

    Args:
        root: Folder of the dataset, or one file of annotations.
        options: What to read; without classes, ``person``.
        report: Receives what is left out.

    Raises:
        DatasetError: The folder is not of this layout, or a file is damaged.
    """
    root, files = find_annotations(root, report)
    available: dict[int, str] = {}
    for file in files:
        for number, name in file.categories.items():
            if available.setdefault(number, name) != name:
                raise DatasetError(
                    f"{file.path}: category {number} is {name!r}, and {available[number]!r} in another file; expected"
                    " the same categories in all files. Prepare them one by one."
                )
    choice = choose_classes(available, options.classes, files[0].path)
    index = FileIndex(root)
    found = [sequence for file in files for sequence in _sequences(file, index, choice, options, report)]
    names = unique_names([sequence.name for sequence in found], [[sequence.part or "images"] for sequence in found])
    for sequence, name in zip(found, names, strict=True):
        object.__setattr__(sequence, "name", name)
    return found


def _sequences(
    file: AnnotationFile, index: FileIndex, choice: ClassChoice, options: ReadOptions, report: DropReport
) -> list[SourceSequence]:
    """Return the sequences of one file."""
    by_image: dict[Hashable, list[dict[str, Any]]] = {key: [] for key in file.images}
    for number, item in enumerate(file.annotations):
        key = item.get("image_id")
        if not isinstance(key, int | str) or key not in by_image:
            raise DatasetError(
                f"{file.path}, annotations[{number}]: image_id {shown(key)}; expected the id of an entry of images."
            )
        by_image[key].append(item)
    groups: dict[Hashable, list[tuple[Any, SourceImage]]] = {}
    missing = 0
    for key, entry in file.images.items():
        path = find_image(entry["file_name"], file, index)
        if path is None:
            missing += 1
            report.add(MISSING, 1, f"{entry['file_name']} of {file.path}")
            continue
        image = _image(path, entry, by_image[key], file, choice, options, report)
        groups.setdefault(_group(entry, path, index), []).append((_frame(entry), image))
    if missing and missing == len(file.images):
        raise DatasetError(
            f"{file.path} labels {missing} images, and none is below {index.root}; expected them in a folder such as"
            f" {index.root / 'images'}."
        )
    return [_sequence(group, images, file, choice) for group, images in groups.items()]


def _group(entry: dict[str, Any], path: Path, index: FileIndex) -> Hashable:
    """Return the key of an image's sequence: its video, else its folder."""
    video = entry.get("video_id")
    if isinstance(video, int | str):
        return ("video", video)
    return ("folder", path.parent.relative_to(index.root).as_posix())


def _frame(entry: dict[str, Any]) -> int | None:
    number = entry.get("frame_id", entry.get("frame_index"))
    return number if isinstance(number, int) else None


def _sequence(
    group: Hashable, images: list[tuple[Any, SourceImage]], file: AnnotationFile, choice: ClassChoice
) -> SourceSequence:
    kind, key = group if isinstance(group, tuple) else ("folder", "")
    frames = [frame for frame, _ in images]
    if all(frame is not None for frame in frames) and len(set(frames)) == len(frames):
        ordered = [image for _, image in sorted(images, key=lambda item: item[0])]
    else:
        places = {image.path: image for _, image in images}
        ordered = [places[path] for path in natural_order(places)]
    if kind == "video":
        name, rate = file.videos.get(key, (f"video-{key}", None))
    else:
        name, rate = _last_folder(str(key)) or file.part or file.path.stem, None
        if str(key).casefold().rpartition("/")[2] == "img1":
            name = _last_folder(str(key).rpartition("/")[0]) or name
    video = kind == "video" or is_video(ordered)
    return SourceSequence(
        name, ordered, is_video=video, frame_rate=rate or DEFAULT_FRAME_RATE, classes=choice.names, part=file.part
    )


def _last_folder(folder: str) -> str:
    return folder.rpartition("/")[2].strip(".")


def _image(
    path: Path,
    entry: dict[str, Any],
    items: list[dict[str, Any]],
    file: AnnotationFile,
    choice: ClassChoice,
    options: ReadOptions,
    report: DropReport,
) -> SourceImage:
    header = read_header(path)
    place = f", annotations of {entry['file_name']}"
    found = Boxes()
    for item in items:
        category = item.get("category_id")
        if not isinstance(category, int) or category not in file.categories:
            raise DatasetError(f"{file.path}{place}: category_id {shown(category)}; expected an id of the categories.")
        if category not in choice.numbers:
            report.add(OTHER_CLASS, 1, f"{file.path}{place}")
            continue
        area = box(item.get("bbox"), file.path, place)
        if flag(item.get("iscrowd")) or flag(item.get("ignore")):
            found.ignored.append(area)
            report.add(MARKED, 1, f"{file.path}{place}")
        else:
            identity = _identity(item, file.path, place) if options.use_ids else NO_IDENTITY
            found.add(area, choice.numbers[category], identity)
    if _is_of_stored_image(entry, header, file.path):
        report.add(TURNED, 1, path)
        found.boxes = _turned(found.boxes, header)
        found.ignored = _turned(found.ignored, header)
    return labelled_image(path, header, found, report, f"{file.path}{place}")


def _identity(item: dict[str, Any], path: Path, place: str) -> int:
    attributes = item.get("attributes")
    for source in (item, attributes if isinstance(attributes, dict) else {}):
        for key in _IDENTITIES:
            value = source.get(key)
            if value is None:
                continue
            if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) < 16:
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int) or not NO_IDENTITY <= value < 2**53:
                raise DatasetError(f"{path}{place}: {key} {shown(value)}; expected a whole number, or -1 for none.")
            return value
    return NO_IDENTITY


def _is_of_stored_image(entry: dict[str, Any], header: ImageHeader, path: Path) -> bool:
    """Return whether the size that the labels state is that before the EXIF rotation.

    Raises:
        DatasetError: The labels are of an image of another size.
    """
    size = (entry.get("width"), entry.get("height"))
    if not all(isinstance(side, int) and side > 0 for side in size):
        return False
    if size == (header.width, header.height):
        return False
    if size == header.stored_size:
        return True
    raise DatasetError(
        f"{path}: {entry['file_name']} is {size[0]}x{size[1]} px in the labels, and {header.width}x{header.height} px"
        " in the file; expected equal sizes. Export the labels again for these images."
    )


def _turned(boxes: list[Any], header: ImageHeader) -> list[Any]:
    turned: list[Any] = header.to_displayed(np.array(boxes, np.float64).reshape(-1, 4)).tolist()
    return turned
