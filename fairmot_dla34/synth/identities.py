"""Which number a person has in the truth: MOT's rule.

Someone who was wholly outside the picture for more than a second comes back under a new number, whether they or the
camera moved; someone hidden behind others or things within the picture keeps theirs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .choreography import Visit
from .config import SceneConfig
from .paths import STEP_S

_ABSENT_S = 1.0
_HALF_WIDTH_M, _TOP_M = 0.55, 2.15  # a person, generously


class Identities:
    """Numbers from 1 in order of first appearance."""

    def __init__(self, config: SceneConfig, camera: Camera, visits: list[Visit]) -> None:
        """Work out when each visit is in the picture."""
        starts = [_stays(config, camera, visit) for visit in visits]
        order = sorted((frame, visit) for visit, frames in enumerate(starts) for frame in frames)
        self._starts = [np.array(frames, np.int64) for frames in starts]
        self._first = {(visit, frame): number for number, (frame, visit) in enumerate(order, 1)}
        self._spare = len(order)  # for a glimpse that the generous box missed; never met in practice

    def of(self, visit: int, index: int) -> int:
        """Return the number of a visit's person in a frame."""
        starts = self._starts[visit]
        if len(starts) == 0:
            return self._spare + 1 + visit
        stay = max(int(np.searchsorted(starts, index, side="right")) - 1, 0)
        return self._first[visit, int(starts[stay])]


def _stays(config: SceneConfig, camera: Camera, visit: Visit) -> list[int]:
    """Return the frames in which the person comes into the picture after more than `_ABSENT_S` outside it."""
    begin = max(0, math.ceil(visit.start_s * config.frame_rate))
    end = min(config.frames - 1, math.floor(visit.end_s * config.frame_rate))
    if end < begin:
        return []
    frames = np.arange(begin, end + 1)
    inside = frames[_in_picture(config, camera, visit, frames)]
    if len(inside) == 0:
        return []
    apart = np.flatnonzero(np.diff(inside) > max(1.0, _ABSENT_S * config.frame_rate))
    return [int(inside[0]), *(int(inside[gap + 1]) for gap in apart)]


def _in_picture(config: SceneConfig, camera: Camera, visit: Visit, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    times = frames / config.frame_rate
    grid = visit.start_s + np.arange(len(visit.xy)) * STEP_S
    x, y = (np.interp(times, grid, visit.xy[:, axis]) for axis in (0, 1))
    feet, depth = camera.project(np.stack([x, y, np.zeros_like(x)], axis=1))
    heads, _ = camera.project(np.stack([x, y, np.full_like(x, _TOP_M)], axis=1))
    window = np.array([camera.window(float(time)) for time in times], float)
    half = _HALF_WIDTH_M * camera.focal_px / depth
    low = feet[:, 1] + 0.3 * half
    across = (feet[:, 0] + half > window[:, 0]) & (feet[:, 0] - half < window[:, 0] + config.width)
    return np.asarray(across & (low > window[:, 1]) & (heads[:, 1] < window[:, 1] + config.height))
