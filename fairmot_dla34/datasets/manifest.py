"""Description of a prepared dataset: reads and writes ``dataset.json`` and the table of images, with checks."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..config import is_number, is_whole
from ..errors import DatasetError
from ..video.regular_files import read_regular

PARTS = ("train", "val")
IMAGES, LABELS, IGNORED, PREVIEW, LISTS = "images", "labels_with_ids", "ignored", "preview", "image_lists"
MANIFEST, TABLE = "dataset.json", "images.csv"
FORMAT = "fairmot_dla34 dataset"
VERSION = 1
COLUMNS = ("part", "path", "width", "height", "sequence", "index")
_MAX_BYTES = 2**31
_MAX_SIDE = 10**6  # px


@dataclass(frozen=True)
class SequenceEntry:
    """A sequence, or the part of one, in ``dataset.json``.

    Attributes:
        name: Folder of its images; unique within its part.
        part: ``train`` or ``val``.
        is_video: Whether the images are consecutive frames.
        frame_rate: Frames per second of a video.
        images: Number of images.
        boxes: Number of boxes.
        identities: Number of different identities.
        new_identities: Number of identities that no earlier entry has. Identities are numbered in this order.
        source_name: Name in the source.
    """

    name: str
    part: str
    is_video: bool
    frame_rate: float
    images: int
    boxes: int
    identities: int
    new_identities: int
    source_name: str


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


@dataclass(frozen=True)
class Manifest:
    """Content of ``dataset.json``.

    Attributes:
        name: Name of the dataset.
        source: Format, path and settings that it was made from.
        classes: Names of the classes.
        sequences: Sequences, those of the training part first.
        num_identities: Number of identities.
        dropped: Reasons for which something was left out, with counts and examples.
        digest: Digest of the table of images and of all labels, when they were written.
    """

    name: str
    source: Mapping[str, Any]
    classes: tuple[str, ...]
    sequences: tuple[SequenceEntry, ...]
    num_identities: int
    dropped: tuple[Mapping[str, Any], ...]
    digest: str

    def json(self) -> str:
        """Return the text of the file."""
        counts = {
            part: {
                key: sum(getattr(entry, key) for entry in self.sequences if entry.part == part)
                for key in ("images", "boxes")
            }
            for part in PARTS
        }
        content = {"format": FORMAT, "version": VERSION, **asdict(self), "counts": counts}
        return json.dumps(content, indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read ``dataset.json`` of a prepared dataset.

    Raises:
        DatasetError: The folder is not a prepared dataset, the file is damaged, or a newer version wrote it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        what = "does not exist" if not folder.exists() else f"has no {MANIFEST}"
        raise DatasetError(
            f"{folder} {what}; expected a folder that fairmot_dla34 prepare has finished: prepare it (again)."
        )
    try:
        content = json.loads(read_regular(path, _MAX_BYTES))
        if content["format"] != FORMAT:
            raise ValueError(f"format is {content['format']!r}")  # noqa: TRY301
        version = content["version"]
        manifest = None if version != VERSION else _manifest(content)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror or error}); check its permissions.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"{path} is damaged ({type(error).__name__}: {error}); prepare the dataset again."
        ) from error
    if manifest is None:
        raise DatasetError(f"{path} has version {version!r}; expected {VERSION}: prepare the dataset again.")
    return manifest


def _manifest(content: Mapping[str, Any]) -> Manifest:
    sequences = tuple(_sequence(entry) for entry in content["sequences"])
    classes = tuple(content["classes"])
    if not classes or not all(isinstance(name, str) for name in classes) or isinstance(content["classes"], str):
        raise ValueError(f"classes are {content['classes']!r}")
    if not is_whole(content["num_identities"], 0):
        raise ValueError(f"num_identities is {content['num_identities']!r}")
    if sum(entry.new_identities for entry in sequences) != content["num_identities"]:
        raise ValueError("the identities of the sequences do not add up")
    name, digest = content["name"], content["digest"]
    if not isinstance(name, str) or not isinstance(digest, str):
        raise TypeError("name or digest is not text")
    source, dropped = dict(content["source"]), tuple(dict(entry) for entry in content["dropped"])
    return Manifest(name, source, classes, sequences, content["num_identities"], dropped, digest)


def _sequence(fields: Mapping[str, Any]) -> SequenceEntry:
    entry = SequenceEntry(**fields)
    counts = (entry.images, entry.boxes, entry.identities, entry.new_identities)
    valid = (
        isinstance(entry.name, str)
        and isinstance(entry.source_name, str)
        and entry.part in PARTS
        and isinstance(entry.is_video, bool)
        and is_number(entry.frame_rate)
        and entry.frame_rate > 0
        and all(is_whole(count, 0) for count in counts)
    )
    if not valid:
        raise ValueError(f"sequence {fields!r}")
    return entry


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
        rows = csv.reader(io.StringIO(read_regular(path, _MAX_BYTES).decode("utf-8"), newline=""))
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
    if path.is_absolute() or ".." in path.parts or path.parts[:2] != (IMAGES, entry.part) or len(path.parts) < 3:
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
            content = read_regular(folder / file, _MAX_BYTES)
        except OSError as error:
            raise DatasetError(
                f"{folder / file} cannot be read ({error.strerror or error}); prepare the dataset again."
            ) from error
        digest.update(f"{file} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
