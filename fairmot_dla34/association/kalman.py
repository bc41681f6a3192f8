"""Constant-velocity Kalman filter on many boxes at once.

State: centre x, centre y, aspect (width / height), height and their velocities per unit of time. The model is that of
``ppdet/modeling/mot/motion/kalman_filter.py``, which is deep_sort's. Its noise is diagonal and each measured value
depends on one coordinate only, so the four coordinates never become correlated: the 8x8 covariance consists of four
2x2 blocks, and only these are stored. Every step is arithmetic on whole arrays, in float32 as in the reference.

The unit of time is the one that `Noise` is given in; in the reference it is the frame.

A covariance is a ``(N, 3, 4)`` array: variance of the position, covariance of position and velocity, and variance of
the velocity, for each of the four coordinates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

CHI2_95_4DOF = 9.4877  # 0.95 quantile of chi-square with 4 degrees of freedom: ``chi2inv95`` of the reference

_HEIGHT = 3
_MAX_TIME = 1e6  # units of time; variances grow with its cube and overflow float32 beyond


class Noise(NamedTuple):
    """Standard deviations of the motion model; the defaults are the reference's.

    Those of x, y and height are shares of the height of the box, those of the aspect are absolute.

    Attributes:
        position: Noise that the position gains per unit of time.
        velocity: Noise that the velocity gains per unit of time.
        measurement: Noise of a measured position.
        aspect: Noise that the aspect gains per unit of time.
        aspect_velocity: Noise that the velocity of the aspect gains per unit of time.
        aspect_measurement: Noise of a measured aspect.
    """

    position: float = 1 / 20
    velocity: float = 1 / 160
    measurement: float = 1 / 20
    aspect: float = 1e-2
    aspect_velocity: float = 1e-5
    aspect_measurement: float = 1e-1


DEEP_SORT = Noise()


def initiate(measurements: FloatArray, noise: Noise = DEEP_SORT) -> tuple[FloatArray, FloatArray]:
    """Return the states of new tracks: at the measured position, with velocity zero.

    Args:
        measurements: ``(N, 4)`` centre x, centre y, aspect, height in image px; height > 0.
        noise: Noise of the motion model.

    Returns:
        Means ``(N, 8)`` and covariances ``(N, 3, 4)``.
    """
    mean = np.zeros((len(measurements), 8), np.float32)
    mean[:, :4] = measurements
    height = measurements[:, _HEIGHT]
    covariance = np.zeros((len(measurements), 3, 4), np.float32)
    covariance[:, 0] = _variance(2 * noise.position, height, noise.aspect)
    covariance[:, 2] = _variance(10 * noise.velocity, height, noise.aspect_velocity)
    return mean, covariance


def predict(
    mean: FloatArray, covariance: FloatArray, time: float = 1.0, noise: Noise = DEEP_SORT
) -> tuple[FloatArray, FloatArray]:
    """Move every state forward in time.

    For a whole number of units the result equals that of as many steps of one unit, if the height does not change: the
    velocity noise of each step moves the position in all later steps, hence the sums 0 + 1 + ... + (time - 1) and
    0 + 1 + 4 + ... + (time - 1)^2.

    Args:
        mean: ``(N, 8)`` means.
        covariance: ``(N, 3, 4)`` covariances.
        time: Units of time, > 0.
        noise: Noise of the motion model.

    Returns:
        New means ``(N, 8)`` and covariances ``(N, 3, 4)``; the arguments are not changed.
    """
    time = min(time, _MAX_TIME)
    height = mean[:, _HEIGHT]
    position, cross, velocity = covariance[:, 0], covariance[:, 1], covariance[:, 2]
    position_noise = _variance(noise.position, height, noise.aspect)
    velocity_noise = _variance(noise.velocity, height, noise.aspect_velocity)
    moved_mean = mean.copy()
    moved_mean[:, :4] += time * mean[:, 4:]
    moved = np.empty_like(covariance)
    moved_cross = cross + time * velocity
    moved[:, 0] = (position + time * cross) + time * moved_cross + time * position_noise
    moved[:, 1] = moved_cross
    moved[:, 2] = velocity + time * velocity_noise
    if time > 1:
        moved[:, 0] += time * (time - 1) * (2 * time - 1) / 6 * velocity_noise
        moved[:, 1] += time * (time - 1) / 2 * velocity_noise
    return moved_mean, moved


def project(mean: FloatArray, covariance: FloatArray, noise: Noise = DEEP_SORT) -> tuple[FloatArray, FloatArray]:
    """Return the expected measurement of every state.

    Args:
        mean: ``(N, 8)`` means.
        covariance: ``(N, 3, 4)`` covariances.
        noise: Noise of the motion model.

    Returns:
        Expected measurements ``(N, 4)`` and their variances ``(N, 4)``, which include the measurement noise.
    """
    variance = _variance(noise.measurement, mean[:, _HEIGHT], noise.aspect_measurement)
    return mean[:, :4], covariance[:, 0] + variance


def update(
    mean: FloatArray, covariance: FloatArray, measurements: FloatArray, noise: Noise = DEEP_SORT
) -> tuple[FloatArray, FloatArray]:
    """Correct every state by its measurement.

    Args:
        mean: ``(N, 8)`` means.
        covariance: ``(N, 3, 4)`` covariances.
        measurements: ``(N, 4)`` centre x, centre y, aspect, height in image px, one per state.
        noise: Noise of the motion model.

    Returns:
        New means ``(N, 8)`` and covariances ``(N, 3, 4)``; the arguments are not changed.
    """
    expected, variance = project(mean, covariance, noise)
    gain = covariance[:, :2] / variance[:, None]  # (N, 2, 4): gain of the position, gain of the velocity
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
    """Return the squared Mahalanobis distance of every measurement from every state; its gate is ``CHI2_95_4DOF``.

    Args:
        mean: ``(N, 8)`` means.
        covariance: ``(N, 3, 4)`` covariances.
        measurements: ``(M, 4)`` centre x, centre y, aspect, height in image px.

    Returns:
        ``(N, M)``; element (i, j) is the distance of measurement j from state i.
    """
    expected, variance = project(mean, covariance)
    scale = 1 / np.sqrt(variance)
    distance = np.zeros((len(mean), len(measurements)), np.float32)
    offset = np.empty_like(distance)  # reused: allocating a large array takes longer than filling it
    for coordinate, measured in enumerate(np.ascontiguousarray(measurements.T)):  # contiguous rows add up faster
        np.subtract(measured, expected[:, None, coordinate], out=offset)
        offset *= scale[:, None, coordinate]
        offset *= offset
        distance += offset
    return distance


def _variance(weight: float, height: FloatArray, aspect_std: float) -> FloatArray:
    """Return the variances ``(N, 4)`` of x, y, aspect and height."""
    std = np.empty((len(height), 4), np.float32)
    std[:] = (weight * height)[:, None]
    std[:, 2] = aspect_std
    return np.square(std)
