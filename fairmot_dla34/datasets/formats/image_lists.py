"""Reads FairMOT's lists of images, ``train.txt`` and ``<name>.train``, and sorts images by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...errors import DatasetError
from ...video.images import is_image
from .file_index import FileIndex
from .label_tree import ImageFolder
from .reading import DropReport, entries_of, line_error, natural_order, read_text

NOT_LISTED = "images that are in no list of images"
_PARTS = ("train", "val")


def by_lists(root: Path, folders: list[ImageFolder], report: DropReport) -> list[ImageFolder]:
    """Return the folders with the listed images only, split into the parts of the lists.

    Args:
        root: Folder with the lists, and below which all images are.
        folders: Folders of all images. They are returned as they are if there is no list.
        report: Receives the images that are not listed.

    Raises:
        DatasetError: A list names a file that does not exist, or two lists of different parts name one image.
    """
    part_of: dict[Path, str] = {}
    index = FileIndex(root)
    for path in entries_of(root):
        part = _part_of_list(path)
        if part and path.is_file():
            _read(path, part, index, part_of)
    if not part_of:
        return folders
    found = []
    for folder in folders:
        left = [image for image in folder.images if image not in part_of]
        report.add(NOT_LISTED, len(left), left[0] if left else "")
        own = {part: [image for image in folder.images if part_of.get(image) == part] for part in _PARTS}
        several = all(own.values())
        for part, images in own.items():
            if images:
                name = f"{folder.name}-{part}" if several and part == "val" else folder.name
                found.append(replace(folder, images=natural_order(images), part=part, name=name))
    if not found:
        raise DatasetError(
            f"{root} has lists of {len(part_of)} images, none of them in a folder images; expected paths such"
            " as images/a.jpg."
        )
    return found


def _part_of_list(path: Path) -> str | None:
    name = path.name.casefold()
    return next((part for part in _PARTS if name == f"{part}.txt" or path.suffix.casefold() == f".{part}"), None)


def _read(path: Path, part: str, index: FileIndex, part_of: dict[Path, str]) -> None:
    """Add the images of a list, which are relative to the root or to the folder above it, as FairMOT's are."""
    root = index.root.absolute()
    for number, line in enumerate(read_text(path, "one path of an image per line").split("\n"), 1):
        name = line.strip()
        if not name:
            continue
        if Path(name).is_absolute() and Path(name).is_relative_to(root):
            name = str(Path(name).relative_to(root))
        image = index.find(name)
        if image is None and name.startswith(f"{root.name}/"):
            image = index.find(name.removeprefix(f"{root.name}/"))
        if image is None or not is_image(image):
            state = "does not exist" if image is None else "is not an image file"
            raise line_error(path, number, f"{name} {state}; expected the path of an image below {index.root}.")
        if part_of.setdefault(image, part) != part:
            raise DatasetError(
                f"{path}, line {number}: {name} is in the lists of train and of val; remove it from one of them."
            )
