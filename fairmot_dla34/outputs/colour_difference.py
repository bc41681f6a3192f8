"""Measures how different colours look: CIEDE2000, for normal vision and for red-green blindness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    _Floats = NDArray[np.float64]

RED_GREEN_WEIGHT = 2.5  # see `seen_difference`

_XYZ_OF_RGB = np.array(  # IEC 61966-2-1 (sRGB), each row divided by the D65 white point
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ]
)
_RED_GREEN_BLINDNESS = (  # Machado et al. 2009, severity 1.0, on linear RGB
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
)


def lab(bgr: NDArray[np.uint8]) -> _Floats:
    """Return CIELAB values ``(..., 3)`` of sRGB colours ``(..., 3)`` in BGR order."""
    return _lab_of_linear(_linear(bgr))


def seen_difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> _Floats:
    """Return how different two arrays of BGR colours ``(..., 3)`` look to most people; 2.3 is just visible.

    It is the CIEDE2000 difference of normal vision, but at most `RED_GREEN_WEIGHT` times the difference that people
    with deuteranopia or protanopia see. Without the weight, normal vision would have few colours left.
    """
    differences = [ciede2000(lab(a), lab(b))]
    for x, y in zip(_as_seen_red_green_blind(a), _as_seen_red_green_blind(b), strict=True):
        differences.append(RED_GREEN_WEIGHT * ciede2000(x, y))
    least: _Floats = np.minimum.reduce(differences)
    return least


def ciede2000(a: _Floats, b: _Floats) -> _Floats:
    """Return the CIEDE2000 differences of two arrays of CIELAB colours ``(..., 3)``.

    The names follow Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005).
    """
    mean_c = (np.hypot(a[..., 1], a[..., 2]) + np.hypot(b[..., 1], b[..., 2])) / 2
    g = 0.5 * (1 - _saturation(mean_c))
    (l1, c1, h1), (l2, c2, h2) = _lch(a, g), _lch(b, g)
    grey = c1 * c2 == 0
    turn = h2 - h1
    dh = np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(np.where(grey, 0, dh)) / 2)
    h = np.where(grey, h1 + h2, (h1 + dh / 2) % 360)
    mean_l, c = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * _cos(h - 30) + 0.24 * _cos(2 * h) + 0.32 * _cos(3 * h + 6) - 0.20 * _cos(4 * h - 63)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    lightness, chroma, hue = (l2 - l1) / s_l, (c2 - c1) / (1 + 0.045 * c), delta_h / (1 + 0.015 * c * t)
    r_t = -2 * _saturation(c) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    difference: _Floats = np.sqrt(np.maximum(0, lightness**2 + chroma**2 + hue**2 + r_t * chroma * hue))
    return difference


def _as_seen_red_green_blind(bgr: NDArray[np.uint8]) -> Iterator[_Floats]:
    """Yield the CIELAB values of colours as people with deuteranopia and with protanopia see them."""
    for matrix in _RED_GREEN_BLINDNESS:
        yield _lab_of_linear(np.clip(_linear(bgr) @ matrix.T, 0, 1))


def _linear(bgr: NDArray[np.uint8]) -> _Floats:
    """Return linear RGB values in [0, 1] of sRGB colours in BGR order."""
    share = bgr[..., ::-1] / 255
    linear: _Floats = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear


def _lab_of_linear(rgb: _Floats) -> _Floats:
    xyz = rgb @ _XYZ_OF_RGB.T
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _lch(colour: _Floats, g: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return lightness, chroma and hue in degrees; the formula stretches the a axis of greyish colours by ``1 + g``."""
    a = (1 + g) * colour[..., 1]
    return colour[..., 0], np.hypot(a, colour[..., 2]), np.degrees(np.arctan2(colour[..., 2], a)) % 360


def _saturation(chroma: _Floats) -> _Floats:
    root: _Floats = np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    return root


def _cos(degrees: _Floats) -> _Floats:
    cosine: _Floats = np.cos(np.radians(degrees))
    return cosine
