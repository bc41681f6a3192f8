"""Reads a container's packets to the end, over damaged parts, and records how the stream ended."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .arrivals import Arrivals, measure_arrivals

if TYPE_CHECKING:
    import av

_JPEG_END = b"\xff\xd9"
_JPEG_TAIL_BYTES = 4096  # some cameras write padding or metadata behind the image
_DAMAGE_S = 15.0  # longest search for the next packet in a damaged file
_AHEAD_S = (1.0, 3.0)  # usual and longest wait for the packets whose arrivals give the frame rate
_AHEAD_STEPS = 6  # intervals between packets that are enough


@dataclass
class Item:
    """A packet, or a damaged part in its place.

    Attributes:
        packet: Packet to decode; None to flush the decoder.
        arrival_s: Time of its arrival on the monotonic clock.
        damage: Reason, if a part was passed over and there is no packet.
    """

    packet: av.Packet[av.VideoStream] | None
    arrival_s: float
    damage: str = ""


class PacketReader(Iterator[Item]):
    """Packets of a video stream, then one to flush the decoder.

    Attributes:
        end_reason: Cause of the end if it came early, "" if not.
        ended: How the stream ended: ``end``, ``lost`` or ``stalled``; see `Source`.
        stopped: Set to true from any thread to end the packets.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        *,
        timeout_s: float | None,
        is_live: bool,
        opened_s: float,
    ) -> None:
        """Start at the first packet.

        Args:
            container: Open container.
            stream: Its video.
            timeout_s: Time after which PyAV gives up waiting for a packet, or None for a file.
            is_live: Whether the stream has no end of its own.
            opened_s: Time at which opening started, on the monotonic clock.
        """
        self.end_reason = ""
        self.ended = "end"
        self.stopped = False
        self._container = container
        self._stream = stream
        self._timeout_s = timeout_s
        self._is_live = is_live
        self._opened_s = opened_s
        self._is_multipart = container.format.name == "mpjpeg"
        self._last_s = time.monotonic()
        self._items = self._read()
        self._ahead: deque[Item] = deque()

    def __next__(self) -> Item:
        """Return the next packet, or the reason for one that is missing."""
        return self._ahead.popleft() if self._ahead else next(self._items)

    def close(self) -> None:
        """Drop the packets that are left; not while another thread reads them.

        A generator that waits between two items refers to this object and to the decoder, which would be kept until
        Python's garbage collection.
        """
        self._items.close()
        self._ahead.clear()

    def give_up(self, reason: str) -> bool:
        """Record an early end and return True, except for a live stream, which may recover.

        Args:
            reason: Cause of the end.
        """
        if not self._is_live:
            self.end_reason = reason
        return not self._is_live

    def measure(self) -> Arrivals:
        """Read some packets ahead, and return what their arrivals show; call it before anything else is read."""
        start_s = time.monotonic()
        while True:
            arrivals = measure_arrivals([item.arrival_s for item in self._ahead], self._opened_s)
            waited_s = time.monotonic() - start_s
            if arrivals.steps >= _AHEAD_STEPS or waited_s >= _AHEAD_S[0 if arrivals.steps else 1]:
                break
            item = next(self._items, None)
            if item is None:
                break
            self._ahead.append(item)
        for item, arrival_s in zip(self._ahead, arrivals.times_s, strict=True):
            item.arrival_s = arrival_s
        return arrivals

    def _read(self) -> Generator[Item]:
        import av

        packets = self._container.demux(self._stream)
        damage = ""  # of a part after the last packet; FFmpeg reports every line of it
        while not self.stopped:
            asked_s = time.monotonic()
            try:
                packet = next(packets, None)
            except av.error.InvalidDataError as error:
                if not self._may_go_on():
                    self._set_end(error)
                    break
                damage = f"a part of the stream is damaged: {error.strerror}"
                packets = self._container.demux(self._stream)
                continue
            except (av.FFmpegError, OSError) as error:
                self._set_end(error)
                break
            if packet is None or (not packet.size and packet.dts is None):
                self._set_end(None)
                break
            if not packet.size:  # a frame that repeats the one before it
                continue
            self._last_s = time.monotonic()
            timed_out = self._is_live and self._timeout_s is not None and self._last_s - asked_s >= self._timeout_s
            if damage:  # not if nothing follows: that is the end of a recorded stream
                yield Item(None, self._last_s, damage)
                damage = ""
            if self._is_multipart and _JPEG_END not in bytes(packet)[-_JPEG_TAIL_BYTES:]:
                yield Item(None, self._last_s, "a JPEG without its end")
                continue
            yield Item(packet, self._last_s)
            if timed_out:  # FFmpeg's parser returned the packet that it held back; the next read would wait once more
                self.end_reason, self.ended = f"no data arrived for {self._timeout_s:g} s", "stalled"
                break
        yield Item(None, time.monotonic())

    def _may_go_on(self) -> bool:
        """Return whether FFmpeg may find the next boundary behind damage, and the wait for it is not too long."""
        return self._is_multipart and time.monotonic() - self._last_s < (self._timeout_s or _DAMAGE_S)

    def _set_end(self, error: Exception | None) -> None:
        """Record the end.

        Args:
            error: Error of FFmpeg, or None for an end of the data.
        """
        import av

        if self._timeout_s is not None:
            waited = time.monotonic() - self._last_s >= self._timeout_s
            if waited or isinstance(error, av.error.ExitError):  # PyAV's timeout
                self.end_reason, self.ended = f"no data arrived for {self._timeout_s:g} s", "stalled"
            elif error is not None or self._is_live:
                self.ended = "lost"
        if not self.end_reason and error is not None:
            cause = "reading failed" if self._timeout_s is None else "the connection broke"
            self.end_reason = f"{cause} ({getattr(error, 'strerror', None) or error})"
        if not self.end_reason and self._is_live:
            self.end_reason = "the server stopped sending"
