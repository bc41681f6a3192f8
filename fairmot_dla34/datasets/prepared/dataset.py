"""A prepared dataset on disk: its sequences, images and labels, checked when they are read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...config import check_choice, check_path
from ...errors import DatasetError
from ...video.image_decoding import MAX_FILE_BYTES, decode_bgr
from ...video.regular_files import read_regular
from ..values import ImageLabels
from .image_table import ImageEntry, content_digest, read_table
from .label_text import read_ignored_lines, read_label_lines
from .manifest import IGNORED, LABELS, PARTS, Manifest, read_manifest

if TYPE_CHECKING:
    from typing_extensions import Self

_MAX_LABEL_BYTES = 1 << 26


@dataclass(frozen=True)
class DatasetImage:
    """An image of a prepared dataset.

    Attributes:
        path: Image file.
        label_path: File of its boxes.
        ignored_path: File of its ignored areas, or None if it has none.
        width: Width in px, as OpenCV decodes the image.
        height: Height in px, likewise.
        sequence: Name of its sequence.
        index: Position in its sequence, from 0.
    """

    path: Path
    label_path: Path
    ignored_path: Path | None
    width: int
    height: int
    sequence: str
    index: int


@dataclass(frozen=True)
class DatasetSequence:
    """A sequence of a prepared dataset, or the part of it that is in ``train`` or ``val``.

    Attributes:
        name: Name, unique within its part.
        is_video: Whether the images are consecutive frames.
        frame_rate: Frames per second of a video.
        images: Images, in the order of time if it is a video.
        clip_boxes: Whether training clips boxes to the image after augmentation, as FairMOT does for MOT20.
    """

    name: str
    is_video: bool
    frame_rate: float
    images: tuple[DatasetImage, ...]
    clip_boxes: bool = False


class Dataset:
    """A dataset that ``fairmot_dla34 prepare`` wrote.

    Attributes:
        path: Folder.
        name: Name of the dataset.
        classes: Names of the classes, in the order of their numbers.
        num_identities: Number of identities over both parts; ids are 0 to ``num_identities - 1``.
        sequence_of_identity: ``(num_identities,)`` int64, for each identity the first sequence it is in: an index into
            the sequences of ``train``, followed by those of ``val``.
    """

    def __init__(self, path: Path, manifest: Manifest, entries: tuple[ImageEntry, ...]) -> None:
        self.path = path
        self.name = manifest.name
        self.classes = manifest.classes
        self.num_identities = manifest.num_identities
        counts = [entry.new_identities for entry in manifest.sequences]
        self.sequence_of_identity = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
        self._entries = entries
        self._prepared_digest = manifest.digest
        self._with_areas = _files_under(path / IGNORED)
        self._sequences = {
            part: tuple(
                DatasetSequence(sequence.name, sequence.is_video, sequence.frame_rate, images, sequence.clip_boxes)
                for sequence, images in zip(
                    (entry for entry in manifest.sequences if entry.part == part),
                    self._images_by_sequence(manifest, part),
                    strict=True,
                )
            )
            for part in PARTS
        }

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Read the description of a prepared dataset and its list of images; no image and no label is opened.

        Args:
            folder: Output directory of ``fairmot_dla34 prepare``.

        Raises:
            DatasetError: It is not a prepared dataset, preparation did not finish, or its description is damaged.
            InvalidInputError: ``folder`` is not a path.
        """
        check_path("folder", folder, "the output directory of fairmot_dla34 prepare")
        path = Path(folder)
        manifest = read_manifest(path)
        return cls(path, manifest, read_table(path, manifest))

    @cached_property
    def digest(self) -> str:
        """Digest of the list of images, of all labels and of the ignored areas, as they are now."""
        return content_digest(self.path, self._entries, self._area_files())

    @property
    def is_edited(self) -> bool:
        """True if labels, areas or the list of images were changed after the dataset was prepared."""
        return self.digest != self._prepared_digest

    def sequences(self, part: str) -> tuple[DatasetSequence, ...]:
        """Return the sequences of ``train`` or ``val``.

        Raises:
            InvalidInputError: ``part`` is neither.
        """
        check_choice("part", part, PARTS)
        return self._sequences[part]

    def images(self, part: str) -> tuple[DatasetImage, ...]:
        """Return the images of ``train`` or ``val``, sequence by sequence.

        Raises:
            InvalidInputError: ``part`` is neither.
        """
        return tuple(image for sequence in self.sequences(part) for image in sequence.images)

    def labels(self, image: DatasetImage) -> ImageLabels:
        """Read the boxes and ignored areas of an image, in px of the decoded image.

        Raises:
            DatasetError: A file is missing, or a line is not valid: wrong columns or class, an identity that the
                dataset does not have, a number that is not finite, a box more than one image beyond the image.
        """
        size = image.width, image.height
        boxes, ids, class_ids = read_label_lines(
            _text(image.label_path),
            image.label_path,
            size,
            num_classes=len(self.classes),
            num_identities=self.num_identities,
        )
        ignored = np.empty((0, 4), np.float32)
        if image.ignored_path is not None:
            ignored = read_ignored_lines(_text(image.ignored_path), image.ignored_path, size)
        return ImageLabels(boxes, ids, class_ids, ignored)

    def read_image(self, image: DatasetImage) -> NDArray[np.uint8]:
        """Decode an image, with its EXIF rotation applied.

        Returns:
            ``(H, W, 3)`` uint8 BGR.

        Raises:
            DatasetError: The file is missing, cannot be decoded, or has another size than when it was prepared.
        """
        try:
            pixels = decode_bgr(read_regular(image.path, MAX_FILE_BYTES))
        except OSError as error:
            raise unreadable(image.path, error) from error
        height, width = pixels.shape[:2]
        if (width, height) != (image.width, image.height):
            raise DatasetError(
                f"{_shown(image.path)} has {width}x{height} px; expected {image.width}x{image.height}, its size when it"
                f" was prepared: {_REMEDY}"
            )
        return pixels

    def __repr__(self) -> str:
        train, val = (len(self.images(part)) for part in PARTS)
        return f"Dataset({str(self.path)!r}, {train} + {val} images, {self.num_identities} identities)"

    def _images_by_sequence(self, manifest: Manifest, part: str) -> list[tuple[DatasetImage, ...]]:
        images: dict[str, list[DatasetImage]] = {entry.name: [] for entry in manifest.sequences if entry.part == part}
        for entry in self._entries:
            if entry.part == part:
                images[entry.sequence].append(self._image(entry))
        return [tuple(group) for group in images.values()]

    def _image(self, entry: ImageEntry) -> DatasetImage:
        areas = entry.beside(IGNORED)
        return DatasetImage(
            self.path / entry.path,
            self.path / entry.beside(LABELS),
            self.path / areas if areas.as_posix() in self._with_areas else None,
            entry.width,
            entry.height,
            entry.sequence,
            entry.index,
        )

    def _area_files(self) -> list[PurePosixPath]:
        files = (entry.beside(IGNORED) for entry in self._entries)
        return [file for file in files if file.as_posix() in self._with_areas]


_REMEDY = "restore the file, or prepare the dataset again."


def _files_under(folder: Path) -> frozenset[str]:
    """Return the files of a tree, relative to the folder's parent, with slashes."""
    return frozenset(
        (Path(parent) / file).relative_to(folder.parent).as_posix()
        for parent, _, files in os.walk(folder)
        for file in files
    )


def _text(path: Path) -> str:
    try:
        return read_regular(path, _MAX_LABEL_BYTES).decode("utf-8")
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not text ({error.reason}); {_REMEDY}") from error


def unreadable(path: Path, error: OSError) -> DatasetError:
    """Return the error to raise for a file of a dataset that cannot be read, such as a link whose target is gone."""
    return DatasetError(f"{_shown(path)} cannot be read ({error.strerror or error}); {_REMEDY}")


def _shown(path: Path) -> str:
    """Return a path for messages, with the target of a symbolic link."""
    try:
        return f"{path} -> {path.readlink()}" if path.is_symlink() else f"{path}"
    except OSError:
        return f"{path}"
