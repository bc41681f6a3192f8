"""Facts about each track of a results file: when it was in view, its boxes over time, and its best frame for a crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..interchange.frame_results import Times
    from ..interchange.results import TrackResults

MAX_PEOPLE = 200
_MAX_BOXES = 40_000  # of all people, in the page; about 1 MB
_INTERVAL_S = 0.2  # between two boxes of a person, in the page
_CANDIDATES = 24  # frames of a person that are compared for the crop


@dataclass(frozen=True, eq=False)
class Run:
    """Time for which a track was in view without a long gap.

    Attributes:
        start_s: Time of the first frame.
        end_s: Time of the last frame.
        times: ``(N,)`` seconds of the boxes that the page shows, rising.
        boxes: ``(N, 4)`` xyxy, image px.
    """

    start_s: float
    end_s: float
    times: NDArray[np.float64]
    boxes: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Person:
    """One track.

    Attributes:
        track_id: Id.
        runs: Times in view, in order.
        seen_s: Seconds in view: the sum over the runs.
        frame: Number of the frame of the best crop, from 1.
        box: xyxy of the track in that frame, image px.
    """

    track_id: int
    runs: tuple[Run, ...]
    seen_s: float
    frame: int
    box: tuple[float, float, float, float]

    @property
    def first_s(self) -> float:
        """Time of the first appearance."""
        return self.runs[0].start_s

    @property
    def last_s(self) -> float:
        """Time of the last appearance."""
        return self.runs[-1].end_s


@dataclass(frozen=True, eq=False)
class _Track:
    rows: NDArray[np.intp]  # in the order of frames
    starts: NDArray[np.intp]  # of the runs, in `rows`
    seen_s: float


def find_people(
    results: TrackResults, times: Times, *, size: tuple[int, int], gap_s: float, step_s: float, limit: int = MAX_PEOPLE
) -> list[Person]:
    """Return the tracks that were in view for longest, longest first.

    Args:
        results: Results of one video.
        times: Tracked frames and their times; see `tracked_times`.
        size: Width and height of the frames, px.
        gap_s: Longest gap within a run.
        step_s: Time between two tracked frames.
        limit: Largest number of tracks.
    """
    seconds = np.interp(results.frames, *times) if len(results) else np.zeros(0)
    order = np.argsort(results.ids, kind="stable")
    borders = np.flatnonzero(np.diff(results.ids[order])) + 1
    tracks = [_track(rows, seconds, gap_s) for rows in np.split(order, borders)] if len(results) else []
    tracks.sort(key=lambda track: (-track.seen_s, seconds[track.rows[0]], results.ids[track.rows[0]]))
    tracks = tracks[:limit]
    interval_s = _interval(sum(track.seen_s for track in tracks))
    return [_person(track, results, seconds, size, (interval_s, step_s)) for track in tracks]


def people_interval(people: Sequence[Person]) -> float:
    """Return the time between two boxes of the page, s: longer for people who were seen for hours."""
    return _interval(sum(person.seen_s for person in people))


def gap_between_boxes(interval_s: float, step_s: float) -> float:
    """Return the longest time between two boxes of the page between which a person was seen, s."""
    return interval_s + 1.5 * step_s


def _interval(seen_s: float) -> float:
    return max(_INTERVAL_S, seen_s / _MAX_BOXES)


def _track(rows: NDArray[np.intp], seconds: NDArray[np.float64], gap_s: float) -> _Track:
    own = seconds[rows]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(own) > gap_s) + 1])
    ends = np.append(starts[1:], len(rows)) - 1
    return _Track(rows, starts, float((own[ends] - own[starts]).sum()))


def _person(
    track: _Track,
    results: TrackResults,
    seconds: NDArray[np.float64],
    size: tuple[int, int],
    spacing_s: tuple[float, float],
) -> Person:
    runs, gap_s = [], gap_between_boxes(*spacing_s)
    for rows in np.split(track.rows, track.starts[1:]):
        own = seconds[rows]
        steps = np.floor((own - own[0]) / spacing_s[0])
        kept = np.flatnonzero(np.diff(steps, prepend=-1.0) > 0)
        before_gaps = np.flatnonzero(np.diff(own) > gap_s)
        chosen = rows[np.unique(np.concatenate([kept, before_gaps, before_gaps + 1, [len(rows) - 1]]))]
        runs.append(Run(float(own[0]), float(own[-1]), seconds[chosen], results.boxes[chosen]))
    best = _best_row(track.rows, results, size)
    x1, y1, x2, y2 = results.boxes[best].tolist()
    return Person(int(results.ids[best]), tuple(runs), track.seen_s, int(results.frames[best]), (x1, y1, x2, y2))


def _best_row(rows: NDArray[np.intp], results: TrackResults, size: tuple[int, int]) -> int:
    """Return the row of a large box that is in the image, is not covered by another one, and was not interpolated."""
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _CANDIDATES)).round().astype(np.intp))
    chosen = rows[places]
    qualities = [_quality(int(row), results, size) for row in chosen]
    return int(chosen[int(np.argmax(qualities))])


def _quality(row: int, results: TrackResults, size: tuple[int, int]) -> float:
    box = results.boxes[row]
    area = max(1e-9, float(np.prod(np.maximum(box[2:] - box[:2], 0))))
    inside = _shared(box, np.array([[0, 0, *size]]))[0] / area
    low, high = (
        np.searchsorted(results.frames, results.frames[row], "left"),
        np.searchsorted(results.frames, results.frames[row], "right"),
    )
    others = np.arange(low, high)
    others = others[others != row]
    covered = min(1.0, float(_shared(box, results.boxes[others]).sum()) / area) if len(others) else 0.0
    return float(np.sqrt(area) * inside**2 * (1 - 0.8 * covered) * (0.25 if results.filled[row] else 1))


def _shared(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(N,)`` areas that a box shares with ``(N, 4)`` others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return np.asarray(np.prod(np.maximum(sides, 0), axis=1))
