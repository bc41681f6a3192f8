"""Counts the frames that a damaged stream lost, so that the indices of later frames stay true."""

from __future__ import annotations

import bisect
import math

_MAX_REMEMBERED = 1000  # packets; decoders hold back a few dozen at most


class LostFrameCounter:
    """Matches packets with decoded images, and counts the packets that gave none.

    A decoder reports some damaged frames and drops others silently. If every packet gave one image before the first
    damage, a packet without one afterwards is a lost frame too. If not (hidden reference frames, fields in packets of
    their own), only reported losses count.
    """

    def __init__(self) -> None:
        self._waiting: list[float] = []  # sorted stamps of packets that gave no image yet
        self._reported: list[float] = []  # sorted stamps of losses after the last image; unknown ones first
        self._damaged = False
        self._one_to_one = True

    @property
    def pending(self) -> int:
        """Reported losses that no later image has settled yet."""
        return len(self._reported)

    def add_packet(self, stamp_s: float | None) -> None:
        """Record a packet given to the decoder.

        Args:
            stamp_s: The packet's stamp in seconds, or None if it has none.
        """
        if stamp_s is None:
            self._one_to_one = False
        elif self._one_to_one:
            bisect.insort(self._waiting, stamp_s)
            del self._waiting[:-_MAX_REMEMBERED]

    def add_loss(self, stamp_s: float | None) -> None:
        """Record a frame that the decoder could not decode, or in which it concealed errors.

        Args:
            stamp_s: The frame's stamp in seconds, or None if it has none.
        """
        self._damaged = True
        bisect.insort(self._reported, -math.inf if stamp_s is None else stamp_s)
        del self._reported[:-_MAX_REMEMBERED]  # a live stream may give nothing but damage

    def settle_before(self, stamp_s: float | None) -> tuple[int, int]:
        """Count the frames lost between the previous intact image and this one.

        Args:
            stamp_s: The intact image's stamp in seconds, or None if it has none.

        Returns:
            Number of lost frames, and how many of them the decoder had not reported.
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
