"""A backend without a network, for tests of other parts: it detects patches of saturated colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..values import Peaks
from .base import Backend, BackendInfo

_MIN_SATURATION = 100  # of 255: grey backgrounds and codec noise stay out
_MIN_PIXELS = 16
_HUES = 180  # OpenCV's hue range
_EMBEDDING_SIZE = 128


class FakeBackend(Backend):
    """Detects colour patches, each with its box, score 0.9 and an embedding that depends only on the hue.

    Args:
        input_size: Size in px of the images it accepts; None: 320x192.
        streams: Images that it processes at the same time.
    """

    def __init__(self, input_size: InputSize | None = None, *, streams: int = 1) -> None:
        super().__init__(BackendInfo("fake", "1", "CPU", "fp32", streams=streams), input_size or InputSize(320, 192))

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        import cv2

        hue, saturation, _ = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
        boxes, hues = [], []
        bins = np.where(saturation > _MIN_SATURATION, hue // 10 + 1, 0).astype(np.uint8)
        for value in np.unique(bins[bins > 0]):
            count, _, stats, _ = cv2.connectedComponentsWithStats((bins == value).astype(np.uint8))
            for left, top, width, height, pixels in stats[1:count]:
                if pixels >= _MIN_PIXELS:
                    boxes.append((left, top, left + width, top + height))
                    hues.append(int(value) * 10)
        return Peaks(
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            scores=np.full(len(boxes), 0.9, np.float32),
            embeddings=_embeddings(np.array(hues, np.float32)),
            class_ids=np.zeros(len(boxes), np.int64),
        )


def _embeddings(hues: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(K, 128)`` unit vectors; different hues are nearly orthogonal."""
    positions = np.arange(_EMBEDDING_SIZE, dtype=np.float32)
    centres = hues[:, None] / _HUES * _EMBEDDING_SIZE
    distance = np.abs(positions - centres)
    distance = np.minimum(distance, _EMBEDDING_SIZE - distance)
    values = np.exp(-((distance / 4) ** 2)).astype(np.float32)
    unit: NDArray[np.float32] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return unit
