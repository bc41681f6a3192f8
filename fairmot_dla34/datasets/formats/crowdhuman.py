"""Reader of CrowdHuman: full-body boxes of people, without identities, and areas to be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DatasetError
from ..classes import choose_classes
from ..values import SourceImage, SourceSequence
from .building import HIDDEN, MARKED, Boxes, labelled_image
from .file_index import FileIndex
from .image_header import ImageHeader, read_header
from .json_reading import area_share, box, flag, objects, parse_object
from .reading import DropReport, ReadOptions, entries_of, line_error, read_text, require_folder

_LAYOUT = "annotation_train.odgt, annotation_val.odgt and Images/*.jpg"
_RECORD = 'one JSON object per line, with "ID" and "gtboxes"'
MISSING = "labelled images that are missing"
TURNED = "images whose labels are of the image before its EXIF rotation, now rotated too"
_TOLERANCE = 2.0  # px by which a visible part may leave its image


def read_crowdhuman(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read CrowdHuman: the full box ``fbox`` of each person, one sequence of single images per published part.

    Boxes with the tag ``mask`` (crowds, reflections, posters) or ``ignore``, and people whose visible part ``vbox`` is
    a smaller share of the full box than the minimum, become ignored areas. Nobody has an identity.

    Args:
        root: Folder with the ``.odgt`` files and the images.
        options: What to read.
        report: Receives what is left out.

    Raises:
        DatasetError: The folder is not of this layout, or a file is damaged.
    """
    require_folder(root, _LAYOUT)
    choice = choose_classes({0: "person"}, options.classes, root)
    folders = [root, *(path for path in entries_of(root) if path.is_dir() and "annotation" in path.name.casefold())]
    files = [path for folder in folders for path in entries_of(folder) if path.suffix.casefold() == ".odgt"]
    if not files:
        raise DatasetError(f"{root} has no file ending in .odgt; expected {_LAYOUT}.")
    index = FileIndex(root)
    return [
        SourceSequence(
            _part(path) or path.stem,
            list(_images(path, index, options, report)),
            is_video=False,
            classes=choice.names,
            part=_part(path),
        )
        for path in files
    ]


def _part(path: Path) -> str | None:
    name = path.stem.casefold()
    return next((part for part in ("train", "val") if part in name), None)


def _images(path: Path, index: FileIndex, options: ReadOptions, report: DropReport) -> Iterator[SourceImage]:
    """Yield the images of a file of annotations."""
    folders = _image_folders(_part(path))
    lines: dict[str, int] = {}
    missing = 0
    for number, line in enumerate(read_text(path, _RECORD).split("\n"), 1):
        if not line.strip():
            continue
        place = f", line {number}"
        record = parse_object(line, path, place, _RECORD)
        name = record.get("ID")
        if not isinstance(name, str) or not name:
            raise line_error(path, number, f"ID is {name!r}; expected the name of an image without its suffix.")
        if lines.setdefault(name, number) != number:
            raise line_error(path, number, f"ID {name!r} is already in line {lines[name]}; remove one of the lines.")
        image = next((file for folder in folders if (file := index.find_image(folder + name))), None)
        if image is None:
            missing += 1
            report.add(MISSING, 1, f"{name}.jpg of {path}{place}")
            continue
        header = read_header(image)
        found, visible = _boxes(objects(record.get("gtboxes"), path, place), path, place, options, report)
        if _is_of_stored_image(visible, header):
            report.add(TURNED, 1, image)
            found = _turned(found, header)
        yield labelled_image(image, header, found, report, f"{path}{place}")
    if missing and missing == len(lines):
        raise DatasetError(
            f"{path} labels {missing} images, and none is below {index.root}; expected {_LAYOUT}. Unpack the images."
        )


def _image_folders(part: str | None) -> list[str]:
    """Return the folders in which images are looked for: those of the archives, then FairMOT's."""
    own = [f"CrowdHuman_{part}/Images/", f"images/{part}/", f"{part}/", f"{part}/Images/"] if part else []
    return ["Images/", *own, ""]


def _boxes(
    items: list[dict[str, Any]], path: Path, place: str, options: ReadOptions, report: DropReport
) -> tuple[Boxes, list[Sequence[float]]]:
    """Return the boxes of an image, and the visible parts of people."""
    found = Boxes()
    visible: list[Sequence[float]] = []
    marked = hidden = 0
    for item in items:
        extra = item.get("extra")
        ignore = flag(extra.get("ignore")) if isinstance(extra, dict) else False
        full = box(item.get("fbox", item.get("vbox")), path, place)
        seen = box(item["vbox"], path, place) if "vbox" in item else full
        visible.append(seen)
        if ignore or item.get("tag") != "person":
            found.ignored.append(full)
            marked += 1
        elif area_share(seen, full) < options.min_visibility:
            found.ignored.append(full)
            hidden += 1
        else:
            found.add(full, 0)
    report.add(MARKED, marked, f"{path}{place}")
    report.add(HIDDEN, hidden, f"{path}{place}")
    return found, visible


def _is_of_stored_image(visible: list[Sequence[float]], header: ImageHeader) -> bool:
    """Return whether visible parts fit the image before its EXIF rotation, and not the image as it is shown.

    The dataset does not state the size that its labels are of; a visible part is within it.
    """
    if header.stored_size == (header.width, header.height) or not visible:
        return False
    corner = np.array(visible).max(axis=0)[2:]
    fits_shown = bool((corner <= np.array([header.width, header.height]) + _TOLERANCE).all())
    fits_stored = bool((corner <= np.array(header.stored_size) + _TOLERANCE).all())
    return fits_stored and not fits_shown


def _turned(found: Boxes, header: ImageHeader) -> Boxes:
    def turn(boxes: list[Sequence[float]]) -> list[Sequence[float]]:
        return list(header.to_displayed(np.array(boxes, np.float64).reshape(-1, 4)).tolist())

    return Boxes(turn(found.boxes), found.ids, found.class_ids, turn(found.ignored))
