"""Decodes packets to images, and counts those that are damaged or missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .container_opening import decoding_error, out_of_memory
from .lost_frames import LostFrameCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import av

    from .packets import Item, PacketReader


_MAX_BAD = 10_000  # a file of a few megabytes may contain millions of packets, none of which is an image


@dataclass(frozen=True)
class Decoded:
    """An intact image.

    Attributes:
        image: Decoded image.
        lost: Number of frames lost just before it.
        stamp_s: Its time in seconds on the stream's own clock, or None.
    """

    image: av.VideoFrame
    lost: int
    stamp_s: float | None


class ImageDecoder:
    """Intact images of a video stream, in order of display."""

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        packets: PacketReader,
        skip: Callable[[int, object], None],
        *,
        is_timed: bool,
    ) -> None:
        """Start before the first image.

        Args:
            container: Open container.
            stream: Its video.
            packets: Packets of the video.
            skip: Function that counts a damaged frame: called with its position and the reason.
            is_timed: Whether the packets have time stamps; if not, their arrivals are the times.
        """
        self._is_avi = container.format.name == "avi"
        self._stream = stream
        self._packets = packets
        self._skip = skip
        self._is_timed = is_timed
        self._losses = LostFrameCounter()
        self._bad = 0  # damaged images since the last intact one
        self._shown = 0  # images so far, with the lost ones before them

    def __iter__(self) -> Iterator[Decoded]:
        """Yield each intact image with the number of frames lost just before it."""
        for item in self._packets:
            for image in self._decode(item):
                stamp_s = self._seconds(image)
                if image.is_corrupt:
                    self._lose(stamp_s, "the decoder concealed errors in it")
                    continue
                lost, silent = self._losses.settle_before(stamp_s)
                for _ in range(silent):
                    self._skip(self._shown, "the decoder returned no image")
                self._bad = 0
                self._shown += 1 + lost
                yield Decoded(image, lost, stamp_s if self._is_timed else item.arrival_s)
                del image  # while this thread waits for the next
            if self._bad > _MAX_BAD and self._packets.give_up(f"{_MAX_BAD} frames in a row are corrupt"):
                return

    def _decode(self, item: Item) -> list[av.VideoFrame]:
        import av

        packet = item.packet
        if item.damage:
            self._lose(None, item.damage)
            return []
        if packet is not None and packet.size and not packet.is_discard:
            self._losses.add_packet(self._seconds(packet))
        try:
            return self._stream.decode(packet)
        except (av.FFmpegError, ValueError) as error:  # PyAV 19 raises a plain ValueError after a decoder cannot start
            if isinstance(error, MemoryError):
                raise out_of_memory("The video") from error
            if packet is not None and packet.size:  # else the error is that of the empty packet at the end
                self._lose(self._seconds(packet), decoding_error(error))
            return []

    def _lose(self, stamp_s: float | None, reason: object) -> None:
        self._skip(self._shown + self._losses.pending, reason)
        self._losses.add_loss(stamp_s)
        self._bad += 1

    def _seconds(self, item: av.VideoFrame | av.Packet[av.VideoStream]) -> float | None:
        """Return the display time in seconds on the stream's own clock, or None without a stamp.

        AVI stores the order of decoding only. The presentation stamps that FFmpeg derives jump back and forth; its
        decoding stamps, as decoded images carry them, are the times of display.
        """
        stamp = item.dts if self._is_avi else item.pts
        base = item.time_base or self._stream.time_base
        return None if stamp is None or base is None else float(stamp * base)
