"""Walks: states of tracks that end when a track was not seen for longer than a limit."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from ..config import check_amount
from ..errors import InvalidInputError

# The lost buffer of `auto`, 2 s, is the longest of the built-in methods; a track may return one frame later.
DEFAULT_GAP_S = 2.5
_ROUNDING_S = 1e-9  # sums of frame times


class Seen(Protocol):
    """A state that knows when its track was last seen."""

    last_s: float


State = TypeVar("State", bound=Seen)


class Walks(Generic[State]):
    """States by track id, in the order in which the tracks were last seen.

    An id that returns after more than ``gap_s`` seconds starts a new walk. States of ended walks are dropped, so memory
    is bounded by the number of people in ``gap_s`` seconds.

    Args:
        gap_s: Longest time in seconds for which a track may be unseen within one walk.

    Raises:
        InvalidInputError: ``gap_s`` is not a number >= 0.
    """

    def __init__(self, gap_s: float = DEFAULT_GAP_S) -> None:
        self.gap_s = check_amount("gap_s", gap_s)
        self._states: dict[int, State] = {}
        self._time_s = float("-inf")

    def __len__(self) -> int:
        return len(self._states)

    def advance(self, time_s: float) -> list[tuple[int, State]]:
        """Start a frame.

        Returns:
            Ids and states of the walks that ended before this frame; they are dropped.

        Raises:
            InvalidInputError: The time is before that of the previous frame.
        """
        if time_s < self._time_s:
            raise InvalidInputError(
                f"Frame time is {time_s:.3f} s after {self._time_s:.3f} s; expected frames in the order of the video. "
                "Use a new analysis for each video."
            )
        self._time_s = time_s
        ended = []
        for track_id, state in self._states.items():
            if time_s - state.last_s <= self.gap_s + _ROUNDING_S:
                break
            ended.append((track_id, state))
        for track_id, _ in ended:
            del self._states[track_id]
        return ended

    def take(self, track_id: int) -> State | None:
        """Return the state of a track's walk, to be given back with `put`; None for a new walk."""
        return self._states.pop(track_id, None)

    def put(self, track_id: int, state: State) -> None:
        """Keep the state of a track that is seen in this frame."""
        self._states[track_id] = state

    def finish(self) -> list[tuple[int, State]]:
        """End and drop all walks; return their ids and states."""
        ended = list(self._states.items())
        self._states.clear()
        return ended
