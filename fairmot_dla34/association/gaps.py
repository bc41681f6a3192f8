"""Linear interpolation of gaps in tracks, for offline use: results are delayed by the longest gap."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

from ..config import is_whole
from ..errors import FairMOTError, InvalidInputError
from ..values import FrameResult, Track

MAX_GAP = 300  # bounds the delayed frames, which hold their images if a video is drawn


def check_max_gap(value: object) -> int:
    """Return ``value`` as the longest gap to fill, in results.

    Raises:
        InvalidInputError: It is not a whole number from 0 to 300.
    """
    if not is_whole(value, 0, MAX_GAP):
        raise InvalidInputError(
            f"fill_gaps is {value!r}; expected a whole number of frames from 0 (none) to {MAX_GAP}."
        )
    return value


@dataclass(frozen=True)
class _Observation:
    number: int  # of the result, from 1
    time_s: float
    track: Track


class GapFiller:
    """Delays results until their gaps are filled.

    A gap is a run of results without a track, between two results with it. If it has at most ``max_gap`` results, box,
    score and age are interpolated linearly over time. Memory: ``max_gap`` results.

    Args:
        max_gap: Longest gap to fill, in results (tracked frames, after any stride); 0 fills none and delays nothing.

    Raises:
        InvalidInputError: ``max_gap`` is not a whole number from 0 to 300.
    """

    def __init__(self, max_gap: int) -> None:
        self._max_gap = check_max_gap(max_gap)
        self._delayed: deque[FrameResult] = deque()
        self._last: dict[int, _Observation] = {}
        self._pushed = 0

    def push(self, result: FrameResult) -> list[FrameResult]:
        """Add the next result.

        Returns:
            The results that are now complete: none or one.
        """
        self._pushed += 1
        for track in result.tracks:
            now = _Observation(self._pushed, result.time_s, track)
            before = self._last.get(track.track_id)
            if before is not None:
                self._fill(before, now)
            self._last[track.track_id] = now
        oldest = self._pushed - self._max_gap  # gaps that started before it are too long
        self._last = {track_id: last for track_id, last in self._last.items() if last.number >= oldest}
        self._delayed.append(result)
        return [self._delayed.popleft()] if len(self._delayed) > self._max_gap else []

    def flush(self) -> list[FrameResult]:
        """Return the results that are still delayed, in order, at the end of the video."""
        rest = list(self._delayed)
        self._delayed.clear()
        return rest

    def _fill(self, before: _Observation, now: _Observation) -> None:
        for number in range(before.number + 1, now.number):
            index = number - now.number  # negative, from the end: the result of `now` is not in the queue yet
            result = self._delayed[index]
            track = _interpolated(before, now, number, result.time_s)
            self._delayed[index] = replace(result, tracks=(*result.tracks, track))


def with_filled_gaps(results: Iterable[FrameResult], max_gap: int) -> Generator[FrameResult]:
    """Return a generator of results with gaps filled, delayed by ``max_gap`` results.

    An error of ``results`` is raised after the results before it.

    Args:
        results: Results of one video, in order.
        max_gap: Longest gap to fill, see `GapFiller`.

    Raises:
        InvalidInputError: ``max_gap`` is out of its range.
    """
    return _filled(results, GapFiller(max_gap))


def _filled(results: Iterable[FrameResult], filler: GapFiller) -> Generator[FrameResult]:
    try:
        for result in results:
            yield from filler.push(result)
    except FairMOTError:
        yield from filler.flush()
        raise
    yield from filler.flush()


def _interpolated(before: _Observation, now: _Observation, number: int, time_s: float) -> Track:
    """Interpolate the track of one result in the gap: over time, or over results if their times are not in order."""
    step = (number - before.number) / (now.number - before.number)
    in_order = before.time_s <= time_s <= now.time_s and before.time_s < now.time_s
    share = (time_s - before.time_s) / (now.time_s - before.time_s) if in_order else step
    left, top, right, bottom = (
        (1 - share) * a + share * b for a, b in zip(before.track.box, now.track.box, strict=True)
    )
    return replace(
        before.track,
        box=(left, top, right, bottom),
        score=(1 - share) * before.track.score + share * now.track.score,
        age_frames=before.track.age_frames + round(step * (now.track.age_frames - before.track.age_frames)),
        filled=True,
    )
