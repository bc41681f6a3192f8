"""The making of one training batch: reading, augmentation and targets of its images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import InputSize
from ...datasets import NO_IDENTITY, Dataset, DatasetImage, ImageLabels
from ...errors import DatasetError, OutOfMemoryError
from ...memory import is_lack_of_memory
from ..distillation.targets import TeacherTargets
from ..losses.targets import Targets, make_targets
from .augmentation import augment_for_teacher

_VARIATION = 1  # first number of a seed: the order of the images has another


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of a step, with their targets.

    Attributes:
        images: ``(B, 3, H, W)`` uint8 RGB.
        targets: Targets of the images.
        names: ``B`` paths of the image files.
        teacher_images: ``(B, 3, H, W)`` uint8 RGB, the same images at the teacher's input size; None: they are equal.
        taught: Targets that a teacher gives; None: without a teacher.
    """

    images: Tensor
    targets: Targets
    names: list[str]
    teacher_images: Tensor | None = None
    taught: TeacherTargets | None = None


@dataclass(frozen=True)
class BatchSettings:
    """Settings of all batches; see `BatchSource`."""

    input_size: InputSize
    stride: int
    num_classes: int
    seed: int
    neighbours: bool
    teacher_size: InputSize | None = None


@dataclass(frozen=True)
class BatchItem:
    """A training image with its dataset, and the number that is added to the identities of this dataset."""

    dataset: Dataset
    image: DatasetImage
    first_identity: int
    clip_boxes: bool


class ImageBatchWork:
    """The work on one batch; see `BatchWork`.

    Args:
        settings: Settings of all batches.
        items: Images of the batch.
        epoch: Number of the epoch.
        first_position: Position of the first image in the epoch's order.
    """

    def __init__(self, settings: BatchSettings, items: list[BatchItem], epoch: int, first_position: int) -> None:
        self._settings = settings
        self._items = items
        self._epoch = epoch
        self._first_position = first_position
        size = settings.input_size
        self._images = _planes(len(items), size)
        self._teacher_images = settings.teacher_size and _planes(len(items), settings.teacher_size)
        self._labels = [ImageLabels.empty()] * len(items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, number: int) -> None:
        """Read and vary an image, and write it into the batch."""
        item, settings = self._items[number], self._settings
        labels, image = item.dataset.labels(item.image), item.dataset.read_image(item.image)
        rng = np.random.default_rng([_VARIATION, settings.seed, self._epoch, self._first_position + number])
        try:
            image, labels, larger = augment_for_teacher(
                image, labels, settings.input_size, rng, settings.teacher_size, clip_boxes=item.clip_boxes
            )
        except cv2.error as error:
            if is_lack_of_memory(error):
                raise OutOfMemoryError(
                    f"{item.image.path} ({item.image.width}x{item.image.height} px) needs more memory than there is to "
                    "resize it. Use fewer --threads, or smaller images."
                ) from error
            raise DatasetError(f"{item.image.path} cannot be resized ({error.err or error}); replace it.") from error
        _write(image, self._images, number)
        if larger is not None and self._teacher_images is not None:
            _write(larger, self._teacher_images, number)
        ids = np.where(labels.ids == NO_IDENTITY, NO_IDENTITY, labels.ids + item.first_identity)
        self._labels[number] = replace(labels, ids=ids)

    def finish(self) -> Batch:
        """Return the batch."""
        settings = self._settings
        targets = make_targets(
            self._labels,
            settings.input_size,
            stride=settings.stride,
            num_classes=settings.num_classes,
            neighbours=settings.neighbours,
        )
        return Batch(self._images, targets, [str(item.image.path) for item in self._items], self._teacher_images)


def _planes(number: int, size: InputSize) -> Tensor:
    return torch.empty((number, 3, size.height, size.width), dtype=torch.uint8)


def _write(image: NDArray[np.uint8], images: Tensor, number: int) -> None:
    planes: NDArray[np.uint8] = images.numpy()  # shares its memory
    for channel in range(3):
        cv2.extractChannel(image, 2 - channel, planes[number, channel])  # BGR to RGB
