"""Chooses the colours of the tracks of one video, so that neighbours look different."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .colours import PALETTE, palette_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..values import Track
    from .colours import Colour

FARTHEST_PX = 1e9  # larger coordinates are limited to it, so that no difference of two overflows
CLEARLY_DIFFERENT = 30.0  # CIEDE2000: such colours have different names, as orange and yellow
_NEAR = 2.0  # box heights between the centres of neighbours
_RECENT_FRAMES = 60  # people unseen for as many frames may return, and still count as in view
_MOST_COMPARED = 1000  # tracks that a new one is compared with


class _Seen(NamedTuple):
    """The colour of a track and its last box: index in the palette, centre and height in image px, frame."""

    colour: int
    x: float
    y: float
    height: float
    frame: int


class TrackColours:
    """Colours of the tracks of one video: a track gets its colour when it first appears, and keeps it.

    A new track takes the colour of `colour_of` if everybody in view, or in view during the last 60 frames, looks
    clearly different. Otherwise it takes the colour of the palette that differs most; people near it count most. So up
    to 128 people in view at once have 128 different colours. Beyond that, people far apart share a colour, and keep it
    if they meet. The same frames give the same colours in every run.
    """

    def __init__(self, capacity: int = 5000) -> None:
        """Start without tracks.

        Args:
            capacity: Number of tracks whose colours are remembered; the longest unseen are forgotten first.
        """
        self._capacity = capacity
        self._seen: dict[int, _Seen] = {}  # the longest unseen first
        self._frame = 0

    def choose(self, tracks: Sequence[Track]) -> list[Colour]:
        """Return the BGR colours of the tracks of one frame, in their order; each call counts as a frame.

        Args:
            tracks: Tracks that are drawn, with finite boxes in image px.
        """
        self._frame += 1
        new: dict[int, Track] = {}
        for track in tracks:
            seen = self._seen.pop(track.track_id, None)
            if seen is None:
                new.setdefault(track.track_id, track)
            else:
                self._seen[track.track_id] = _Seen(seen.colour, *_position(track), self._frame)
        if new:
            self._add([new[track_id] for track_id in sorted(new)])
        chosen = [PALETTE[self._seen[track.track_id].colour] for track in tracks]
        for track_id in list(self._seen)[: max(0, len(self._seen) - self._capacity)]:
            del self._seen[track_id]
        return chosen

    def _add(self, tracks: list[Track]) -> None:
        """Choose a colour for each of these tracks, one after another."""
        recent = list(islice(self._recent(), _MOST_COMPARED))[::-1]  # the latest last
        others = np.empty((len(recent) + len(tracks), 4))  # colour, x, y, height
        if recent:
            others[: len(recent)] = [seen[:4] for seen in recent]
        for count, track in enumerate(tracks, len(recent)):
            position = _position(track)
            preferred = (track.track_id - 1) % len(PALETTE)
            compared = others[max(0, count - _MOST_COMPARED) : count]
            colour = _most_different(compared, position, preferred)
            others[count] = (colour, *position)
            self._seen[track.track_id] = _Seen(colour, *position, self._frame)

    def _recent(self) -> Iterable[_Seen]:
        for seen in reversed(self._seen.values()):
            if seen.frame < self._frame - _RECENT_FRAMES:
                return
            yield seen


def _position(track: Track) -> tuple[float, float, float]:
    """Return centre and height of the box in px."""
    x1, y1, x2, y2 = (max(-FARTHEST_PX, min(FARTHEST_PX, number)) for number in track.box)
    return (x1 + x2) / 2, (y1 + y2) / 2, max(1.0, y2 - y1)


def _most_different(others: NDArray[np.float64], position: tuple[float, float, float], preferred: int) -> int:
    """Return the palette index of a new track's colour.

    Args:
        others: Palette index, centre and height of the other tracks, ``(N, 4)``.
        position: Centre and height of the new track's box.
        preferred: Index to take if several are different enough; the ones after it come next.
    """
    x, y, height = position
    heights = np.maximum(others[:, 3], height)
    distances = np.hypot(others[:, 1] - x, others[:, 2] - y) / heights
    nearest = np.full(len(PALETTE), math.inf)  # of each colour, the track nearest to the new one, in box heights
    np.minimum.at(nearest, others[:, 0].astype(np.intp), distances)
    used = np.isfinite(nearest)
    weights = np.sqrt(np.maximum(1.0, nearest[used] / _NEAR))
    differences = (palette_differences()[:, used] + 1) * weights  # + 1: the same colour is better far away than near
    worst = differences.min(axis=1, initial=CLEARLY_DIFFERENT)
    return (int(np.roll(worst, -preferred).argmax()) + preferred) % len(PALETTE)
