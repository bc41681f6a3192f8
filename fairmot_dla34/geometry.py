"""Conversions of box coordinates, intersection over union, and the letterbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .config import InputSize

LETTERBOX_GREY = 128  # PaddleDetection pads with 127.5, which OpenCV rounds to 128 in a uint8 image

_Floating = TypeVar("_Floating", np.float32, np.float64)


def xyxy_to_tlwh(boxes: NDArray[_Floating]) -> NDArray[_Floating]:
    """Convert ``(..., 4)`` left, top, right, bottom to left, top, width, height."""
    out: NDArray[_Floating] = boxes.copy()
    out[..., 2:] -= out[..., :2]
    return out


def tlwh_to_xyxy(boxes: NDArray[_Floating]) -> NDArray[_Floating]:
    """Convert ``(..., 4)`` left, top, width, height to left, top, right, bottom."""
    out: NDArray[_Floating] = boxes.copy()
    out[..., 2:] += out[..., :2]
    return out


def xyxy_to_xyah(boxes: NDArray[_Floating]) -> NDArray[_Floating]:
    """Convert ``(..., 4)`` xyxy to centre x, centre y, aspect (width / height), height."""
    out: NDArray[_Floating] = xyxy_to_tlwh(boxes)
    out[..., :2] += out[..., 2:] / 2
    out[..., 2] /= out[..., 3]
    return out


def xyah_to_xyxy(boxes: NDArray[_Floating]) -> NDArray[_Floating]:
    """Convert ``(..., 4)`` centre x, centre y, aspect, height to xyxy."""
    out: NDArray[_Floating] = boxes.copy()
    out[..., 2] *= out[..., 3]
    out[..., :2] -= out[..., 2:] / 2
    out[..., 2:] += out[..., :2]
    return out


def iou(boxes_a: NDArray[_Floating], boxes_b: NDArray[_Floating]) -> NDArray[_Floating]:
    """Intersection over union of every pair.

    Widths and heights count pixels, ``right - left + 1``: ``bbox_ious`` in PaddleDetection's ``jde_matching.py``.

    Args:
        boxes_a: ``(N, 4)`` xyxy.
        boxes_b: ``(M, 4)`` xyxy, in the same coordinate frame.

    Returns:
        ``(N, M)`` in [0, 1]; element (i, j) compares box i of ``boxes_a`` with box j of ``boxes_b``.
    """
    intersection = _overlap(boxes_a, boxes_b, 0)
    intersection *= _overlap(boxes_a, boxes_b, 1)
    area_a = np.prod(boxes_a[:, 2:] - boxes_a[:, :2] + 1, axis=1)
    area_b = np.prod(boxes_b[:, 2:] - boxes_b[:, :2] + 1, axis=1)
    union = area_a[:, None] + area_b
    union -= intersection
    intersection /= np.maximum(union, np.finfo(union.dtype).tiny, out=union)  # no union, no intersection: 0
    return intersection


def _overlap(boxes_a: NDArray[_Floating], boxes_b: NDArray[_Floating], axis: int) -> NDArray[_Floating]:
    """Return ``(N, M)`` pixels that each pair shares along x (axis 0) or y (axis 1)."""
    low, high = boxes_b[:, axis].copy(), boxes_b[:, axis + 2].copy()  # contiguous: several times faster below
    shared: NDArray[_Floating] = np.minimum(boxes_a[:, None, axis + 2], high)
    shared -= np.maximum(boxes_a[:, None, axis], low)
    shared += 1
    return np.maximum(shared, 0, out=shared)


@dataclass(frozen=True)
class Letterbox:
    """The resize with padding that turns an image into the network input, and its inverse on boxes.

    Source: ``LetterBoxResize`` in PaddleDetection's ``mot_operators.py`` and the inverse in
    ``CenterNetPostProcess``. The inverse subtracts the exact padding, which may end in .5 px, while the image is
    placed on whole pixels, as in the source.

    Attributes:
        image_width: Width of the source frame in px.
        image_height: Height of the source frame in px.
        input_size: Network input in px.
    """

    image_width: int
    image_height: int
    input_size: InputSize

    @property
    def ratio(self) -> float:
        """Network px per image px."""
        return min(self.input_size.height / self.image_height, self.input_size.width / self.image_width)

    @property
    def resized(self) -> tuple[int, int]:
        """Width and height in network px of the image inside the padding."""
        ratio = self.ratio
        return max(1, round(self.image_width * ratio)), max(1, round(self.image_height * ratio))

    @property
    def padding(self) -> tuple[float, float]:
        """Exact padding at the left and at the top, network px."""
        width, height = self.resized
        return (self.input_size.width - width) / 2, (self.input_size.height - height) / 2

    def apply(self, image: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Resize with ``cv2.INTER_AREA`` and pad with grey.

        Args:
            image: ``(image_height, image_width, 3)`` uint8.
            out: Buffer of the network's size to reuse; its padding is written too. None: a new one.

        Returns:
            ``(input height, input width, 3)`` uint8: ``out`` if it was given.
        """
        import cv2

        if out is None:
            out = np.empty((self.input_size.height, self.input_size.width, 3), np.uint8)
        (width, height), (pad_x, pad_y) = self.resized, self.padding
        left, top = round(pad_x - 0.1), round(pad_y - 0.1)
        out[:top] = LETTERBOX_GREY
        out[top + height :] = LETTERBOX_GREY
        out[:, :left] = LETTERBOX_GREY
        out[:, left + width :] = LETTERBOX_GREY
        inside = out[top : top + height, left : left + width]
        cv2.resize(image, (width, height), dst=inside, interpolation=cv2.INTER_AREA)  # in place: no copy
        return out

    def to_image_px(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert ``(K, 4)`` xyxy boxes from network px to image px, unclipped."""
        pad_x, pad_y = self.padding
        padding = np.array([pad_x, pad_y, pad_x, pad_y], np.float32)
        image_px: NDArray[np.float32] = (boxes - padding) / np.float32(self.ratio)
        return image_px

    def to_network_px(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert ``(K, 4)`` xyxy boxes from image px to network px."""
        pad_x, pad_y = self.padding
        padding = np.array([pad_x, pad_y, pad_x, pad_y], np.float32)
        network_px: NDArray[np.float32] = boxes * np.float32(self.ratio) + padding
        return network_px
