"""Augmented images show each person where the labels say; a user would otherwise train on shifted boxes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.geometry import LETTERBOX_GREY, Letterbox
from fairmot_dla34.training.batches.augmentation import augment, vary
from fairmot_dla34.training.batches.variation import Variation

SIZE = InputSize(192, 128)


def _labels(boxes: object, ignored: object = ()) -> ImageLabels:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    ids, areas = np.arange(len(array), dtype=np.int64), np.array(ignored, np.float32).reshape(-1, 4)
    return ImageLabels(array, ids, np.zeros(len(array), np.int64), areas)


def _with_rectangle(width: int, height: int, box: NDArray[np.float32]) -> NDArray[np.uint8]:
    image = np.full((height, width, 3), LETTERBOX_GREY, np.uint8)
    left, top, right, bottom = box.astype(int)
    image[top:bottom, left:right] = 255
    return image


def _variations() -> st.SearchStrategy[Variation]:
    drawn = st.integers(0, 2**32 - 1).map(lambda seed: Variation.draw(np.random.default_rng(seed)))
    return drawn.map(lambda variation: replace(variation, saturation=1.0, brightness=1.0))


def _centre_errors(variation: Variation, width: int, height: int) -> NDArray[np.float64] | None:
    """Return x and y between the centre of the drawn rectangle and that of its box, or None if it is cut."""
    box = np.round(np.array([width * 0.35, height * 0.3, width * 0.65, height * 0.7])).astype(np.float32)
    image, labels = vary(_with_rectangle(width, height, box), _labels(box), SIZE, variation)
    weights = image[..., 0].astype(float) - LETTERBOX_GREY
    (left, top, right, bottom), rows, columns = labels.boxes[0], *np.indices(weights.shape) + 0.5
    if left < 1 or top < 1 or right > SIZE.width - 1 or bottom > SIZE.height - 1:
        return None
    inside = columns[weights > 64], rows[weights > 64]
    for low, high, pixels in ((left, right, inside[0]), (top, bottom, inside[1])):
        assert pixels.min() == pytest.approx(low + 0.5, abs=1.2)
        assert pixels.max() == pytest.approx(high - 0.5, abs=1.2)
    centre = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
    return np.asarray(centre - [(left + right) / 2, (top + bottom) / 2], np.float64)


@given(variation=_variations(), width=st.integers(120, 900), height=st.integers(100, 700))
@settings(max_examples=60, deadline=None)
def test_a_drawn_rectangle_is_where_its_box_says(variation: Variation, width: int, height: int) -> None:
    errors = _centre_errors(variation, width, height)
    assert errors is None or np.abs(errors).max() < 0.5


def test_boxes_are_not_shifted_on_average() -> None:
    """Half a pixel of the source or of the result, which a single image hides in its rounding, would be seen."""
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(300):
        variation = replace(Variation.draw(rng), saturation=1.0, brightness=1.0)
        if (error := _centre_errors(variation, int(rng.integers(120, 900)), int(rng.integers(100, 700)))) is not None:
            errors.append(error)
    assert len(errors) > 200
    assert np.abs(np.mean(errors, axis=0)).max() < 0.01
    assert np.std(errors, axis=0).max() < 0.05


@given(variation=_variations(), width=st.integers(120, 900), height=st.integers(100, 700))
@settings(max_examples=40, deadline=None)
def test_ignored_areas_move_as_boxes_do(variation: Variation, width: int, height: int) -> None:
    box = [width * 0.4, height * 0.4, width * 0.6, height * 0.6]
    image = np.zeros((height, width, 3), np.uint8)
    _, labels = vary(image, _labels(box, ignored=box), SIZE, variation, clip_boxes=True)
    assert np.allclose(labels.ignored, labels.boxes, atol=1e-4)


def test_two_flips_are_none() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (SIZE.height, SIZE.width, 1), np.uint8).repeat(3, axis=2)
    labels = _labels([[10, 20, 30.5, 60], [-5, 4, 12, 50]], ignored=[[100, 0, 120, 30]])
    image, flipped = vary(grey, labels, SIZE, Variation(flip=True))
    assert np.array_equal(image, grey[:, ::-1])
    assert np.allclose(flipped.boxes[0], [SIZE.width - 30.5, 20, SIZE.width - 10, 60])
    image, again = vary(image, flipped, SIZE, Variation(flip=True))
    assert np.array_equal(image, grey)
    assert np.allclose(again.boxes, labels.boxes)
    assert np.allclose(again.ignored, labels.ignored)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (480, 360), (100, 75)])
def test_an_image_looks_as_at_inference(width: int, height: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    image = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    varied, _ = vary(image, ImageLabels.empty(), SIZE, Variation())
    expected = Letterbox(width, height, SIZE).apply(image)
    assert np.abs(varied.astype(int) - expected).mean() < 0.04 * 255


@pytest.mark.parametrize(("width", "height"), [(1, 1), (4000, 2), (2, 4000), (7, 5)])
def test_images_of_odd_sizes_are_varied(width: int, height: int) -> None:
    for seed in range(5):
        image, labels = np.full((height, width, 3), 255, np.uint8), _labels([0, 0, width, height])
        varied, _ = augment(image, labels, SIZE, np.random.default_rng(seed))
        assert varied.shape == (SIZE.height, SIZE.width, 3)
        assert varied.max() >= LETTERBOX_GREY


def test_shrinking_averages() -> None:
    """A person far away must not turn into noise: stripes of one px become grey, as in `cv2.INTER_AREA`."""
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[:, ::2] = 200
    varied, _ = vary(image, ImageLabels.empty(), SIZE, Variation(scale=1.0))
    middle = varied[30:-30, 10:-10].astype(int)
    assert abs(middle.mean() - 100) < 2
    assert middle.std() < 6


def test_boxes_reach_beyond_the_image_unless_they_are_clipped() -> None:
    image, labels = np.zeros((SIZE.height, SIZE.width, 3), np.uint8), _labels([[-20, 30, 20, 140], [50, 20, 80, 90]])
    _, kept = vary(image, labels, SIZE, Variation())
    assert np.allclose(kept.boxes, labels.boxes)
    _, clipped = vary(image, labels, SIZE, Variation(), clip_boxes=True)
    assert np.allclose(clipped.boxes, [[0, 30, 20, 128], [50, 20, 80, 90]])


def test_people_out_of_sight_or_too_small_are_left_out_with_their_ids() -> None:
    boxes = [[50, 20, 80, 90], [0, 0, 10, 30], [100, 50, 106, 90], [90, 10, 98, 100]]
    image = np.zeros((SIZE.height, SIZE.width, 3), np.uint8)
    away = Variation(scale=0.6, shift_x=-0.6)  # the second leaves the image, the third is below 4 px, the fourth narrow
    _, labels = vary(image, _labels(boxes), SIZE, away)
    assert labels.ids.tolist() == [0]
    assert labels.class_ids.tolist() == [0]


def test_without_anyone_left_the_affine_transform_is_left_out() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIZE.height, SIZE.width, 3), np.uint8)
    labels = _labels([[50, 20, 53, 90]])
    far = Variation(scale=0.5, shift_x=0.1, flip=True)
    varied, kept = vary(image, labels, SIZE, far)
    plain, _ = vary(image, labels, SIZE, Variation(flip=True))
    assert np.array_equal(varied, plain)
    assert np.allclose(kept.boxes, [[SIZE.width - 53, 20, SIZE.width - 50, 90]])


def test_an_image_without_people_is_varied() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    varied, labels = vary(image, ImageLabels.empty(), SIZE, Variation(degrees=5))
    assert len(labels) == 0
    assert not np.array_equal(varied, vary(image, ImageLabels.empty(), SIZE, Variation())[0])


@pytest.mark.parametrize("brightness", np.linspace(0.5, 1.5, 11))
def test_padding_is_as_grey_as_at_inference(brightness: float) -> None:
    image = np.zeros((100, 400, 3), np.uint8)
    varied, _ = vary(image, ImageLabels.empty(), SIZE, Variation(brightness=brightness, saturation=1.5))
    assert (varied[:20] == LETTERBOX_GREY).all()
    assert (varied[50:70] == 0).all()


def test_colours_change_by_their_factors() -> None:
    image = np.full((SIZE.height, SIZE.width, 3), (40, 80, 120), np.uint8)  # V = 120, S = 170
    varied, _ = vary(image, ImageLabels.empty(), SIZE, Variation(saturation=0.5, brightness=1.5))
    hue, saturation, value = cv2.cvtColor(varied, cv2.COLOR_BGR2HSV)[60, 60].tolist()
    assert hue == cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[0, 0, 0]
    assert saturation == pytest.approx(85, abs=1)
    assert value == pytest.approx(180, abs=1)


def test_equal_seeds_give_equal_images_and_the_numbers_are_in_range() -> None:
    image, labels = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8), _labels([[40, 30, 80, 80]])
    first, second = (augment(image, labels, SIZE, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1].boxes, second[1].boxes)
    rng = np.random.default_rng(1)
    drawn = [Variation.draw(rng) for _ in range(2000)]
    for name, low, high in (
        ("saturation", 0.5, 1.5), ("brightness", 0.5, 1.5), ("degrees", -5, 5), ("scale", 0.5, 1.2),
        ("shift_x", -0.1, 0.1), ("shift_y", -0.1, 0.1), ("shear_x", -2, 2), ("shear_y", -2, 2), ("flip", 0, 1),
    ):  # fmt: skip
        values = np.array([getattr(variation, name) for variation in drawn], float)
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.04 * (high - low))
