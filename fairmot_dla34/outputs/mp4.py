"""Encodes H.264 into a fragmented mp4 through PyAV."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..errors import OutputError
from ..files import output_error
from .fitting import fit_image, video_size
from .mp4_repair import cut_to_whole_fragments

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.stream import VideoStream
    from numpy.typing import NDArray

# One fragment per keyframe, an empty index in front, no bytes held back: what is on disk plays, also in a browser.
_MP4_OPTIONS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
# superfast: two thirds of veryfast's time for a quarter more bytes. zerolatency: no frame waits in the encoder, so a
# killed run loses none of them. The matrix is the one cv2.COLOR_BGR2YUV_I420 uses.
_X264 = {"preset": "superfast", "tune": "zerolatency", "crf": "23", "forced-idr": "1", "colorspace": "smpte170m"}
# Beside a network that takes all cores: half of superfast's time (1.1 against 2.2 ms a frame at 768x576, 7 against 12
# at 1920x1080) for up to 30 % more bytes, at a PSNR from 0.3 dB above it to 0.7 below. ultrafast alone leaves out
# deblocking, which is visible.
_X264_QUICK = _X264 | {"preset": "ultrafast", "x264-params": "deblock=0,0"}
_KEYFRAME_INTERVAL_S = 1.0
_MIN_TICKS_PER_S = 10_000  # time stamps are at least this fine
_MAX_TICKS_PER_S = 500_000  # mp4 stores at most 2^31 ticks between two frames; a pause may last an hour
_COMMON_DENOMINATORS = (1, 1001)  # frame rates are whole or, from NTSC, x000/1001


class H264Encoder:
    """Writes images with their times to a file that plays up to its last whole second, whatever ends the run."""

    def __init__(self, path: Path, *, width: int, height: int, frame_rate: float, quick: bool = False) -> None:
        """Open the file and write its header.

        Args:
            path: The mp4; an existing one is replaced.
            width: Width of the first image in px.
            height: Height of the first image in px.
            frame_rate: Frames per second, stated in the file and used for the last frame's duration.
            quick: Whether to spend half the time for up to 30 % more bytes.

        Raises:
            OutputError: The file cannot be written, or PyAV lacks libx264.
        """
        import av

        self._path = path
        self._size = width, height = video_size(width, height)
        self._planes = np.empty((height * 3 // 2, width), np.uint8)  # reused: fresh memory costs as much as writing it
        rate = nearest_rate(frame_rate)
        # A whole number of ticks per frame keeps 30000/1001 exact.
        self._ticks_per_s = rate.numerator * math.ceil(_MIN_TICKS_PER_S / rate.numerator)
        self._frame_ticks = max(1, round(self._ticks_per_s / rate))
        self._last_pts = -1
        self._closed = self._failed = False
        self._keyframe_due_s = -math.inf
        try:
            self._container = av.open(str(path.absolute()), "w", format="mp4", options=dict(_MP4_OPTIONS))
        except (av.FFmpegError, OSError) as error:
            raise output_error(path, error) from error
        try:
            self._stream = self._add_stream(rate, _X264_QUICK if quick else _X264)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._container.close()
            raise OutputError(
                f"{path} cannot be encoded ({error}); expected PyAV with libx264: reinstall it with pip install av."
            ) from error

    def _add_stream(self, rate: Fraction, options: dict[str, str]) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=rate, options=dict(options))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, self._ticks_per_s)
        context.gop_size = 100_000  # `write` sets keyframes by time
        context.max_b_frames = 0
        context.thread_count = 2  # slices of one image; the network has the other cores
        return stream

    def write(self, image: NDArray[np.uint8], time_s: float) -> None:
        """Encode one image and pass its bytes to the operating system.

        Args:
            image: ``(H, W, 3)`` uint8 BGR; fitted into the first image's size if its own is different.
            time_s: Seconds from the start; never before the previous image's.

        Raises:
            OutputError: The disk is full or gone.
        """
        import av
        import cv2

        cv2.cvtColor(fit_image(image, self._size), cv2.COLOR_BGR2YUV_I420, dst=self._planes)
        # x264 copies the image before it returns, so no copy is needed here. For other heights PyAV's path without a
        # copy loses two rows.
        no_copy = self._size[1] % 4 == 0
        make = av.VideoFrame.from_numpy_buffer if no_copy else av.VideoFrame.from_ndarray
        frame = make(self._planes, format="yuv420p")
        self._last_pts = max(self._last_pts + 1, round(time_s * self._ticks_per_s))
        frame.pts, frame.time_base = self._last_pts, Fraction(1, self._ticks_per_s)
        if time_s >= self._keyframe_due_s:
            frame.pict_type = av.video.frame.PictureType.I
            self._keyframe_due_s = time_s + _KEYFRAME_INTERVAL_S - 0.5 * self._frame_ticks / self._ticks_per_s
        self._encode(frame)

    def _encode(self, frame: object) -> None:
        import av

        try:
            for packet in self._stream.encode(frame):  # type: ignore[arg-type]
                packet.duration = self._frame_ticks
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise output_error(self._path, error) from error

    def close(self) -> None:
        """Write the last fragment; safe to call twice. After a failure the file is cut after its last whole fragment.

        Raises:
            OutputError: The disk is full or gone; what was written before still plays.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._last_pts >= 0 and not self._failed:
                self._encode(None)
        finally:
            self._close_container()

    def _close_container(self) -> None:
        import av

        failed_before = self._failed
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            if not failed_before:
                raise output_error(self._path, error) from error
        finally:
            if self._failed:
                with contextlib.suppress(OSError):
                    cut_to_whole_fragments(self._path)


def nearest_rate(frame_rate: float) -> Fraction:
    """Return the fraction a float stands for: whole, NTSC's (``30000/1001`` for 29.97002997), or a near fraction."""
    for denominator in _COMMON_DENOMINATORS:
        numerator = round(frame_rate * denominator)
        if 0 < numerator <= _MAX_TICKS_PER_S and abs(numerator / denominator / frame_rate - 1) < 1e-6:
            return Fraction(numerator, denominator)
    denominator = max(1, min(1000, int(_MAX_TICKS_PER_S / frame_rate)))
    return max(Fraction(frame_rate).limit_denominator(denominator), Fraction(1, 1000))
