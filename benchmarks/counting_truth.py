"""Counts and visits by brute force: whole walks at once, with other arithmetic than `fairmot_dla34.analytics`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np

from fairmot_dla34 import FrameResult
from fairmot_dla34.analytics import Line, Zone
from fairmot_dla34.analytics.lines import DEAD_BAND_HEIGHTS
from fairmot_dla34.analytics.zones import EDGE_BAND_HEIGHTS

Sample = tuple[float, float, float, float]  # time, x and y of the foot, height


def walks_of(results: Iterable[FrameResult], gap_s: float) -> list[tuple[int, list[Sample]]]:
    """Return the samples of each id, divided where it was unseen for longer than ``gap_s``."""
    samples: dict[int, list[list[Sample]]] = defaultdict(list)
    for result in results:
        for track in result.tracks:
            left, top, right, bottom = track.box
            sample = (result.time_s, (left + right) / 2, bottom, bottom - top)
            walks = samples[track.track_id]
            if walks and result.time_s - walks[-1][-1][0] <= gap_s + 1e-9:
                walks[-1].append(sample)
            else:
                walks.append([sample])
    return [(track_id, walk) for track_id, walks in samples.items() for walk in walks]


def crossings_of(line: Line, walk: list[Sample], band_heights: float = DEAD_BAND_HEIGHTS) -> list[int]:
    """Return the directions of the crossings of one walk, 1 forward and -1 backward, found from the whole walk."""
    ux, uy = np.subtract(line.end, line.start) / math.dist(line.start, line.end)
    off = [ux * (y - line.start[1]) - uy * (x - line.start[0]) for _, x, y, _ in walk]
    bands = [band_heights * height if line.dead_band_px is None else line.dead_band_px for *_, height in walk]
    settled = [i for i in range(len(walk)) if abs(off[i]) > bands[i]]
    if not settled:
        return []
    stations = [0, *settled, len(walk) - 1]
    directions = []
    for i, j in pairwise(stations):
        # Steps that are clearly on one side need no exact arithmetic.
        near = (k for k in range(i, j) if off[k] * off[k + 1] < 1e-6)
        net = sum(_passes(line, walk[k], walk[k + 1]) for k in near)
        if off[i] * off[j] < 0 and net * off[j] > 0:
            directions.append(1 if off[j] > 0 else -1)
    return directions


def _passes(line: Line, a: Sample, b: Sample) -> int:
    """Return the direction of the pass of a step through the segment, by exact arithmetic; 0 without a pass."""
    p, q, u, v = (tuple(map(Fraction, point)) for point in (line.start, line.end, a[1:3], b[1:3]))

    def turn(i: tuple[Fraction, ...], j: tuple[Fraction, ...], k: tuple[Fraction, ...]) -> int:
        area = (j[0] - i[0]) * (k[1] - i[1]) - (j[1] - i[1]) * (k[0] - i[0])
        return (area > 0) - (area < 0)

    before, after = turn(p, q, u), turn(p, q, v)
    return after if before * after < 0 and turn(u, v, p) != turn(u, v, q) else 0


class Border:
    """The border of a zone, measured by OpenCV.

    Args:
        zone: The zone.
    """

    def __init__(self, zone: Zone) -> None:
        self._contour = np.array(zone.points, np.float32)[:, None]
        self.band_px = 0.5 * zone.polygon.inner_radius()

    def depth(self, x: float, y: float) -> float:
        """Return the distance of a point from the border, px, positive inside."""
        return float(cv2.pointPolygonTest(self._contour, (x, y), measureDist=True))

    def passed(self, a: Sample, b: Sample) -> float:
        """Return the time at which a step passes the border, by bisection."""
        low, high = 0.0, 1.0
        inside = self.depth(*a[1:3]) >= 0
        for _ in range(30):
            middle = (low + high) / 2
            x, y = (a[axis] + middle * (b[axis] - a[axis]) for axis in (1, 2))
            low, high = (middle, high) if (self.depth(x, y) >= 0) == inside else (low, middle)
        return a[0] + low * (b[0] - a[0])


def visits_of(border: Border, walk: list[Sample], grace_s: float) -> list[tuple[float, float, float]]:
    """Return start, end and dwell of the visits of one walk, s, found from the whole walk."""
    depths = [border.depth(x, y) for _, x, y, _ in walk]
    runs: list[list[float]] = []  # inside, start, sure
    for i, depth in enumerate(depths):
        if not runs or (depth >= 0) != runs[-1][0]:
            runs.append([depth >= 0, border.passed(walk[i - 1], walk[i]) if i else walk[0][0], not runs])
        band = min(EDGE_BAND_HEIGHTS * walk[i][3], border.band_px)
        if abs(depth) > band or walk[i][0] - runs[-1][1] > grace_s:
            runs[-1][2] = True
    ends = [run[1] for run in runs[1:]] + [walk[-1][0]]
    stays: list[list[float]] = []
    state = False
    for (inside, start, sure), end in zip(runs, ends, strict=True):
        if sure and inside != state:
            state = bool(inside)
            if state:
                stays.append([start, end])
            else:
                stays[-1][1] = start
    if state:
        stays[-1][1] = walk[-1][0] if runs[-1][0] else runs[-1][1]
    visits: list[tuple[float, float, float]] = []
    for start, end in stays:
        if visits and start - visits[-1][1] <= grace_s:
            visits[-1] = (visits[-1][0], end, visits[-1][2] + end - start)
        else:
            visits.append((start, end, end - start))
    return visits
