"""Vectorised Kalman filter, compared with full matrices: a wrong variance would lose people who turn or stop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.association import kalman

F = np.eye(8) + np.eye(8, k=4)  # constant velocity, one frame
H = np.eye(4, 8)


class Textbook:
    """One textbook Kalman filter with 8x8 matrices, in float64."""

    def __init__(self, z: NDArray[np.float64]) -> None:
        height = z[3]
        std = np.array([height / 10, height / 10, 1e-2, height / 10, height / 16, height / 16, 1e-5, height / 16])
        self.x, self.P = np.r_[z, np.zeros(4)], np.diag(std**2)

    def predict(self) -> None:
        h = self.x[3]
        std = np.array([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160])
        self.x, self.P = F @ self.x, F @ self.P @ F.T + np.diag(std**2)

    def expected(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        h = self.x[3]
        return H @ self.x, H @ self.P @ H.T + np.diag(np.array([h / 20, h / 20, 1e-1, h / 20]) ** 2)

    def update(self, z: NDArray[np.float64]) -> None:
        mean, variance = self.expected()
        gain = self.P @ H.T @ np.linalg.inv(variance)
        self.x, self.P = self.x + gain @ (z - mean), self.P - gain @ variance @ gain.T

    def distance(self, z: NDArray[np.float64]) -> float:
        mean, variance = self.expected()
        return float((z - mean) @ np.linalg.inv(variance) @ (z - mean))


def measurements(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    return np.column_stack(
        [
            rng.uniform(0, 1900, count),
            rng.uniform(0, 1000, count),
            rng.uniform(0.3, 1, count),
            rng.uniform(20, 300, count),
        ]
    ).astype(np.float32)


def full(covariance: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the 8x8 matrix of one ``(3, 4)`` covariance."""
    position, cross, velocity = map(np.diag, covariance)
    return np.block([[position, cross], [cross, velocity]])


@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), max_size=25))
def test_equals_the_textbook_over_any_history(seed: int, measured: list[bool]) -> None:
    """``measured`` has one entry per frame after the first: whether the frame has a measurement."""
    rng = np.random.default_rng(seed)
    z = measurements(rng, 3)
    mean, covariance = kalman.initiate(z)
    textbook = [Textbook(row.astype(float)) for row in z]
    for has_measurement in measured:
        mean, covariance = kalman.predict(mean, covariance)
        for filter_ in textbook:
            filter_.predict()
        z = z + rng.normal(0, 1, z.shape).astype(np.float32) * np.array([3, 3, 0.01, 1], np.float32)
        distance = kalman.gating_distance(mean, covariance, z)
        expected = [[filter_.distance(row) for row in z] for filter_ in textbook]
        np.testing.assert_allclose(distance, expected, rtol=1e-2, atol=1e-2)
        if has_measurement:
            mean, covariance = kalman.update(mean, covariance, z)
            for filter_, row in zip(textbook, z, strict=True):
                filter_.update(row)
    for i, filter_ in enumerate(textbook):
        np.testing.assert_allclose(mean[i], filter_.x, rtol=1e-4, atol=5e-3)
        np.testing.assert_allclose(full(covariance[i]), filter_.P, rtol=1e-3, atol=1e-6 * filter_.P.max())


def test_a_straight_walk_is_predicted() -> None:
    z = np.array([[100, 200, 0.5, 100]], np.float32)
    mean, covariance = kalman.initiate(z)
    for _ in range(60):
        mean, covariance = kalman.predict(mean, covariance)
        z[:, 0] += 4
        mean, covariance = kalman.update(mean, covariance, z)
    ahead, _ = kalman.predict(mean, covariance)
    assert ahead[0, 0] == pytest.approx(z[0, 0] + 4, abs=0.1)


def test_arguments_are_not_changed_and_results_are_float32() -> None:
    z = measurements(np.random.default_rng(0), 5)
    mean, covariance = kalman.initiate(z)
    copies = z.copy(), mean.copy(), covariance.copy()
    results = [
        *kalman.predict(mean, covariance),
        *kalman.update(mean, covariance, z),
        kalman.gating_distance(mean, covariance, z),
    ]
    for array, copy in zip((z, mean, covariance), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert {array.dtype for array in results} == {np.dtype(np.float32)}


def test_empty_arrays_are_accepted() -> None:
    mean, covariance = kalman.initiate(np.zeros((0, 4), np.float32))
    assert kalman.predict(mean, covariance)[0].shape == (0, 8)
    assert kalman.gating_distance(mean, covariance, np.ones((3, 4), np.float32)).shape == (0, 3)
    mean, covariance = kalman.initiate(np.ones((2, 4), np.float32))
    assert kalman.gating_distance(mean, covariance, np.zeros((0, 4), np.float32)).shape == (2, 0)


def test_variances_stay_positive_over_a_long_video() -> None:
    """float32 must be precise enough for hours of video: a negative variance would lead to NaN."""
    z = np.array([[500, 300, 0.4, 80]], np.float32)
    mean, covariance = kalman.initiate(z)
    for frame in range(20_000):
        mean, covariance = kalman.predict(mean, covariance)
        if frame % 7:
            mean, covariance = kalman.update(mean, covariance, z)
    assert np.isfinite(mean).all()
    assert (np.linalg.eigvalsh(full(covariance[0].astype(float))) > 0).all()
