"""Writes the files of a prepared dataset: links to the images, labels, ignored areas, lists and the table."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...console.progress import ProgressBar
from ...errors import DatasetError
from ...files import output_error
from ...video.image_decoding import MAX_FILE_BYTES, decode_bgr
from ...video.regular_files import read_regular
from ..prepared.image_table import TABLE, ImageEntry, table_text
from ..prepared.label_text import ignored_lines, label_lines
from ..prepared.manifest import IGNORED, IMAGES, LABELS, LISTS, PARTS
from ..values import SourceImage
from .checking import ImageFile
from .naming import image_names
from .splitting import PartSequence


def write_parts(
    folder: Path,
    parts: Sequence[PartSequence],
    names: Sequence[str],
    files: Mapping[Path, ImageFile],
    bar: ProgressBar,
) -> list[ImageEntry]:
    """Write images, labels, ignored areas, the lists of images and the table.

    Args:
        folder: Empty folder.
        parts: Sequences, in the order of the table.
        names: Folder name of each.
        files: File of each image by its path in the sequences.
        bar: Progress, one unit per image.

    Returns:
        The rows of the table.

    Raises:
        OutputError: A file cannot be written.
        DatasetError: An image cannot be read any more.
    """
    entries: list[ImageEntry] = []
    for part, name in zip(parts, names, strict=True):
        entries += _write_sequence(folder, part, name, files, bar)
    for part_name in PARTS:
        lines = "".join(f"{entry.path}\n" for entry in entries if entry.part == part_name)
        if lines:
            _write(folder / f"{part_name}.txt", lines)
            _write(folder / LISTS / f"{part_name}.txt", lines)  # the place where PaddleDetection expects it
    _write(folder / TABLE, table_text(entries))
    return entries


def _write_sequence(
    folder: Path, part: PartSequence, name: str, files: Mapping[Path, ImageFile], bar: ProgressBar
) -> list[ImageEntry]:
    sequence = part.sequence
    stems = image_names([image.path.stem for image in sequence.images], in_order=sequence.is_video)
    entries = []
    for kind in (IMAGES, LABELS):
        _make(folder / kind / part.part / name)
    for index, (image, stem) in enumerate(zip(sequence.images, stems, strict=True)):
        file = files[image.path]
        path = f"{IMAGES}/{part.part}/{name}/{stem}{file.suffix or '.png'}"
        entry = ImageEntry(part.part, path, image.width, image.height, name, index)
        place_image(file, folder / path)
        _write_labels(folder, entry, image)
        entries.append(entry)
        bar.update()
    return entries


def _write_labels(folder: Path, entry: ImageEntry, image: SourceImage) -> None:
    _write(folder / entry.beside(LABELS), label_lines(image.labels, image.width, image.height))
    if len(image.labels.ignored):
        _make((folder / entry.beside(IGNORED)).parent)
        _write(folder / entry.beside(IGNORED), ignored_lines(image.labels, image.width, image.height))


def place_image(file: ImageFile, target: Path) -> None:
    """Put an image into a dataset: a symbolic link, else a hard link, else a copy; PNG for formats other than JPEG.

    Args:
        file: The image.
        target: Path that does not exist.

    Raises:
        OutputError: The file cannot be written.
        DatasetError: The image cannot be read any more.
    """
    try:
        if file.is_temporary:
            file.path.replace(target)
        elif not file.suffix:
            _convert(file.path, target)
        else:
            _link(file.path, target)
    except OSError as error:
        raise output_error(target, error) from error


def _link(source: Path, target: Path) -> None:
    for link in (os.symlink, os.link):
        try:
            link(source, target)
        except (OSError, NotImplementedError):  # not every file system and not every user may
            continue
        return
    shutil.copyfile(source, target)


def _convert(source: Path, target: Path) -> None:
    import cv2

    try:
        image = decode_bgr(read_regular(source, MAX_FILE_BYTES))
    except OSError as error:
        raise DatasetError(f"{source} cannot be read any more ({error}); leave the source as it is.") from error
    target.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise output_error(path, error) from error
