"""Batches of random square crops, several sizes in turn, from places that are chosen by weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import NO_IDENTITY, DatasetImage, ImageLabels
from fairmot_dla34.geometry import LETTERBOX_GREY, Letterbox
from fairmot_dla34.training.batches.source import BatchSource
from fairmot_dla34.training.batches.stream import BatchStream
from fairmot_dla34.training.batches.work import Batch, BatchItem, BatchSettings
from fairmot_dla34.training.losses.targets import make_targets

STEPS_PER_EPOCH = 500  # a unit of the progress bar: crops have no passes over the images
SCALES = 0.5, 1.4  # of the letterbox
MARGIN = 0.15  # share of the crop that may be beyond the image
MIN_SHARE_IN_CROP = 0.25  # people with a smaller share of their box in the crop are ignored
NEAR_A_PERSON = 0.85  # share of the crops that have a person in them if the image does
_CROPS = 2  # first number of a seed: `BatchSource` uses 0 and 1


class Plan(NamedTuple):
    """Make-up of a batch; all have about the same number of pixels.

    Attributes:
        crops: Number of crops.
        size: Side of the crops in px.
        share: Share of the batches.
    """

    crops: int
    size: int
    share: float


SMALL = (Plan(12, 192, 0.2), Plan(4, 320, 0.5), Plan(2, 448, 0.3))
LARGE = (Plan(4, 320, 0.5), Plan(2, 448, 0.5))


@dataclass(frozen=True)
class Crop:
    """Geometry of a crop: an affine transform without rotation.

    Attributes:
        matrix: ``(2, 3)`` from image px to crop px; coordinates are 0 at the corner of the first pixel.
        size: Side in px.
        scale: Crop px per image px.
    """

    matrix: NDArray[np.float64]
    size: int
    scale: float

    @classmethod
    def draw(cls, image: DatasetImage, boxes: NDArray[np.float32], input_size: InputSize, size: int,
             rng: np.random.Generator) -> Crop:  # fmt: skip
        """Draw a crop of an image, mostly near one of its people."""
        letterbox = Letterbox(image.width, image.height, input_size)
        scale = letterbox.ratio * float(np.exp(rng.uniform(*np.log(SCALES))))
        stretch = float(rng.uniform(0.92, 1.08))
        scales = np.array([scale * stretch, scale / stretch])
        sides, source = np.array([image.width, image.height]), size / scales
        if len(boxes) and rng.random() < NEAR_A_PERSON:
            box = boxes[rng.integers(len(boxes))]
            corner = (box[:2] + box[2:]) / 2 - source * rng.uniform(0.1, 0.9, 2)
        else:
            corner = rng.uniform(0, np.maximum(sides - source, 1))
        corner = np.clip(corner, -MARGIN * source, np.maximum(sides - source, 0) + MARGIN * source)
        matrix = np.column_stack([np.diag(scales), -corner * scales])
        if rng.random() < 0.5:
            matrix[0] = [-matrix[0, 0], 0, size - matrix[0, 2]]
        return cls(matrix, size, scale)

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the ``(S, S, 3)`` crop of an image, grey beyond it."""
        if self.scale < 0.7:  # warpAffine does not average as INTER_AREA does
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / self.scale), np.uint8)
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # OpenCV's coordinates are 0 at the centre of the first pixel
        grey = (LETTERBOX_GREY,) * 3
        size = (self.size, self.size)
        return np.asarray(
            cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=grey), np.uint8
        )

    def labels(self, labels: ImageLabels) -> ImageLabels:
        """Return the labels in crop px: people mostly outside the crop become ignored areas."""
        boxes, ignored = self._moved(labels.boxes), self._clipped(self._moved(labels.ignored))
        clipped = self._clipped(boxes)
        share = _areas(clipped) / np.maximum(_areas(boxes), 1e-9)
        people, hidden = share >= MIN_SHARE_IN_CROP, (share > 0) & (share < MIN_SHARE_IN_CROP)
        areas = np.concatenate([ignored[_areas(ignored) > 0], clipped[hidden]])
        return ImageLabels(boxes[people], labels.ids[people], labels.class_ids[people], areas)

    def _moved(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        corners = boxes.reshape(-1, 2, 2) @ self.matrix[:, :2].T + self.matrix[:, 2]  # (N, 2 corners, 2)
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)

    def _clipped(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.clip(boxes, 0, self.size)


class CropWork:
    """The work on one batch of crops; see `BatchWork`.

    Args:
        settings: Settings of all batches; crops have a scale relative to the letterbox of their input size.
        items: Image of each crop.
        size: Side of the crops in px.
        seed: Seed of the batch.
    """

    def __init__(self, settings: BatchSettings, items: list[BatchItem], size: int, seed: list[int]) -> None:
        self._settings, self._items, self._size, self._seed = settings, items, size, seed
        self._images = torch.empty((len(items), 3, size, size), dtype=torch.uint8)
        self._labels = [ImageLabels.empty()] * len(items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, number: int) -> None:
        """Cut one crop and write it into the batch."""
        item, rng = self._items[number], np.random.default_rng([*self._seed, number])
        labels = item.dataset.labels(item.image)
        crop = Crop.draw(item.image, labels.boxes, self._settings.input_size, self._size, rng)
        image = change_colours(crop.cut(item.dataset.read_image(item.image)), rng)
        self._images[number] = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
        ids = np.where(labels.ids == NO_IDENTITY, NO_IDENTITY, labels.ids + item.first_identity)
        self._labels[number] = crop.labels(replace(labels, ids=ids))

    def finish(self) -> Batch:
        """Return the batch."""
        settings = self._settings
        targets = make_targets(
            self._labels,
            InputSize(self._size, self._size),
            stride=settings.stride,
            num_classes=settings.num_classes,
            neighbours=settings.neighbours,
        )
        return Batch(self._images, targets, [str(item.image.path) for item in self._items])


def change_colours(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change hue, saturation and brightness at random, and sometimes add blur or noise."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(rng.integers(-6, 7))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.6, 1.4), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * rng.uniform(0.7, 1.3) + rng.uniform(-15, 15), 0, 255)
    changed = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR), np.uint8)
    if rng.random() < 0.15:
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.4, 1.2))), np.uint8)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 8), changed.shape).astype(np.float32)
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    return changed


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas


class CropSource(BatchSource):
    """Makes batches of crops, in one process.

    A batch depends on the datasets, the seed, the epoch and the step alone, as those of `BatchSource` do.

    Args:
        *arguments: Those of `BatchSource`; the batch size is not used.
        weights: Share of the crops by the name of the dataset's folder, in any unit.
        plans: Make-up of the batches.
        **settings: Those of `BatchSource`.
    """

    def __init__(
        self, *arguments: Any, weights: Mapping[str, float], plans: tuple[Plan, ...] = SMALL, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.steps_per_epoch = STEPS_PER_EPOCH
        self._plans = plans
        by_dataset: dict[str, list[int]] = {}
        for number, item in enumerate(self._items):
            by_dataset.setdefault(item.dataset.path.name, []).append(number)
        self._groups = list(by_dataset.values())
        shares = np.array([weights[name] for name in by_dataset])
        self._shares = shares / shares.sum()

    def batches(self, epoch: int, first_step: int = 0) -> BatchStream[Batch]:
        """Return the batches of an epoch from a step on."""
        work = (self._crops(epoch, step) for step in range(first_step, self.steps_per_epoch))
        return BatchStream(work, threads=self._threads, depth=2 + self._threads)

    def _crops(self, epoch: int, step: int) -> CropWork:
        rng = np.random.default_rng([_CROPS, self._seed, epoch, step])
        plan = self._plans[rng.choice(len(self._plans), p=[plan.share for plan in self._plans])]
        groups = [self._groups[number] for number in rng.choice(len(self._groups), plan.crops, p=self._shares)]
        items = [self._items[group[rng.integers(len(group))]] for group in groups]
        return CropWork(self._settings, items, plan.size, [_CROPS, self._seed, epoch, step])
