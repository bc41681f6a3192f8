"""Counting frames that a damaged stream lost, so that the indices of the rest stay true."""

from __future__ import annotations

import bisect
import math

_LONGEST = 1000  # packets remembered; decoders hold back a few dozen at most


class Losses:
    """Knows which packets gave no picture.

    A decoder reports some damaged frames and swallows others. Where every packet gave one picture before the first
    damage, a packet without one afterwards is a lost frame too; where not (hidden reference frames, fields in packets
    of their own), only reported losses count.
    """

    def __init__(self) -> None:
        self._waiting: list[float] = []  # stamps of packets without a picture yet, in order
        self._reported: list[float] = []  # stamps of losses not yet passed, in order; unknown ones first
        self._damaged = False
        self._one_to_one = True

    @property
    def pending(self) -> int:
        """Reported losses that no picture has passed yet."""
        return len(self._reported)

    def packet(self, stamp_s: float | None) -> None:
        """Note a packet given to the decoder; its stamp in seconds, or None where it has none."""
        if stamp_s is None:
            self._one_to_one = False
        elif self._one_to_one:
            bisect.insort(self._waiting, stamp_s)
            del self._waiting[:-_LONGEST]

    def report(self, stamp_s: float | None) -> None:
        """Note a frame that the decoder could not decode, or had to make up."""
        self._damaged = True
        bisect.insort(self._reported, -math.inf if stamp_s is None else stamp_s)
        del self._reported[:-_LONGEST]  # a live stream that gives nothing but damage

    def before(self, stamp_s: float | None) -> tuple[int, int]:
        """Settle what was lost before a sound picture.

        Args:
            stamp_s: The picture's stamp.

        Returns:
            Frames lost since the sound picture before, and how many of them had not been reported.
        """
        if stamp_s is None:
            reported, silent = len(self._reported), 0
        else:
            reported = bisect.bisect_left(self._reported, stamp_s)
            passed = bisect.bisect_left(self._waiting, stamp_s)
            del self._waiting[: passed + (self._waiting[passed : passed + 1] == [stamp_s])]
            if not self._damaged and passed:
                self._one_to_one = False
                self._waiting.clear()
            silent = max(0, passed - reported) if self._one_to_one and self._damaged else 0
        del self._reported[:reported]
        return reported + silent, silent
