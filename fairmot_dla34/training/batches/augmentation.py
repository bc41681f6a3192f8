"""Random colours, affine warp and flip of a training image and its labels, as in PaddleDetection's FairMOT reader.

Source: `AugmentHSV`, `LetterBoxResize`, `MOTRandomAffine` and `RandomFlip` in ``mot_operators.py`` and ``operators.py``
of PaddleDetection, with the settings of ``fairmot_reader_1088x608.yml``. Boxes are equal to those of the source, but:

* A person without any part in the image is left out. The source keeps the box and trains its centre at the border.
* An image without people is warped too, as in FairMOT's own ``jde.py``.

Images differ from the source in how they are sampled. The source shrinks the image to the letterbox and then warps it
without averaging. Here the letterbox, the affine transform and the flip are one warp, and the image is averaged to
somewhat above the resolution of the result first. Pixel centres are at half px, as in `cv2.resize`. The colours are
changed last, on the fewest pixels; the padding is as grey as at inference all the same.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ...config import InputSize
from ...datasets import ImageLabels
from ...geometry import LETTERBOX_GREY, Letterbox
from ..distillation.view import TeacherView
from .variation import Variation

MIN_SIDE_PX = 4.0  # smaller boxes are left out, network px
MIN_AREA_SHARE = 0.1  # of the box before the affine transform
MAX_ASPECT = 10.0

# Resolution to which an image is averaged before the warp, as a multiple of the result's. 1 would blur, because the
# warp interpolates between averages; much more would alias. 1.75 comes closest to a warp that is averaged afterwards.
_OVERSAMPLING = 1.75


def augment(
    image: NDArray[np.uint8],
    labels: ImageLabels,
    input_size: InputSize,
    rng: np.random.Generator,
    *,
    clip_boxes: bool = False,
) -> tuple[NDArray[np.uint8], ImageLabels]:
    """Return a random variation of an image at the network's input size, with its labels.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        labels: Labels in px of ``image``.
        input_size: Network input.
        rng: Source of the random numbers.
        clip_boxes: Cut the boxes at the border of the result, as for MOT20. Otherwise they reach beyond it.

    Returns:
        ``(input height, input width, 3)`` uint8 BGR, and the labels in network px. Boxes too small after the affine
        transform are left out; if none would be left, the affine transform is, as in the source.
    """
    return vary(image, labels, input_size, Variation.draw(rng), clip_boxes=clip_boxes)


def augment_for_teacher(
    image: NDArray[np.uint8],
    labels: ImageLabels,
    input_size: InputSize,
    rng: np.random.Generator,
    teacher_size: InputSize | None,
    *,
    clip_boxes: bool = False,
) -> tuple[NDArray[np.uint8], ImageLabels, NDArray[np.uint8] | None]:
    """Return the same as `augment`, and the same variation at a teacher's input size, if there is one.

    The teacher's image is warped from the image itself, so that it has the details that the student's lacks. Both show
    the same part of it, and `TeacherView` is the transform between them.
    """
    variation = Variation.draw(rng)
    variation, varied = _varied(image, labels, input_size, variation, clip_boxes=clip_boxes)
    letterbox = Letterbox(image.shape[1], image.shape[0], input_size)
    larger = None if teacher_size is None else _warp(image, letterbox, variation, teacher_size)
    return _warp(image, letterbox, variation), varied, larger


def vary(
    image: NDArray[np.uint8],
    labels: ImageLabels,
    input_size: InputSize,
    variation: Variation,
    *,
    clip_boxes: bool = False,
) -> tuple[NDArray[np.uint8], ImageLabels]:
    """Return the given variation of an image and its labels; see `augment`."""
    variation, varied = _varied(image, labels, input_size, variation, clip_boxes=clip_boxes)
    return _warp(image, Letterbox(image.shape[1], image.shape[0], input_size), variation), varied


def _varied(
    image: NDArray[np.uint8], labels: ImageLabels, input_size: InputSize, variation: Variation, *, clip_boxes: bool
) -> tuple[Variation, ImageLabels]:
    """Return the labels of a variation, and the variation itself: without an affine transform if none would be left."""
    letterbox = Letterbox(image.shape[1], image.shape[0], input_size)
    boxes = letterbox.to_network_px(labels.boxes)
    moved = _move(boxes, variation, input_size, clip_boxes=clip_boxes)
    kept = _large_enough(moved, boxes) & _inside(moved, input_size)
    if len(boxes) and not kept.any():
        variation = variation.without_affine()
        moved = _move(boxes, variation, input_size, clip_boxes=clip_boxes)
        kept = _inside(moved, input_size)
    ignored = _move(letterbox.to_network_px(labels.ignored), variation, input_size, clip_boxes=True)
    varied = ImageLabels(
        boxes=_flip(moved[kept], variation, input_size),
        ids=labels.ids[kept],
        class_ids=labels.class_ids[kept],
        ignored=_flip(ignored[_inside(ignored, input_size)], variation, input_size),
    )
    return variation, varied


def _move(
    boxes: NDArray[np.float32], variation: Variation, input_size: InputSize, *, clip_boxes: bool
) -> NDArray[np.float32]:
    """Return the ``(N, 4)`` boxes around the transformed corners, network px, slightly smaller the more they turn."""
    corners = boxes[:, [0, 1, 2, 3, 0, 3, 2, 1]].reshape(-1, 4, 2).astype(np.float64)
    matrix = variation.affine(input_size)
    corners = corners @ matrix[:2, :2].T + matrix[:2, 2]  # (N, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    angle = math.radians(variation.degrees)
    reduction = max(abs(math.sin(angle)), abs(math.cos(angle))) ** 0.5
    centres, halves = (low + high) / 2, (high - low) / 2 * reduction
    moved = np.concatenate([centres - halves, centres + halves], axis=1)
    if clip_boxes:
        moved = np.clip(moved, 0, [input_size.width, input_size.height] * 2)
    return moved.astype(np.float32)


def _large_enough(moved: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return ``(N,)``: whether a moved box is large and compact enough to train on, as `MOTRandomAffine` decides."""
    tiny = 1e-16
    width, height = moved[:, 2] - moved[:, 0], moved[:, 3] - moved[:, 1]
    area_before = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    aspect = np.maximum(width / (height + tiny), height / (width + tiny))
    share = width * height / (area_before + tiny)
    return (width > MIN_SIDE_PX) & (height > MIN_SIDE_PX) & (share > MIN_AREA_SHARE) & (aspect < MAX_ASPECT)


def _inside(boxes: NDArray[np.float32], input_size: InputSize) -> NDArray[np.bool_]:
    """Return ``(N,)``: whether a part of the box is in the image."""
    size = np.array([input_size.width, input_size.height], np.float32)
    visible = np.minimum(boxes[:, 2:], size) > np.maximum(boxes[:, :2], 0)
    return np.asarray(visible.all(axis=1), np.bool_)


def _flip(boxes: NDArray[np.float32], variation: Variation, input_size: InputSize) -> NDArray[np.float32]:
    if not variation.flip:
        return boxes
    width = np.float32(input_size.width)
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)


def _warp(
    image: NDArray[np.uint8], letterbox: Letterbox, variation: Variation, teacher_size: InputSize | None = None
) -> NDArray[np.uint8]:
    """Return the image averaged, warped to the network input or to a teacher's, and with its colours changed."""
    size, ratio, (pad_x, pad_y) = letterbox.input_size, letterbox.ratio, letterbox.padding
    view = TeacherView(size, teacher_size or size)
    matrix = variation.affine(size) @ [[ratio, 0, pad_x], [0, ratio, pad_y], [0, 0, 1]]
    if variation.flip:
        matrix = np.array([[-1, 0, size.width], [0, 1, 0], [0, 0, 1]]) @ matrix
    matrix, ratio = view.matrix @ matrix, ratio * view.zoom
    # An image smaller than the network input is enlarged as at inference.
    share = min(_OVERSAMPLING * ratio * variation.scale, max(1.0, ratio))
    if share != 1.0:
        width, height = (max(1, round(side * share)) for side in (letterbox.image_width, letterbox.image_height))
        matrix = matrix @ np.diag([letterbox.image_width / width, letterbox.image_height / height, 1])
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    matrix[:2, 2] += matrix[:2, :2] @ [0.5, 0.5] - 0.5  # OpenCV's coordinates are 0 at the centre of the first pixel
    grey = _grey_before(variation)
    warped = cv2.warpAffine(
        image,
        matrix[:2],
        (view.teacher.width, view.teacher.height),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(grey,) * 3,
    )
    return _change_colours(np.asarray(warped, np.uint8), variation)


def _grey_before(variation: Variation) -> int:
    """Return the grey that becomes `LETTERBOX_GREY` when the colours are changed."""
    return min(255, math.ceil(LETTERBOX_GREY / variation.brightness))


def _change_colours(image: NDArray[np.uint8], variation: Variation) -> NDArray[np.uint8]:
    levels = np.arange(256, dtype=np.float32)
    factors = np.array([1, variation.saturation, variation.brightness], np.float32)
    table = np.minimum(levels[:, None] * factors, 255).astype(np.uint8)  # cut off, not rounded, as in the source
    table[_grey_before(variation), 2] = LETTERBOX_GREY
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    return np.asarray(cv2.cvtColor(cv2.LUT(hsv, table.reshape(1, 256, 3)), cv2.COLOR_HSV2BGR), np.uint8)
