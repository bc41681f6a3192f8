"""Blending of a cut-out into an image: size, sharpness and colours that fit, and the alpha composition."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LIGHTNESS, _TINT = 0.7, 0.5  # largest strengths at which a cut-out's lightness and tint follow the background
_JITTER = 8.0  # standard deviation of its lightness, of 255


def premultiplied(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return BGRA whose colours are multiplied by alpha, so that it can be resized and blurred without a rim."""
    alpha = cv2.cvtColor(cv2.extractChannel(image, 3), cv2.COLOR_GRAY2BGR)
    colours = cv2.multiply(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), alpha, scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(colours), cv2.extractChannel(image, 3)]), np.uint8)


def resized(cutout: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Resize a premultiplied cut-out to (width, height), at a sharpness that fits the change.

    A cut-out that is much reduced is sharper than its background in most cases, one that is enlarged is softer.
    """
    ratio = size[1] / cutout.shape[0]
    draw = float(rng.random())
    mode = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    image = cv2.resize(cutout, size, interpolation=mode)
    if ratio < 0.8 and draw < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.3 + draw)
    elif ratio > 1 and draw < 0.5:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = cv2.addWeighted(image, 1.5, soft, -0.5, 0)
        image[..., 3] = soft[..., 3]
    alpha = image[..., 3:]
    image[..., :3] = np.minimum(image[..., :3], alpha)  # interpolation overshoots at edges
    return np.asarray(image, np.uint8)


def adapted(cutout: NDArray[np.uint8], around: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move a premultiplied cut-out's lightness, contrast and tint partly towards those of the image around it.

    Args:
        cutout: ``(h, w, 4)`` premultiplied BGRA.
        around: ``(H, W, 3)`` BGR, the part of the image that it covers.
        rng: Source of the strengths.
    """
    strengths = rng.uniform(0, (_LIGHTNESS, _TINT, _TINT)) * rng.random()
    shift = rng.normal(0, (_JITTER, _JITTER / 4, _JITTER / 4))
    contrast = float(np.exp(rng.normal(0, 0.1)))
    alpha = cutout[..., 3]
    solid = (alpha > 127).astype(np.uint8)
    if around.size == 0 or not solid.any():
        return cutout
    opaque = np.maximum(alpha, 1)[..., None]
    straight = np.minimum(cutout[..., :3].astype(np.uint16) * 255 // opaque, 255).astype(np.uint8)
    lab = cv2.cvtColor(straight, cv2.COLOR_BGR2LAB)
    mean, deviation = (values.ravel() for values in cv2.meanStdDev(lab, mask=solid))
    target, spread = (values.ravel() for values in cv2.meanStdDev(cv2.cvtColor(around, cv2.COLOR_BGR2LAB)))
    contrast *= float(np.clip(spread[0] / max(deviation[0], 1.0), 0.6, 1.4)) ** float(strengths[0])
    gains = np.array([np.clip(contrast, 0.5, 1.5), 1.0, 1.0])
    means = mean + np.clip(target - mean, -60, 60) * strengths + shift
    levels = np.arange(256)[:, None]
    table = np.clip((levels - mean) * gains + means, 0, 255).astype(np.uint8)  # (256, 3)
    moved = cv2.cvtColor(cv2.LUT(lab, table[:, None, :]), cv2.COLOR_LAB2BGR)
    return premultiplied(np.asarray(np.dstack([moved, alpha]), np.uint8))
