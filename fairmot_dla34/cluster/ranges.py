"""Reads a range of a video's frames from a key frame before it, each frame as in a read of the whole video."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError
from ..values import Frame
from ..video.container import ContainerSource
from ..video.conversion import BgrConverter
from ..video.decoding import Decoded, ImageDecoder
from ..video.packets import Item, PacketReader
from ..video.rotation import UPRIGHT, orientation_of, rotate
from .packet_table import Packets, facts_of, stamp_of

_MOST_BEFORE = 5000  # packets between the place that a seek finds and the key frame: many, if its times are rough


class InexactRangeError(SourceError):
    """A range cannot be read from a key frame with certainty; it is read from the start of the video instead."""


@dataclass(frozen=True, eq=False)
class KeyedStart:
    """Place from which a range is decoded, and what is expected there.

    Attributes:
        packets: Packets from a key frame to a few dozen after the range.
        stamps: ``(N,)`` int64 stamps of the frames of the overlap, then of those of the range.
        times_s: ``(N,)`` float64 times of these frames in seconds.
        overlap: Number of frames just before the range that are decoded too, for comparison.
        compared: Number of frames at the end of the range that are compared with the next range's overlap.
        at_start: Whether the first packet is that of the file.
        at_end: Whether the range ends with the file.
    """

    packets: Packets
    stamps: NDArray[np.int64]
    times_s: NDArray[np.float64]
    overlap: int
    compared: int
    at_start: bool
    at_end: bool


@dataclass(frozen=True, eq=False)
class FrameRange:
    """Frames of a video file.

    Attributes:
        first: Index of the first frame.
        stop: Index after the last frame; None: to the end of the video.
        start: Place from which the range is decoded; None: from the start of the video.
    """

    first: int
    stop: int | None
    start: KeyedStart | None = None


class RangeSource(ContainerSource):
    """A range of the frames of a video file.

    A range with a `KeyedStart` is decoded from a key frame. Every packet and every frame must be the expected one; if
    one is not, reading raises `InexactRangeError`. A range without one is decoded from the start of the video: always
    exact, whatever the video contains.

    Attributes:
        head: Digests of the images just before the range; empty for a read from the start.
        tail: Digests of the compared images at the end of the range; empty for a read from the start.
        is_empty: Whether the video was read to the end of the range, and has no frame in it.
    """

    def __init__(
        self, path: Path, frames: FrameRange, *, frame_rate: float | None = None, frame_stride: int = 1
    ) -> None:
        """Open the video.

        Args:
            path: The video file.
            frames: The range.
            frame_rate: Frames per second, instead of the stated rate.
            frame_stride: Use every n-th frame of the video.

        Raises:
            SourceError: FFmpeg cannot open it, or it contains no video.
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        super().__init__(path, frame_rate=frame_rate, frame_stride=frame_stride)
        self.is_empty = False
        self._range = frames
        self._head: list[str] = []
        self._tail: list[str] = []
        if frames.stop is not None:
            self.frame_count = -(-frames.stop // frame_stride) - -(-frames.first // frame_stride)

    @property
    def head(self) -> tuple[str, ...]:
        """Digests of the images just before the range."""
        return tuple(self._head)

    @property
    def tail(self) -> tuple[str, ...]:
        """Digests of the compared images at the end of the range."""
        return tuple(self._tail)

    def _read_frames(self) -> Generator[Frame]:
        start, is_empty = self._range.start, True
        for frame in self._read_from_start() if start is None else self._read_from_key_frame(start):
            is_empty = False
            yield frame
        self.is_empty = is_empty and not self.closed

    def _is_selected(self, index: int) -> bool:
        """Return whether a frame is in the range and selected by the stride, or is the first one after the range."""
        stop = self._range.stop
        if stop is not None and index >= stop:
            return True
        return index >= self._range.first and super()._is_selected(index)

    def _skip_frame(self, index: int, reason: object) -> None:
        """Count a corrupt frame of the range; those of other ranges are counted there."""
        if index >= self._range.first and (self._range.stop is None or index < self._range.stop):
            super()._skip_frame(index, reason)

    def _read_from_start(self) -> Generator[Frame]:
        for frame in super()._read_frames():
            if self._range.stop is not None and frame.index >= self._range.stop:
                return
            yield frame

    def _read_from_key_frame(self, start: KeyedStart) -> Generator[Frame]:
        to_bgr, size, orientation = BgrConverter(), (0, 0), UPRIGHT
        index = before = self._range.first - start.overlap
        for position, item in enumerate(self._expected_images(start)):
            image, index = item.image, before + position
            if size != (image.width, image.height):  # as ContainerSource does
                size, orientation = (image.width, image.height), orientation_of(image)
            is_before = position < start.overlap
            is_compared = is_before or position >= len(start.stamps) - start.compared
            is_wanted = not is_before and super()._is_selected(index)
            if not is_compared and not is_wanted:
                continue
            pixels = rotate(to_bgr.convert(image), orientation)
            if is_compared:
                (self._head if is_before else self._tail).append(hashlib.sha256(pixels.tobytes()).hexdigest())
            if is_wanted:
                yield Frame(index, float(start.times_s[position]), pixels)
        if start.at_end:
            self._check_complete(index, float(start.times_s[-1]))

    def _expected_images(self, start: KeyedStart) -> Iterator[Decoded]:
        """Yield the images of the overlap and of the range.

        Raises:
            InexactRangeError: Another image comes, or none.
        """
        is_avi = self._container.format.name == "avi"
        packets = iter(self._packets) if start.at_start else self._packets_after_seek(start, is_avi=is_avi)
        checked = _CheckedPackets(packets, start.packets, self._inexact(start, 0), is_avi=is_avi)
        position, count = 0, len(start.stamps)

        def refuse_damage(_index: int, _reason: object) -> None:
            if position:  # before, frames may be missing that need others before the key frame
                raise self._inexact(start, position)

        for item in ImageDecoder(self._container, self._stream, checked, refuse_damage, is_timed=True):  # type: ignore[arg-type]
            stamp = stamp_of(item.image, is_avi=is_avi)
            if not position and stamp < start.stamps[0]:
                continue
            if position == count or stamp != start.stamps[position]:
                raise self._inexact(start, position)
            position += 1
            yield item
            if position == count and not start.at_end:
                return
        if position < count or self._packets.end_reason:
            raise self._inexact(start, position)

    def _packets_after_seek(self, start: KeyedStart, *, is_avi: bool) -> Iterator[Item]:
        """Return the packets from the key frame on, wherever the seek leads."""
        import av

        wanted = start.packets.facts(0)
        stamp, decoding = wanted[:2]
        for target in (decoding, stamp) if is_avi else (stamp, min(stamp, decoding), min(stamp, decoding) - 1):
            try:
                self._container.seek(target, stream=self._stream)
            except av.FFmpegError:
                continue
            self._packets = PacketReader(self._container, self._stream, timeout_s=None, is_live=False, opened_s=0.0)
            for _, item in zip(range(_MOST_BEFORE), self._packets, strict=False):
                if item.packet is None:
                    break
                found = facts_of(item.packet, is_avi=is_avi)
                if found == wanted:
                    return _chain(item, self._packets)
                if found[1] > decoding:
                    break
        raise self._inexact(start, 0)

    def _inexact(self, start: KeyedStart, position: int) -> InexactRangeError:
        index = self._range.first - start.overlap + position
        return InexactRangeError(
            f"{self._shown} cannot be read exactly from the key frame before frame {index}; expected packets and frames"
            " as a read from its start gives them: read it from its start."
        )


class _CheckedPackets:
    """Packets for the decoder, each of which must be the expected one."""

    def __init__(self, items: Iterator[Item], expected: Packets, error: InexactRangeError, *, is_avi: bool) -> None:
        self._items, self._expected, self._error, self._is_avi = items, expected, error, is_avi

    def __iter__(self) -> Iterator[Item]:
        number, count = 0, len(self._expected)
        for item in self._items:
            if item.packet is not None:
                if number == count or facts_of(item.packet, is_avi=self._is_avi) != self._expected.facts(number):
                    raise self._error
                number += 1
            elif item.damage or number < count:
                raise self._error
            yield item

    def give_up(self, reason: str) -> bool:
        """End reading: so many damaged frames in a row are not what was expected.

        Args:
            reason: Cause of the end.
        """
        raise InexactRangeError(f"{self._error}: {reason}")


def _chain(first: Item, rest: Iterator[Item]) -> Iterator[Item]:
    yield first
    yield from rest
