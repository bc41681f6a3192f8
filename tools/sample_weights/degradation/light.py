"""Random changes of the light and of the colours, before a camera's optics: exposure, night, infrared, shadows, haze.

Every function takes an ``(H, W, 3)`` uint8 BGR image and a generator, and returns a new image of the same shape.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_GREY = np.array([0.114, 0.587, 0.299])  # BT.601 luma of BGR
_LEVELS = np.arange(256) / 255
_LEAST_MEAN, _MOST_MEAN, _LEAST_DEVIATION, _MOST_GAIN = 36.0, 205.0, 14.0, 2.5  # levels of 0 to 255
_SMALL = 64  # smallest common side of the maps of glow: they have no detail


def jitter_colours(image: Image, rng: np.random.Generator, share: float = 1.0) -> Image:
    """Change hue, saturation and brightness a little; ``share`` scales the ranges."""
    return _recolour(
        image,
        hue=rng.uniform(-12, 12) * share,
        saturation=1 + rng.uniform(-0.4, 0.4) * share,
        curve=_LEVELS * (1 + rng.uniform(-0.25, 0.25) * share) + rng.uniform(-0.05, 0.05) * share,
    )


def change_exposure(image: Image, rng: np.random.Generator) -> Image:
    """Change the exposure (up to two thirds of a stop), the gamma and the contrast."""
    curve = np.minimum(_LEVELS * 2 ** rng.uniform(-0.65, 0.65), 1) ** np.exp(rng.uniform(-0.5, 0.5))
    pivot = curve[int(image.mean())]
    curve = pivot + (curve - pivot) * rng.uniform(0.65, 1.35)
    return _lookup(image, curve[:, None])


def cast_colours(image: Image, rng: np.random.Generator) -> Image:
    """Multiply the channels by gains, as a wrong white balance does."""
    gains = np.exp(rng.uniform(-0.23, 0.23, 3))
    return _lookup(image, _LEVELS[:, None] * gains / gains.mean())


def make_night(image: Image, rng: np.random.Generator) -> Image:
    """Darken, take colour away and add the cast of lamps. The noise of the gain belongs to the sensor."""
    dark = _recolour(
        image, 0, rng.uniform(0.15, 0.7), rng.uniform(0.35, 0.7) * _LEVELS ** rng.uniform(0.85, 1.35) + 0.02
    )
    gains = np.array([rng.uniform(0.7, 1.1), 1, rng.uniform(0.85, 1.25)])
    return _lookup(dark, _LEVELS[:, None] * gains)


def make_grey(image: Image, rng: np.random.Generator) -> Image:
    """Take all colour away, with random weights of the channels around the luma's."""
    weights = _GREY * np.exp(rng.uniform(-0.6, 0.6, 3))
    return _transform(image, np.tile(weights / weights.sum(), (3, 1)))


def make_infrared(image: Image, rng: np.random.Generator) -> Image:
    """Imitate near infrared with a lamp: grey, dyes bright, darker away from the lamp, glow around what is bright."""
    largest = image.max(axis=2)
    grey = cv2.addWeighted(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 0.5, largest, 0.5, 0)
    curve = _LEVELS ** rng.uniform(0.5, 0.9) * rng.uniform(0.7, 0.97)
    grey = cv2.LUT(grey, _bytes(curve))
    height, width = grey.shape
    small = cv2.resize(grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(np.where(small > 190, small, 0).astype(np.uint8), (0, 0), rng.uniform(1.5, 5))
    grey = cv2.addWeighted(grey, 1, cv2.resize(glow, (width, height)), rng.uniform(0.1, 0.35), 0)
    lamp = _spot(height, width, rng.uniform(0.2, 0.8, 2), rng.uniform(0.5, 1.2), rng.uniform(0, 0.6))
    grey = cv2.multiply(grey, lamp, dtype=cv2.CV_8U)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def add_haze(image: Image, rng: np.random.Generator) -> Image:
    """Mix with the light of haze or of a low sun: blacks are lifted, the contrast falls, mostly on one side."""
    light = np.clip(rng.uniform(150, 240) + rng.uniform(-15, 15, 3), 0, 255)
    kept = _ramp(image.shape[0], image.shape[1], rng, *rng.uniform(0.5, 0.95, 2))[..., None]
    return np.asarray(image * kept + light.astype(np.float32) * (1 - kept), np.uint8)


def add_gradient(image: Image, rng: np.random.Generator) -> Image:
    """Make one side darker and the other one brighter."""
    low, high = rng.uniform(0.45, 0.9), rng.uniform(1, 1.35)
    return _multiply(image, _ramp(image.shape[0], image.shape[1], rng, low, high))


def cast_shadows(image: Image, rng: np.random.Generator) -> Image:
    """Darken one or two random polygons with hard or slightly soft edges."""
    height, width = image.shape[:2]
    mask = np.ones((height, width), np.float32)
    for _ in range(rng.integers(1, 3)):
        centre, radius = rng.uniform(0, 1, 2), rng.uniform(0.2, 0.7)
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
        corners = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(0.5, 1.3, 2)
        cv2.fillPoly(mask, [np.rint(corners * [width, height]).astype(np.int32)], float(rng.uniform(0.4, 0.75)))
    if rng.random() < 0.6:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 3)), np.float32)
    return _multiply(image, mask)


def limit_exposure(image: Image) -> Image:
    """Scale the levels if an image is nearly black or nearly white, as the automatic exposure of cameras does."""
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)))
    gain = max(1, min(_LEAST_DEVIATION / max(deviation, 1), _MOST_GAIN))
    target = np.clip(mean, _LEAST_MEAN, _MOST_MEAN)
    if gain == 1 and target == mean:
        return image
    gain = max(gain, target / max(mean, 1)) if mean < target else gain
    return _lookup(image, (target + (np.arange(256) - mean) * min(gain, _MOST_GAIN))[:, None] / 255)


def _recolour(image: Image, hue: float, saturation: float, curve: NDArray[np.float64]) -> Image:
    """Turn the hue by degrees around the grey axis, scale the saturation, and map the levels by a curve (256)."""
    sine, cosine = np.sin(np.radians(hue)), np.cos(np.radians(hue))
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = cosine * np.eye(3) + sine * cross + (1 - cosine) * np.outer(axis, axis)
    grey = np.tile(_GREY, (3, 1))
    return _lookup(_transform(image, (saturation * np.eye(3) + (1 - saturation) * grey) @ turn), curve[:, None])


def _transform(image: Image, matrix: NDArray[np.float64]) -> Image:
    return np.asarray(cv2.transform(image, matrix.astype(np.float32)), np.uint8)


def _lookup(image: Image, curves: NDArray[np.float64]) -> Image:
    """Map the levels by one curve or by one of each channel: ``(256, 1 or 3)`` of 0 to 1."""
    table = np.ascontiguousarray(np.broadcast_to(_bytes(curves), (256, 3)))
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def _bytes(curve: NDArray[np.float64]) -> Image:
    return np.clip(np.rint(curve * 255), 0, 255).astype(np.uint8)


def _multiply(image: Image, factors: NDArray[np.float32]) -> Image:
    return np.asarray(cv2.multiply(image, cv2.merge([factors] * 3), dtype=cv2.CV_8U), np.uint8)


def _ramp(height: int, width: int, rng: np.random.Generator, first: float, last: float) -> NDArray[np.float32]:
    """Return an ``(H, W)`` linear gradient in a random direction between two values."""
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    down = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    reach = abs(np.cos(angle)) + abs(np.sin(angle))
    share = (across + down[:, None]) / np.float32(2 * reach) + np.float32(0.5)
    return np.asarray(share * np.float32(last - first) + np.float32(first), np.float32)


def _spot(height: int, width: int, centre: NDArray[np.float64], radius: float, loss: float) -> NDArray[np.float32]:
    """Return an ``(H, W)`` factor: 1 at the centre, less by ``loss`` far from it. Lengths are shares of the sides."""
    across = (np.linspace(0, 1, width, dtype=np.float32) - np.float32(centre[0])) ** 2
    down = (np.linspace(0, 1, height, dtype=np.float32) - np.float32(centre[1])) ** 2
    near = np.exp(-(across + down[:, None]) / np.float32(2 * radius**2))
    return np.asarray(1 - np.float32(loss) * (1 - near), np.float32)
