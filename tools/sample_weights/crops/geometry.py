"""Geometry of random square crops: which part of an image, at which scale, and the labels in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import DatasetImage, ImageLabels
from fairmot_dla34.geometry import LETTERBOX_GREY, Letterbox

SCALES = 0.35, 2.0  # of the letterbox: one file serves all input sizes
HEIGHTS = 16.0, 1.4  # of the person that a crop is cut around: px, share of the crop's side
FILLED = 0.6  # of the crop's side that the shorter side of an image fills at least, if the scales allow it
MARGIN = 0.15  # share of the crop that may be beyond the image
MIN_SHARE_IN_CROP = 0.25  # people with a smaller share of their box in the crop are ignored


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
    def draw(cls, image: DatasetImage, person: NDArray[np.float32] | None, input_size: InputSize, size: int,
             rng: np.random.Generator) -> Crop:  # fmt: skip
        """Draw a crop of an image.

        Args:
            image: Image.
            person: ``(4,)`` box of a person who is to be in the crop, image px; None: the crop is anywhere.
            input_size: Network input whose letterbox the scales refer to.
            size: Side of the crop, px.
            rng: Source of the draws.
        """
        low, high = np.array(SCALES) * Letterbox(image.width, image.height, input_size).ratio
        low = min(max(low, FILLED * size / min(image.width, image.height)), high)
        scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        stretch = float(rng.uniform(0.92, 1.08))
        if person is not None:
            height = max(float(person[3] - person[1]), 1.0)
            scale = float(np.clip(scale, HEIGHTS[0] / height, max(HEIGHTS[1] * size / height, HEIGHTS[0] / height)))
        scales = np.array([scale * stretch, scale / stretch])
        sides, source = np.array([image.width, image.height]), size / scales
        if person is not None:
            corner = (person[:2] + person[2:]) / 2 - source * rng.uniform(0.1, 0.9, 2)
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


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas
