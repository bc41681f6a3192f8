"""Gaps in tracks, filled when the person is seen again: for work offline, as results come some frames later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..errors import FairMOTError, InvalidInputError
from ..values import FrameResult, Track

LONGEST_GAP = 300  # frames held back at most, with their pictures where a video is drawn


@dataclass(frozen=True)
class _Sighting:
    number: int  # of the result, counted from 1
    time_s: float
    track: Track


class GapFiller:
    """Holds results back until no later one can add to them.

    A gap of a track, that is results without it between two with it, is filled where it has at most ``max_gap``
    results: box, score and age on a straight line over time. Memory: ``max_gap`` results.

    Args:
        max_gap: Longest gap to fill, in results (tracked frames, after any stride); 0 fills none and holds nothing.

    Raises:
        InvalidInputError: ``max_gap`` is not a whole number from 0 to 300.
    """

    def __init__(self, max_gap: int) -> None:
        whole: object = max_gap
        if isinstance(whole, bool) or not isinstance(whole, int) or not 0 <= whole <= LONGEST_GAP:
            raise InvalidInputError(
                f"fill_gaps is {max_gap!r}; expected a whole number of frames from 0 (none) to {LONGEST_GAP}."
            )
        self._max_gap = max_gap
        self._held: deque[FrameResult] = deque()
        self._last: dict[int, _Sighting] = {}
        self._pushed = 0

    def push(self, result: FrameResult) -> list[FrameResult]:
        """Take the next result.

        Returns:
            The results that are now complete, in order: none or one.
        """
        self._pushed += 1
        for track in result.tracks:
            now = _Sighting(self._pushed, result.time_s, track)
            before = self._last.get(track.track_id)
            if before is not None:
                self._fill(before, now)
            self._last[track.track_id] = now
        oldest = self._pushed - self._max_gap  # a track seen before it comes back too late
        self._last = {track_id: seen for track_id, seen in self._last.items() if seen.number >= oldest}
        self._held.append(result)
        return [self._held.popleft()] if len(self._held) > self._max_gap else []

    def flush(self) -> list[FrameResult]:
        """Return what is still held, in order: the video is over."""
        held = list(self._held)
        self._held.clear()
        return held

    def _fill(self, before: _Sighting, now: _Sighting) -> None:
        for number in range(before.number + 1, now.number):
            place = number - now.number  # from the end: the result of `now` is not held yet
            result = self._held[place]
            self._held[place] = replace(result, tracks=(*result.tracks, _between(before, now, number, result.time_s)))


def with_filled_gaps(results: Iterable[FrameResult], max_gap: int) -> Iterator[FrameResult]:
    """Pass results on with gaps filled, ``max_gap`` results later; an error comes after the results before it.

    Args:
        results: Of one video, in order.
        max_gap: As `GapFiller` takes it.

    Raises:
        InvalidInputError: ``max_gap`` is out of its range.
    """
    filler = GapFiller(max_gap)
    try:
        for result in results:
            yield from filler.push(result)
    except FairMOTError:
        yield from filler.flush()
        raise
    yield from filler.flush()


def _between(before: _Sighting, now: _Sighting, number: int, time_s: float) -> Track:
    """Return the track of one result in the gap, linear in time; in results where time stands still."""
    step = (number - before.number) / (now.number - before.number)
    standing = now.time_s <= before.time_s
    share = step if standing else (time_s - before.time_s) / (now.time_s - before.time_s)
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
