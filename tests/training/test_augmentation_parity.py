"""Comparison of the augmentation with PaddleDetection's reader, with equal random numbers.

A user who trained with PaddleDetection must get the same boxes. Images are sampled another way on purpose, so they are
compared on a soft image, which hardly depends on it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.training.batches.augmentation import vary
from fairmot_dla34.training.batches.variation import Variation

pytestmark = [pytest.mark.paddle, pytest.mark.filterwarnings("default")]

BOX_TOLERANCE_PX = 1e-3


def _paddle(
    image: NDArray[np.uint8], labels: ImageLabels, size: InputSize, variation: Variation, patch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Return PaddleDetection's sample after the operators of ``fairmot_reader_1088x608.yml``, boxes in xyxy px."""
    from ppdet.data.transform import mot_operators, operators

    height, width = image.shape[:2]
    centres, sides = (labels.boxes[:, :2] + labels.boxes[:, 2:]) / 2, labels.boxes[:, 2:] - labels.boxes[:, :2]
    boxes = np.concatenate([centres, sides], axis=1) / np.array([width, height] * 2)
    sample: dict[str, Any] = {
        "image": image.copy(),
        "im_shape": np.array([height, width], np.float32),
        "gt_bbox": boxes.astype(np.float32),
        "gt_class": labels.class_ids[:, None].astype(np.int32),
        "gt_ide": labels.ids[:, None].astype(np.int32),
    }
    numbers = _numbers(variation)
    patch.setattr(random, "random", lambda: next(numbers))
    patch.setattr(np.random, "uniform", lambda low, high: low if variation.flip else high)
    for operator in (
        operators.AugmentHSV(),
        mot_operators.LetterBoxResize([size.height, size.width]),
        mot_operators.MOTRandomAffine(reject_outside=False),
        operators.RandomFlip(),
    ):
        sample = operator.apply(sample)
    assert next(numbers, None) is None  # all were used
    return sample


def _numbers(variation: Variation) -> Iterator[float]:
    """Yield the numbers from 0 to 1 that make PaddleDetection's operators draw the same variation."""
    yield variation.saturation - 0.5
    yield variation.brightness - 0.5
    yield (variation.degrees + 5) / 10
    yield (variation.scale - 0.5) / 0.7
    for shift in (variation.shift_x, variation.shift_y):
        yield (shift / 0.1 + 1) / 2
    for shear in (variation.shear_x, variation.shear_y):
        yield (shear + 2) / 4


def _scene(rng: np.random.Generator, width: int, height: int) -> tuple[NDArray[np.uint8], ImageLabels]:
    """Return a soft image and boxes of all sizes, some of them beyond the image."""
    noise = rng.integers(0, 256, (6, 8, 3), np.uint8)
    image = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    heights = np.exp(rng.uniform(np.log(6), np.log(height), 60))
    sides = np.stack([heights * np.exp(rng.uniform(-2.6, 0.5, 60)), heights], axis=1)
    centres = rng.uniform(-0.1, 1.1, (60, 2)) * [width, height]
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).astype(np.float32)
    return image, ImageLabels(boxes, np.arange(60), np.zeros(60, np.int64), np.empty((0, 4), np.float32))


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (480, 360), (600, 1100)])
@pytest.mark.parametrize("size", [InputSize(1088, 608), InputSize(576, 320)], ids=str)
def test_boxes_and_images_are_those_of_paddledetection(
    width: int, height: int, size: InputSize, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(width + size.width)
    left_out = 0
    for _ in range(12):
        variation = Variation.draw(rng)
        image, labels = _scene(rng, width, height)
        with monkeypatch.context() as patch:
            sample = _paddle(image, labels, size, variation, patch)
        varied, moved = vary(image, labels, size, variation)
        expected, ids = sample["gt_bbox"], sample["gt_ide"][:, 0]
        inside = np.isin(ids, moved.ids)
        assert np.array_equal(ids[inside], moved.ids)
        assert np.abs(expected[inside] - moved.boxes).max() < BOX_TOLERANCE_PX
        beyond = (expected[:, 2:] <= 0) | (expected[:, :2] >= [size.width, size.height])
        assert beyond.any(axis=1)[~inside].all()  # only people without any part in the image are left out
        left_out += int((~inside).sum())
        difference = np.abs(varied.astype(float) - sample["image"])
        assert difference.mean() < 1.5
        assert np.quantile(difference, 0.95) < 6
    assert left_out


def test_without_anyone_left_the_image_is_not_warped_there_either(monkeypatch: pytest.MonkeyPatch) -> None:
    size = InputSize(576, 320)
    image, labels = _scene(np.random.default_rng(0), 576, 320)
    narrow = replace(labels, boxes=np.array([[50, 20, 53, 90]] * 60, np.float32))
    variation = Variation(scale=0.6, degrees=3, flip=True)
    with monkeypatch.context() as patch:
        sample = _paddle(image, narrow, size, variation, patch)
    varied, moved = vary(image, narrow, size, variation)
    assert np.abs(sample["gt_bbox"] - moved.boxes).max() < BOX_TOLERANCE_PX
    assert np.abs(varied.astype(float) - sample["image"]).max() < 3
