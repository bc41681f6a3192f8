"""Image degradation of a scene: changes of light, lens blur, sensor noise and compression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import SceneConfig
from .rng import Part, chance, integer, random_stream, uniform

_NOISE_BORDER = 64  # px by which the noise is larger than the image; each frame takes another part of it


@dataclass(frozen=True, eq=False)
class Effects:
    """Light and camera settings of one scene.

    Attributes:
        colours: ``(3, 3)`` BGR matrix: saturation and tint.
        gain: Mean factor on the brightness.
        lift: Grey levels added: haze if above 0, hard contrast if below.
        clouds: Slow change of light: amplitude, frequency in Hz, phase in rad.
        flicker: Amplitude of the change of brightness from frame to frame.
        blur: Standard deviation of the lens blur, px; below 0.25 the image stays sharp.
        noise: Positive and negative part of the sensor noise, or None for none; larger than the image.
        quality: JPEG quality, or 0 for no compression.
        seed: Seed of the draws made for each frame.
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
        """Return a frame as the camera delivers it.

        Args:
            image: ``(H, W, 3)`` uint8 BGR.
            index: Frame index; a frame always gets the same noise.
            time_s: Time of the frame, s.
            drag_px: Sideways movement of the image while the shutter is open, px.
        """
        rng = random_stream(self.seed, Part.FRAME, index)
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
            x, y = integer(rng, 0, _NOISE_BORDER), integer(rng, 0, _NOISE_BORDER)
            area = (slice(y, y + image.shape[0]), slice(x, x + image.shape[1]))
            more, less = self.noise
            out = cv2.subtract(cv2.add(out, more[area]), less[area])
        return _compressed(np.asarray(out, np.uint8), self.quality)


def random_effects(config: SceneConfig) -> Effects:
    """Draw the light and the camera settings of a scene, as strong as ``config.degradation`` asks for."""
    rng, strength = random_stream(config.seed, Part.EFFECTS), config.degradation
    saturation = uniform(rng, 0.4, 1.05)
    grey = np.full((3, 3), 1 / 3)
    tint = np.diag([uniform(rng, 0.92, 1.08), 1.0, uniform(rng, 0.93, 1.07)])
    dark = chance(rng, 0.18)
    gain = uniform(rng, 0.58, 0.78) if dark else uniform(rng, 0.8, 1.3)
    lift = uniform(rng, 0, 30) if chance(rng, 0.3) else uniform(rng, -24, 8)
    clouds = (uniform(rng, 0, 0.14), uniform(rng, 0.02, 0.12), uniform(rng, 0, 6.283))
    flicker = uniform(rng, 0.0, 0.05) if chance(rng, 0.3) else 0.004
    blur = strength * uniform(rng, 0, 1.5 if chance(rng, 0.3) else 0.8) * (config.height / 540) ** 0.7
    sigma = strength * uniform(rng, 0.5, 5) * (1.3 if dark else 1.0)
    return Effects(
        colours=tint @ (saturation * np.eye(3) + (1 - saturation) * grey),
        gain=gain,
        lift=lift,
        clouds=clouds,
        flicker=flicker,
        blur=blur,
        noise=_draw_noise(config, sigma) if strength > 0 else None,
        quality=max(20, round(97 - strength * uniform(rng, 4, 48))) if strength > 0 else 0,
        seed=config.seed,
    )


def _draw_noise(config: SceneConfig, sigma: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the positive and the negative part of noise with a standard deviation of about ``sigma`` grey levels."""
    rng = random_stream(config.seed, Part.NOISE)
    shape = (config.height + _NOISE_BORDER, config.width + _NOISE_BORDER)
    grey = rng.standard_normal(shape, dtype=np.float32)[:, :, None]
    noise = sigma * (0.85 * grey + 0.4 * rng.standard_normal((*shape, 3), dtype=np.float32))
    rounded = np.rint(noise)
    return np.clip(rounded, 0, 255).astype(np.uint8), np.clip(-rounded, 0, 255).astype(np.uint8)


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    if quality <= 0:
        return image
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
