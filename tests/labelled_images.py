"""Labelled images in memory that a validation takes for a prepared dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.datasets.prepared.dataset import Dataset, DatasetImage, DatasetSequence
from fairmot_dla34.datasets.values import NO_IDENTITY, ImageLabels
from fairmot_dla34.errors import DatasetError

Image = NDArray[np.uint8]


def labels_of(boxes: object, ids: object = None, class_ids: object = None, ignored: object = ()) -> ImageLabels:
    """Return labels; without ``ids`` no box has an identity."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    return ImageLabels(
        rows,
        np.full(len(rows), NO_IDENTITY, np.int64) if ids is None else np.array(ids, np.int64),
        np.zeros(len(rows), np.int64) if class_ids is None else np.array(class_ids, np.int64),
        np.array(ignored, np.float32).reshape(-1, 4),
    )


@dataclass
class LabelledImages:
    """A dataset in memory: its validation part is one sequence; the training part is empty."""

    name: str
    images_: Sequence[Image | None]  # None: does not decode
    labels_: Sequence[ImageLabels]
    classes: tuple[str, ...] = ("person",)
    is_video: bool = True
    frame_rate: float = 25.0
    first: int = 0  # index of the first image

    @property
    def num_identities(self) -> int:
        return max((int(labels.ids.max(initial=-1)) for labels in self.labels_), default=-1) + 1

    def sequences(self, part: str) -> tuple[DatasetSequence, ...]:
        images = []
        for place, image in enumerate(self.images_):
            height, width = (0, 0) if image is None else image.shape[:2]
            path = Path(self.name) / f"{place}.png"
            images.append(DatasetImage(path, path, None, width, height, self.name, self.first + place))
        sequence = DatasetSequence(self.name, self.is_video, self.frame_rate, tuple(images))
        return (sequence,) if part == "val" else ()

    def labels(self, image: DatasetImage) -> ImageLabels:
        return self.labels_[image.index - self.first]

    def read_image(self, image: DatasetImage) -> Image:
        pixels = self.images_[image.index - self.first]
        if pixels is None:
            raise DatasetError(f"{image.path} cannot be read (not an image)")
        return pixels

    def __hash__(self) -> int:
        return id(self)

    @property
    def dataset(self) -> Dataset:
        return cast("Dataset", self)

    def changed(self, **changes: object) -> LabelledImages:
        return replace(self, **changes)  # type: ignore[arg-type]
