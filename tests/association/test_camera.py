"""Camera motion estimated from people: found while they walk, and zero for a camera at rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.association.camera import CameraMotion


def street(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    corner = rng.uniform((0, 0), (1800, 700), (count, 2))
    height = rng.uniform(80, 200, count)
    return np.column_stack([corner, corner[:, 0] + 0.4 * height, corner[:, 1] + height]).astype(np.float32)


def shaken(camera: CameraMotion, strength: float, frames: int = 60, seed: int = 0) -> list[float]:
    """Let people walk in front of a camera that shakes; return the errors of its motion, px."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(frames):
        predicted = street(rng, 12)
        jerk = rng.normal(0, strength, 2)
        walked = np.tile(rng.normal(0, 3, (12, 2)), 2)
        detected = (predicted + walked + np.tile(jerk, 2)).astype(np.float32)
        errors.append(float(np.hypot(*(camera.estimate(predicted, detected) - jerk))))
    return errors


def test_the_motion_of_a_shaking_camera_is_found_while_people_walk() -> None:
    camera = CameraMotion()
    errors = shaken(camera, 20.0)
    assert np.median(errors[10:]) < 3
    assert camera.variance**0.5 > 0.05  # heights of a person


def test_a_jerk_by_half_a_box_is_found_at_once() -> None:
    rng = np.random.default_rng(0)
    predicted = street(rng, 20)
    walked = np.tile(rng.normal(0, 2, (20, 2)), 2)
    detected = predicted + walked + np.tile([22.0, -9.0], 2)
    np.testing.assert_allclose(CameraMotion().estimate(predicted, detected.astype(np.float32)), [22, -9], atol=3)


def test_a_camera_at_rest_is_hardly_moved_by_the_steps_of_people() -> None:
    camera = CameraMotion()
    errors = shaken(camera, 0.0)
    assert np.mean(errors[-40:]) < 1.3  # the mean of twelve steps is off by 3 px / sqrt(12) in x and in y
    assert camera.variance**0.5 < 0.01


def test_a_camera_at_rest_has_no_shift_while_some_people_run() -> None:
    rng = np.random.default_rng(1)
    predicted = street(rng, 20)
    detected = predicted.copy()
    detected[:6, [0, 2]] += 15
    np.testing.assert_allclose(CameraMotion().estimate(predicted, detected), 0, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_people_give_no_shift(count: int) -> None:
    boxes = street(np.random.default_rng(2), count).reshape(-1, 4)
    assert CameraMotion().estimate(boxes, boxes + 10).tolist() == [0, 0]
    assert CameraMotion().estimate(street(np.random.default_rng(3), 9), boxes).tolist() == [0, 0]


def test_boxes_without_pairs_give_no_shift() -> None:
    boxes = street(np.random.default_rng(4), 30)
    assert CameraMotion().estimate(boxes, boxes + 1e5).tolist() == [0, 0]


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40))
def test_any_boxes_give_a_finite_shift(seed: int, count_a: int, count_b: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = [
        np.hstack([corner, corner + 10.0 ** rng.uniform(-3, 5, (len(corner), 2))]).astype(np.float32)
        for corner in (rng.normal(0, 10.0 ** rng.integers(0, 6), (count, 2)) for count in (count_a, count_b))
    ]
    boxes[0][:, 3] -= rng.choice([0, 1e6])  # a filter may predict a height below 0
    camera = CameraMotion()
    assert np.isfinite(camera.estimate(*boxes)).all()
    assert np.isfinite(camera.variance)
