"""What light, lens, sensor and codec do to a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import SceneConfig
from .draws import between, chance, stream, whole

_NOISE_BORDER = 64  # px by which the noise is larger than the picture; each frame takes another part


@dataclass(frozen=True, eq=False)
class Effects:
    """The settings of one scene's camera and light.

    Attributes:
        colours: ``(3, 3)`` BGR matrix: saturation and tint.
        gain: Mean brightness factor.
        lift: Grey levels added: above 0 haze, below 0 hard contrast.
        clouds: Amplitude and rate in Hz of slow changes of light.
        flicker: Amplitude of the change from frame to frame.
        blur: Sigma of the lens, px; 0 is sharp.
        noise: Positive and negative part of sensor noise, larger than the picture.
        quality: JPEG quality, or 0 for none.
        seed: Of the per-frame numbers.
    """

    colours: NDArray[np.float64]
    gain: float
    lift: float
    clouds: tuple[float, float, float]
    flicker: float
    blur: float
    noise: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None
    quality: int
    seed: int

    def apply(self, image: NDArray[np.uint8], *, index: int, time_s: float, drag_px: float) -> NDArray[np.uint8]:
        """Return the picture as the camera would deliver it.

        Args:
            image: ``(H, W, 3)`` uint8 BGR.
            index: Of the frame: the same one always gets the same noise.
            time_s: Of the frame.
            drag_px: How far the picture moves sideways while the shutter is open.
        """
        rng = stream(self.seed, 6, index)
        amplitude, rate, phase = self.clouds
        gain = self.gain * (1 + amplitude * math.sin(6.283 * rate * time_s + phase))
        gain *= 1 + self.flicker * (float(rng.random()) - 0.5)
        matrix = np.hstack([self.colours * gain, np.full((3, 1), self.lift)])
        out = cv2.transform(image, matrix)
        if drag_px >= 2:
            out = cv2.blur(out, (round(drag_px), 1))
        if self.blur > 0.25:
            out = cv2.GaussianBlur(out, (0, 0), self.blur)
        if self.noise is not None:
            x, y = whole(rng, 0, _NOISE_BORDER), whole(rng, 0, _NOISE_BORDER)
            area = (slice(y, y + image.shape[0]), slice(x, x + image.shape[1]))
            more, less = self.noise
            out = cv2.subtract(cv2.add(out, more[area]), less[area])
        return _compressed(np.asarray(out, np.uint8), self.quality)


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    if quality <= 0:
        return image
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def draw_effects(config: SceneConfig) -> Effects:
    """Draw a scene's light and camera."""
    rng, strength = stream(config.seed, 5), config.degradation
    saturation = between(rng, 0.4, 1.05)
    grey = np.full((3, 3), 1 / 3)
    tint = np.diag([between(rng, 0.92, 1.08), 1.0, between(rng, 0.93, 1.07)])
    dark = chance(rng, 0.18)
    gain = between(rng, 0.58, 0.78) if dark else between(rng, 0.8, 1.3)
    lift = between(rng, 0, 30) if chance(rng, 0.3) else between(rng, -24, 8)
    clouds = (between(rng, 0, 0.14), between(rng, 0.02, 0.12), between(rng, 0, 6.283))
    flicker = between(rng, 0.0, 0.05) if chance(rng, 0.3) else 0.004
    blur = strength * between(rng, 0, 1.5 if chance(rng, 0.3) else 0.8) * (config.height / 540) ** 0.7
    sigma = strength * between(rng, 0.5, 5) * (1.3 if dark else 1.0)
    return Effects(
        colours=tint @ (saturation * np.eye(3) + (1 - saturation) * grey),
        gain=gain,
        lift=lift,
        clouds=clouds,
        flicker=flicker,
        blur=blur,
        noise=_noise(config, sigma) if strength > 0 else None,
        quality=max(20, round(97 - strength * between(rng, 4, 48))) if strength > 0 else 0,
        seed=config.seed,
    )


def _noise(config: SceneConfig, sigma: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = stream(config.seed, 7)
    shape = (config.height + _NOISE_BORDER, config.width + _NOISE_BORDER)
    grey = rng.standard_normal(shape, dtype=np.float32)[:, :, None]
    noise = sigma * (0.85 * grey + 0.4 * rng.standard_normal((*shape, 3), dtype=np.float32))
    rounded = np.rint(noise)
    return np.clip(rounded, 0, 255).astype(np.uint8), np.clip(-rounded, 0, 255).astype(np.uint8)
