"""Divides a video into ranges of frames by time, each of which starts at a key frame."""

from __future__ import annotations

import numpy as np

from .packet_table import DISCARDED, KEY, PacketTable
from .ranges import FrameRange, KeyedStart

_COMPARED_FRAMES = 16  # before each seam: as many as H.264 and HEVC can refer to
_DELAY_PACKETS = 128  # packets that a decoder may need after that of a frame


def divide(table: PacketTable, seconds: float) -> list[FrameRange]:
    """Return the ranges of a video, in order; together they are all of its frames.

    Ranges end at key frames, so that they are longer than asked for if key frames are rare.

    Args:
        table: Packets of the video.
        seconds: Shortest length of a range.
    """
    if table.unusual:
        step = max(1, round(table.count * seconds / table.duration_s)) if table.duration_s else table.count or 1
        firsts = list(range(0, max(1, table.count - step // 2), step))
        return [FrameRange(*ends) for ends in zip(firsts, [*firsts[1:], None], strict=True)]
    keys = _Keys(table)
    seams = keys.seams(seconds)
    ends = [*seams[1:], None]
    return [keys.range_of(seam, end) for seam, end in zip(seams, ends, strict=True)]


def without_start(frames: FrameRange) -> FrameRange:
    """Return the same range, decoded from the start of the video."""
    return FrameRange(frames.first, frames.stop)


class _Keys:
    """Key frames of a video, and where each is in order of display."""

    def __init__(self, table: PacketTable) -> None:
        flags = table.packets.flags
        self._table = table
        self._packets = np.flatnonzero((flags & KEY != 0) & (flags & DISCARDED == 0))
        self._ranks = np.searchsorted(table.frame_stamps, table.packets.stamps[self._packets])
        shown = np.flatnonzero(flags & DISCARDED == 0)
        self._packet_of_frame = shown[np.argsort(table.packets.stamps[shown], kind="stable")]

    def seams(self, seconds: float) -> list[int]:
        """Return the indices of the first frame of each range."""
        seams, times_s = [0], self._table.times_s
        for rank in np.unique(self._ranks).tolist():
            if times_s[rank] - times_s[seams[-1]] >= seconds and rank - seams[-1] >= _COMPARED_FRAMES:
                seams.append(rank)
        return seams

    def range_of(self, first: int, stop: int | None) -> FrameRange:
        """Return the range between two seams."""
        table = self._table
        entry, overlap = self._entry(first)
        shown = slice(first - overlap, stop)
        last = len(table.packets) if stop is None else int(self._packet_of_frame[shown].max())
        return FrameRange(
            first,
            stop,
            KeyedStart(
                packets=table.packets[entry : last + _DELAY_PACKETS],
                stamps=table.frame_stamps[shown],
                times_s=table.times_s[shown],
                overlap=overlap,
                compared=0 if stop is None else self._entry(stop)[1],
                at_start=entry == 0,
                at_end=stop is None,
            ),
        )

    def _entry(self, first: int) -> tuple[int, int]:
        """Return the packet from which a range is decoded, one group of frames before it, and the frames compared."""
        before = np.flatnonzero(self._ranks <= first - _COMPARED_FRAMES)
        if not len(before) or self._packets[before[-1]] == 0:
            return 0, min(_COMPARED_FRAMES, first)
        return int(self._packets[before[-1]]), _COMPARED_FRAMES
