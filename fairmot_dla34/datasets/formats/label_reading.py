"""Reads trees of normalised labels, once for YOLO and FairMOT, into sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import NO_IDENTITY, SourceImage, SourceSequence
from .building import MARKED, Boxes, is_video, labelled_image
from .class_names import ClassFile
from .image_header import read_header
from .label_rows import AREAS, LabelRow, read_rows
from .label_tree import ImageFolder
from .mot_folders import frame_rate_of
from .reading import DropReport, ReadOptions, line_error

OTHER_CLASS = "boxes of other classes"
NO_LABELS = "images without a label file, taken as images without people"
SHARED = "identities whose number is in several folders, taken as different people"


@dataclass(frozen=True)
class LabelTree:
    """Folders of images with their parsed labels.

    Attributes:
        folders: Folders of images.
        rows: Labels by image file; an image without a label file is absent.
        layout: Columns of the labels.
    """

    folders: list[ImageFolder]
    rows: Mapping[Path, list[LabelRow]]
    layout: str


def read_tree(folders: list[ImageFolder], layout: str) -> LabelTree:
    """Parse the label files of all images; those that do not exist are absent from the result.

    Raises:
        DatasetError: A label file is damaged.
    """
    rows = {}
    for folder in folders:
        labels = _files(folder.labels)
        for image in folder.images:
            label = labels.get(image.stem) or labels.get(image.stem.casefold())
            if label is not None:
                rows[image] = read_rows(label, layout)
    return LabelTree(folders, rows, layout)


def to_sequences(tree: LabelTree, classes: ClassFile, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Return the sequences of a tree.

    Args:
        tree: Its images and labels.
        classes: Names of the classes.
        options: What to read.
        report: Receives what is left out.

    Raises:
        DatasetError: A class has no name, the classes are unclear, or an image cannot be read.
    """
    choice = choose_classes(_available(tree, classes), options.classes, classes.path)
    without = [image for folder in tree.folders for image in folder.images if image not in tree.rows]
    report.add(NO_LABELS, len(without), without[0] if without else "")
    found = []
    for folder in tree.folders:
        areas = _files(folder.ignored)
        images = [
            _image(image, tree.rows.get(image, []), areas.get(image.stem), choice, options, report)
            for image in folder.images
        ]
        rate = frame_rate_of(folder.path)
        found.append(
            SourceSequence(
                folder.name,
                images,
                is_video=is_video(images),
                frame_rate=rate,
                classes=choice.names,
                part=folder.part,
            )
        )
    _report_shared(found, report)
    return [sequence for sequence in found if sequence.images]


def _files(folder: Path | None) -> dict[str, Path]:
    """Return the text files of a folder by stem, and by its lower case if that is no other file's stem."""
    if folder is None:
        return {}
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.casefold() == ".txt"}
    for stem, path in list(found.items()):
        found.setdefault(stem.casefold(), path)
    return found


def _available(tree: LabelTree, classes: ClassFile) -> Mapping[int, str]:
    """Return the classes, and check that the labels have no other."""
    if not classes.names:
        numbers = sorted({row.class_id for rows in tree.rows.values() for row in rows})
        return {number: str(number) for number in numbers or [0]}
    for folder in tree.folders:
        for image in folder.images:
            for row in tree.rows.get(image, []):
                if row.class_id not in classes.names:
                    label = (folder.labels or folder.path) / f"{image.stem}.txt"
                    text = f"class {row.class_id}; expected one of the {len(classes.names)} classes in {classes.path}."
                    raise line_error(label, row.line, text)
    return classes.names


def _image(
    image: Path,
    rows: list[LabelRow],
    areas: Path | None,
    choice: ClassChoice,
    options: ReadOptions,
    report: DropReport,
) -> SourceImage:
    header = read_header(image)
    found = Boxes()
    kept = [row for row in rows if row.class_id in choice.numbers]
    report.add(OTHER_CLASS, len(rows) - len(kept), image)
    for row in kept:
        found.add(row.xyxy(header), choice.numbers[row.class_id], row.identity if options.use_ids else NO_IDENTITY)
    if areas is not None:
        found.ignored = [row.xyxy(header) for row in read_rows(areas, AREAS)]
        report.add(MARKED, len(found.ignored), areas)
    return labelled_image(image, header, found, report, image)


def _report_shared(sequences: list[SourceSequence], report: DropReport) -> None:
    """Count identities that are in several sequences: a sequence has its own identities."""
    seen: dict[int, str] = {}
    shared: dict[int, str] = {}
    for sequence in sequences:
        numbers = {int(number) for image in sequence.images for number in image.labels.ids} - {NO_IDENTITY}
        for number in numbers:
            if number in seen:
                shared.setdefault(number, f"id {number} in {seen[number]} and {sequence.name}")
            seen.setdefault(number, sequence.name)
    report.add(SHARED, len(shared), next(iter(shared.values()), ""))


def require_labels(tree: LabelTree, root: Path, label_folder: str) -> None:
    """Check that at least one image has a label file.

    Raises:
        DatasetError: None has; the message names the first file that was expected.
    """
    if not tree.rows:
        folder = tree.folders[0]
        first = folder.images[0]
        raise DatasetError(
            f"{root} has no label file for any of its images; expected {label_folder}/… beside images/…, such as"
            f" {first.stem}.txt for {first}."
        )
