"""Lists the packets of a video without decoding, and computes the index and the time of each frame from them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..video.container import ContainerSource
from ..video.decoding import Decoded
from ..video.lookahead import Lookahead
from ..video.timing import Clock

if TYPE_CHECKING:
    import av

NO_STAMP = np.iinfo(np.int64).min
KEY, DISCARDED = 1, 2  # flags of a packet

# Containers with an index, or with key frames that FFmpeg finds by time. Others are read from their start.
_SEEKABLE = frozenset({"mov", "matroska", "webm", "avi", "mpegts"})


@dataclass(frozen=True, eq=False)
class Packets:
    """Packets of a video in the order of the file.

    Attributes:
        stamps: ``(P,)`` int64 display stamps in units of the stream; for AVI those of decoding.
        decoding: ``(P,)`` int64 decoding stamps; `NO_STAMP` for none.
        sizes: ``(P,)`` int64 bytes.
        flags: ``(P,)`` uint8, of `KEY` and `DISCARDED`.
    """

    stamps: NDArray[np.int64]
    decoding: NDArray[np.int64]
    sizes: NDArray[np.int64]
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, part: slice) -> Packets:
        return Packets(self.stamps[part], self.decoding[part], self.sizes[part], self.flags[part])

    def facts(self, number: int) -> tuple[int, int, int, int]:
        """Return stamp, decoding stamp, size and flags of one packet."""
        return tuple(int(column[number]) for column in (self.stamps, self.decoding, self.sizes, self.flags))  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Packets of a video, and its frames as they follow from the packets.

    Attributes:
        packets: The packets.
        frame_stamps: ``(F,)`` int64 stamps of the frames in order of display.
        times_s: ``(F,)`` float64 seconds from the first frame, as `ContainerSource` computes them.
        count: Number of frames; an estimate if ``unusual`` is not empty.
        duration_s: Seconds from the first frame to the last.
        unusual: Reason why the frames do not follow from the packets; "" if they do.
    """

    packets: Packets
    frame_stamps: NDArray[np.int64]
    times_s: NDArray[np.float64]
    count: int
    duration_s: float
    unusual: str


def stamp_of(item: av.Packet[av.VideoStream] | av.VideoFrame, *, is_avi: bool) -> int:
    """Return the stamp by which `ImageDecoder` orders a packet or an image; `NO_STAMP` for none."""
    stamp = item.dts if is_avi else item.pts
    return int(NO_STAMP) if stamp is None else int(stamp)


def facts_of(packet: av.Packet[av.VideoStream], *, is_avi: bool) -> tuple[int, int, int, int]:
    """Return stamp, decoding stamp, size and flags of a packet."""
    decoding = int(NO_STAMP) if packet.dts is None else int(packet.dts)
    flags = KEY * bool(packet.is_keyframe) | DISCARDED * bool(packet.is_discard)
    return stamp_of(packet, is_avi=is_avi), decoding, packet.size, flags


class _ListedSource(ContainerSource):
    """A video file whose packets are listed instead of decoded."""

    def list_packets(self) -> PacketTable:
        """Read all packets, and compute the frames; the file is read once, and nothing is decoded."""
        name = self._container.format.name
        is_avi = name == "avi"
        columns = [array("q") for _ in range(4)]
        unusual = "" if _SEEKABLE & set(name.split(",")) else f"key frames of the format {name} are not indexed"
        for item in self._packets:
            packet = item.packet
            if packet is None:
                unusual = unusual or item.damage
                continue
            if packet.is_corrupt:
                unusual = unusual or "a packet is damaged"
            for column, value in zip(columns, facts_of(packet, is_avi=is_avi), strict=True):
                column.append(value)
        stamps, decoding, sizes, flags = (np.frombuffer(column, np.int64) for column in columns)
        packets = Packets(stamps, decoding, sizes, flags.astype(np.uint8))
        unusual = unusual or self._packets.end_reason or _irregularity(packets)
        shown = np.sort(stamps[flags & DISCARDED == 0])
        times_s = np.empty(0) if unusual else np.fromiter(self._times_s(shown.tolist()), np.float64, len(shown))
        duration_s = float(times_s[-1]) if len(times_s) else len(shown) / self.native_rate
        return PacketTable(packets, shown, times_s, len(shown), duration_s, unusual)

    def _times_s(self, stamps: list[int]) -> Iterator[float]:
        """Yield the times of frames with these stamps, as `_read_frames` computes them."""
        base, clock = self._stream.time_base, Clock(self.native_rate)
        # no image: only the stamps are read
        items = Lookahead(Decoded(None, 0, None if base is None else float(s * base)) for s in stamps)  # type: ignore[arg-type]
        for index, item in enumerate(items):
            time_s = clock.next_time(self._checked_stamp(clock, item, items, index), 1)
            yield index / self.native_rate if self._rate_given else time_s


def read_packet_table(path: Path, *, frame_rate: float | None = None) -> PacketTable:
    """List the packets of a video file.

    Args:
        path: The video file.
        frame_rate: Frames per second, instead of the stated rate.

    Raises:
        SourceError: It cannot be opened, or it contains no video.
        InvalidInputError: The frame rate is out of its range.
    """
    with _ListedSource(path, frame_rate=frame_rate) as source:
        return source.list_packets()


def _irregularity(packets: Packets) -> str:
    """Return why the frames do not follow from the packets, "" if they do."""
    shown = packets.stamps[packets.flags & DISCARDED == 0]
    if not len(shown):
        return "it has no packets"
    if (shown == NO_STAMP).any():
        return "some packets have no time stamp"
    if len(np.unique(shown)) < len(shown):
        return "two packets have the same time stamp"
    if not packets.flags[0] & KEY:
        return "it does not start with a key frame"
    return ""
