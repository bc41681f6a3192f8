"""Description of a prepared dataset: ``dataset.json``, written and read with checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...config import is_number, is_whole
from ...errors import DatasetError
from ...video.regular_files import read_regular

PARTS = ("train", "val")
IMAGES, LABELS, IGNORED, PREVIEW, LISTS = "images", "labels_with_ids", "ignored", "preview", "image_lists"
MANIFEST = "dataset.json"
FORMAT = "fairmot_dla34 dataset"
VERSION = 1
MAX_BYTES = 2**31


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
        clip_boxes: Whether training clips boxes to the image after augmentation.
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
    clip_boxes: bool


@dataclass(frozen=True)
class DroppedEntry:
    """Things that were left out or changed for one reason.

    Attributes:
        reason: Plain words, such as "boxes without area".
        count: Number of them.
        example: Place of the first.
    """

    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class Manifest:
    """Content of ``dataset.json``.

    Attributes:
        name: Name of the dataset.
        source: Format, path and settings that it was made from.
        classes: Names of the classes.
        sequences: Sequences, those of the training part first.
        num_identities: Number of identities.
        dropped: Reasons for which something was left out or changed, with counts and examples.
        notes: Remarks about the dataset in plain words.
        digest: Digest of the table of images and of all labels, when they were written.
    """

    name: str
    source: Mapping[str, Any]
    classes: tuple[str, ...]
    sequences: tuple[SequenceEntry, ...]
    num_identities: int
    dropped: tuple[DroppedEntry, ...]
    notes: tuple[str, ...]
    digest: str

    def count(self, part: str, what: str) -> int:
        """Return the number of ``images`` or ``boxes`` of a part."""
        return sum(getattr(entry, what) for entry in self.sequences if entry.part == part)

    def json(self) -> str:
        """Return the text of the file."""
        counts = {part: {what: self.count(part, what) for what in ("images", "boxes")} for part in PARTS}
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
        content = json.loads(read_regular(path, MAX_BYTES))
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
    classes, notes = _texts("classes", content["classes"]), _texts("notes", content["notes"])
    if not classes:
        raise ValueError("no classes")
    if not is_whole(content["num_identities"], 0):
        raise ValueError(f"num_identities is {content['num_identities']!r}")
    if sum(entry.new_identities for entry in sequences) != content["num_identities"]:
        raise ValueError("the identities of the sequences do not add up")
    name, digest, source = content["name"], content["digest"], content["source"]
    if not isinstance(name, str) or not isinstance(digest, str) or not isinstance(source, dict):
        raise TypeError("name, digest or source")
    dropped = tuple(DroppedEntry(**entry) for entry in content["dropped"])
    return Manifest(name, source, classes, sequences, content["num_identities"], dropped, notes, digest)


def _texts(name: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} are {values!r}")
    return tuple(values)


def _sequence(fields: Mapping[str, Any]) -> SequenceEntry:
    entry = SequenceEntry(**fields)
    counts = (entry.images, entry.boxes, entry.identities, entry.new_identities)
    valid = (
        isinstance(entry.name, str)
        and isinstance(entry.source_name, str)
        and entry.part in PARTS
        and isinstance(entry.is_video, bool)
        and isinstance(entry.clip_boxes, bool)
        and is_number(entry.frame_rate)
        and entry.frame_rate > 0
        and all(is_whole(count, 0) for count in counts)
    )
    if not valid:
        raise ValueError(f"sequence {fields!r}")
    return entry
