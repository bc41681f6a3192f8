"""A constant-velocity Kalman filter on many boxes at once.

State: centre x, centre y, aspect (width / height), height and their velocities per frame. The model is the one of
``ppdet/modeling/mot/motion/kalman_filter.py``, which is deep_sort's. Its noise is diagonal and a measurement sees
each coordinate by itself, so the four coordinates never become correlated: the 8x8 covariance holds 4 blocks of
2x2, and only these are kept. Every step is then arithmetic on whole arrays, in float32 as in the reference.

A covariance is an ``(N, 3, 4)`` array: variance of the position, covariance of position and velocity, variance of
the velocity, for each of the four coordinates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

CHI2_95_4DOF = 9.4877  # 0.95 quantile of chi-square with 4 degrees of freedom: ``chi2inv95`` of the reference

# Standard deviations: those of x, y and height are proportional to the height, that of the aspect is constant.
_POSITION_WEIGHT = 1 / 20
_VELOCITY_WEIGHT = 1 / 160
_ASPECT_STD = 1e-2
_ASPECT_VELOCITY_STD = 1e-5
_ASPECT_MEASUREMENT_STD = 1e-1
_HEIGHT = 3


def initiate(measurements: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Start tracks that rest where they were first seen.

    Args:
        measurements: ``(N, 4)`` centre x, centre y, aspect, height in image px; height > 0.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``.
    """
    mean = np.zeros((len(measurements), 8), np.float32)
    mean[:, :4] = measurements
    height = measurements[:, _HEIGHT]
    covariance = np.zeros((len(measurements), 3, 4), np.float32)
    covariance[:, 0] = _variance(2 * _POSITION_WEIGHT, height, _ASPECT_STD)
    covariance[:, 2] = _variance(10 * _VELOCITY_WEIGHT, height, _ASPECT_VELOCITY_STD)
    return mean, covariance


def predict(mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Move every state one frame on.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``; the arguments are left as they are.
    """
    height = mean[:, _HEIGHT]
    position, cross, velocity = covariance[:, 0], covariance[:, 1], covariance[:, 2]
    moved_mean = mean.copy()
    moved_mean[:, :4] += mean[:, 4:]
    moved = np.empty_like(covariance)
    moved[:, 0] = (position + cross) + (cross + velocity) + _variance(_POSITION_WEIGHT, height, _ASPECT_STD)
    moved[:, 1] = cross + velocity
    moved[:, 2] = velocity + _variance(_VELOCITY_WEIGHT, height, _ASPECT_VELOCITY_STD)
    return moved_mean, moved


def project(mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Say what a measurement of every state would look like.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.

    Returns:
        Expected measurements ``(N, 4)`` and their variances ``(N, 4)``, measurement noise included.
    """
    noise = _variance(_POSITION_WEIGHT, mean[:, _HEIGHT], _ASPECT_MEASUREMENT_STD)
    return mean[:, :4], covariance[:, 0] + noise


def update(mean: FloatArray, covariance: FloatArray, measurements: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correct every state by its measurement.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        measurements: ``(N, 4)`` centre x, centre y, aspect, height in image px, one per state.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``; the arguments are left as they are.
    """
    expected, variance = project(mean, covariance)
    gain = covariance[:, :2] / variance[:, None]  # (N, 2, 4): on the position, on the velocity
    innovation = measurements - expected
    corrected_mean = mean.copy()
    corrected_mean[:, :4] += innovation * gain[:, 0]
    corrected_mean[:, 4:] += innovation * gain[:, 1]
    weighted = gain * variance[:, None]
    corrected = covariance.copy()
    corrected[:, :2] -= weighted * gain[:, :1]
    corrected[:, 2] -= weighted[:, 1] * gain[:, 1]
    return corrected_mean, corrected


def gating_distance(mean: FloatArray, covariance: FloatArray, measurements: FloatArray) -> FloatArray:
    """Squared Mahalanobis distance of every measurement from every state; compare it with ``CHI2_95_4DOF``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        measurements: ``(M, 4)`` centre x, centre y, aspect, height in image px.

    Returns:
        ``(N, M)``; element (i, j) is the distance of measurement j from state i.
    """
    expected, variance = project(mean, covariance)
    scale = 1 / np.sqrt(variance)
    distance = np.zeros((len(mean), len(measurements)), np.float32)
    offset = np.empty_like(distance)  # one buffer: large arrays cost more to allocate than to fill
    for coordinate, measured in enumerate(np.ascontiguousarray(measurements.T)):  # contiguous rows add up faster
        np.subtract(measured, expected[:, None, coordinate], out=offset)
        offset *= scale[:, None, coordinate]
        offset *= offset
        distance += offset
    return distance


def _variance(weight: float, height: FloatArray, aspect_std: float) -> FloatArray:
    """``(N, 4)`` variances of x, y, aspect and height."""
    std = np.empty((len(height), 4), np.float32)
    std[:] = (weight * height)[:, None]
    std[:, 2] = aspect_std
    return np.square(std)
