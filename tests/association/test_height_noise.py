"""The running noise of heights, and the weight that heights get from it."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association.height_noise import HeightNoise


def after(noise: float, frames: int = 200, people: int = 10) -> HeightNoise:
    rng = np.random.default_rng(0)
    heights = HeightNoise()
    for _ in range(frames):
        predicted = rng.uniform(30, 300, people).astype(np.float32)
        heights.add(predicted, predicted * np.exp(rng.normal(0, noise, people)).astype(np.float32))
    return heights


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
def test_the_noise_is_found(noise: float) -> None:
    assert after(noise).std == pytest.approx(noise, rel=0.3)


def test_heights_count_if_they_are_exact() -> None:
    assert HeightNoise().exponent == 0
    assert after(0.01).exponent == 2
    assert 0.3 < after(0.03).exponent < 2
    assert after(0.1).exponent == 0


def test_few_outliers_change_nothing() -> None:
    heights = after(0.01)
    for _ in range(50):
        heights.add(np.full(10, 100, np.float32), np.array([300, 20, *[101] * 8], np.float32))
    assert heights.std < 0.02


def test_predicted_heights_of_nothing_are_finite() -> None:
    heights = HeightNoise()
    heights.add(np.array([0, -5, 100], np.float32), np.array([50, 60, 100], np.float32))
    assert np.isfinite(heights.std)
    heights.add(np.zeros(0, np.float32), np.zeros(0, np.float32))
    assert np.isfinite(heights.exponent)
