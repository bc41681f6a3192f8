"""Table of the images of a prepared dataset: ``images.csv``, written and read with checks, and the digest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...config import is_whole
from ...errors import DatasetError
from ...video.regular_files import read_regular
from .manifest import IMAGES, LABELS, MANIFEST, MAX_BYTES, Manifest

TABLE = "images.csv"
COLUMNS = ("part", "path", "width", "height", "sequence", "index")
_MAX_SIDE = 10**6  # px


@dataclass(frozen=True)
class ImageEntry:
    """A row of ``images.csv``.

    Attributes:
        part: ``train`` or ``val``.
        path: Image, relative to the dataset, with slashes.
        width: Width in px.
        height: Height in px.
        sequence: Name of the sequence.
        index: Position in the sequence's part, from 0.
    """

    part: str
    path: str
    width: int
    height: int
    sequence: str
    index: int

    def beside(self, folder: str) -> PurePosixPath:
        """Return the path of the text file about this image, relative to the dataset.

        Args:
            folder: `LABELS` or `IGNORED`.
        """
        return PurePosixPath(folder, *PurePosixPath(self.path).parts[1:]).with_suffix(".txt")


def table_text(entries: Iterable[ImageEntry]) -> str:
    """Return the content of ``images.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(entry, name) for name in COLUMNS] for entry in entries)
    return text.getvalue()


def read_table(folder: Path, manifest: Manifest) -> tuple[ImageEntry, ...]:
    """Read ``images.csv`` and compare it with the description of the dataset.

    Raises:
        DatasetError: It is missing, damaged, or has other images.
    """
    path = folder / TABLE
    entries: list[ImageEntry] = []
    try:
        rows = csv.reader(io.StringIO(read_regular(path, MAX_BYTES).decode("utf-8"), newline=""))
        if tuple(next(rows, ())) != COLUMNS:
            raise DatasetError(f"{path}, line 1 is not {','.join(COLUMNS)}; prepare the dataset again.")
        for part, file, width, height, sequence, index in rows:
            entries.append(ImageEntry(part, file, int(width), int(height), sequence, int(index)))
            _check_image(entries[-1])
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror or error}); prepare the dataset again.") from error
    except (ValueError, csv.Error) as error:
        if isinstance(error, DatasetError):
            raise
        line = len(entries) + 2
        raise DatasetError(f"{path} is damaged near line {line} ({error}); prepare the dataset again.") from error
    _check_counts(path, manifest, entries)
    return tuple(entries)


def _check_image(entry: ImageEntry) -> None:
    path = PurePosixPath(entry.path)
    if (
        "\0" in entry.path
        or path.is_absolute()
        or ".." in path.parts
        or path.parts[:2] != (IMAGES, entry.part)
        or len(path.parts) < 3
    ):
        raise ValueError(f"path is {entry.path!r}")
    if not (is_whole(entry.width, 1, _MAX_SIDE) and is_whole(entry.height, 1, _MAX_SIDE)):
        raise ValueError(f"size is {entry.width}x{entry.height}")


def _check_counts(path: Path, manifest: Manifest, entries: list[ImageEntry]) -> None:
    counts: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = entry.part, entry.sequence
        if entry.index != counts.get(key, 0):
            raise DatasetError(f"{path}: image {entry.path} is not in its place; prepare the dataset again.")
        counts[key] = entry.index + 1
    expected = {(entry.part, entry.name): entry.images for entry in manifest.sequences}
    for key in sorted(expected.keys() | counts.keys()):
        if expected.get(key) != counts.get(key):
            raise DatasetError(
                f"{path} has {counts.get(key, 0)} images of sequence {key[1]} ({key[0]}), {MANIFEST} has"
                f" {expected.get(key, 0)}; prepare the dataset again."
            )


def content_digest(folder: Path, entries: Iterable[ImageEntry], ignored: Iterable[PurePosixPath]) -> str:
    """Return a digest of the table of images, of their labels and of the ignored areas.

    Raises:
        DatasetError: A file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    listed = list(entries)
    files = [PurePosixPath(TABLE), *(entry.beside(LABELS) for entry in listed), *ignored]
    for file in files:
        try:
            content = read_regular(folder / file, MAX_BYTES)
        except OSError as error:
            raise DatasetError(
                f"{folder / file} cannot be read ({error.strerror or error}); prepare the dataset again."
            ) from error
        digest.update(f"{file} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
