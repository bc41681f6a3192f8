"""Ground truth of a scene: the boxes, ids and visibility of a frame, MOT's identity rule, and the lines of gt.txt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .config import SceneConfig
from .walks import STEP_S, Visit

MIN_SCORED_VISIBILITY = 0.1  # no method finds people who are seen less, so they are not scored
_ABSENCE_S = 1.0  # longest absence after which a person keeps the id
_HALF_WIDTH_M, _TOP_M = 0.55, 2.15  # bounds of a person's extent, large enough for everyone


@dataclass(frozen=True, eq=False)
class SceneFrame:
    """One frame and its ground truth.

    Attributes:
        index: Frame index, from 0.
        time_s: Seconds from the first frame.
        image: ``(H, W, 3)`` uint8 BGR.
        boxes: ``(N, 4)`` float32 xyxy, image px: the whole body, including parts that are hidden or outside the image.
        ids: ``(N,)`` int64, >= 1.
        visibility: ``(N,)`` float32 in [0, 1]: share of the body that can be seen.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    ids: NDArray[np.int64]
    visibility: NDArray[np.float32]


def truth_lines(frame: SceneFrame) -> str:
    """Return a frame's ground truth in MOTChallenge's format, one line per person, ordered by id.

    Columns: frame from 1, id, left, top, width, height, scored, class 1, visibility. ``scored`` is 0 for people whose
    visibility is below `MIN_SCORED_VISIBILITY`.
    """
    rows = sorted(zip(frame.ids.tolist(), frame.boxes.tolist(), frame.visibility.tolist(), strict=True))
    return "".join(
        f"{frame.index + 1},{identity},{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f},"
        f"{int(visibility >= MIN_SCORED_VISIBILITY)},1,{visibility:.2f}\n"
        for identity, (left, top, right, bottom), visibility in rows
    )


class Identities:
    """Ids of people, from 1 in order of first appearance, by MOTChallenge's rule.

    A person who was wholly outside the image for more than a second returns under a new id, whether the person or the
    camera moved. A person hidden by others or by props within the image keeps the id.
    """

    def __init__(self, config: SceneConfig, camera: Camera, visits: list[Visit]) -> None:
        """Find the frames in which each visit enters the image."""
        entries = [_entries(config, camera, visit) for visit in visits]
        order = sorted((frame, visit) for visit, frames in enumerate(entries) for frame in frames)
        self._entries = [np.array(frames, np.int64) for frames in entries]
        self._ids = {(visit, frame): number for number, (frame, visit) in enumerate(order, 1)}
        self._count = len(order)

    def id_at(self, visit: int, index: int) -> int:
        """Return the id of a visit's person in a frame.

        Args:
            visit: Index of the visit.
            index: Frame index.
        """
        entries = self._entries[visit]
        if len(entries) == 0:  # the box reaches beyond the assumed extent; not known to occur
            return self._count + 1 + visit
        latest = max(int(np.searchsorted(entries, index, side="right")) - 1, 0)
        return self._ids[visit, int(entries[latest])]


def _entries(config: SceneConfig, camera: Camera, visit: Visit) -> list[int]:
    """Return the frames in which a person enters the image, at first or after more than `_ABSENCE_S` outside."""
    first = max(0, math.ceil(visit.start_s * config.frame_rate))
    last = min(config.frames - 1, math.floor(visit.end_s * config.frame_rate))
    if last < first:
        return []
    frames = np.arange(first, last + 1)
    inside = frames[_is_inside(config, camera, visit, frames)]
    if len(inside) == 0:
        return []
    gaps = np.flatnonzero(np.diff(inside) > max(1.0, _ABSENCE_S * config.frame_rate))
    return [int(inside[0]), *(int(inside[gap + 1]) for gap in gaps)]


def _is_inside(config: SceneConfig, camera: Camera, visit: Visit, frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each of ``(F,)`` frame indices whether the person's extent meets the image."""
    times = frames / config.frame_rate
    grid = visit.start_s + np.arange(len(visit.xy)) * STEP_S
    x, y = (np.interp(times, grid, visit.xy[:, axis]) for axis in (0, 1))
    feet, depth = camera.project(np.stack([x, y, np.zeros_like(x)], axis=1))
    heads, _ = camera.project(np.stack([x, y, np.full_like(x, _TOP_M)], axis=1))
    window = np.array([camera.window(float(time)) for time in times], float)
    half = _HALF_WIDTH_M * camera.focal_px / depth
    bottom = feet[:, 1] + 0.3 * half
    across = (feet[:, 0] + half > window[:, 0]) & (feet[:, 0] - half < window[:, 0] + config.width)
    return np.asarray(across & (bottom > window[:, 1]) & (heads[:, 1] < window[:, 1] + config.height))
