"""A set of track ids that takes about one bit per id, for the number of different people."""

from __future__ import annotations

_CHUNK = 4096  # ids per integer


class IdSet:
    """Ids as bits. Trackers count from 1, so a million people take 125 kB."""

    def __init__(self) -> None:
        self._chunks: dict[int, int] = {}
        self._count = 0

    def add(self, track_id: int) -> None:
        """Add an id; nothing happens if it is there already."""
        chunk, bit = divmod(track_id, _CHUNK)
        bits = self._chunks.get(chunk, 0)
        if not bits >> bit & 1:
            self._chunks[chunk] = bits | 1 << bit
            self._count += 1

    def __len__(self) -> int:
        return self._count

    def __contains__(self, track_id: int) -> bool:
        chunk, bit = divmod(track_id, _CHUNK)
        return bool(self._chunks.get(chunk, 0) >> bit & 1)
