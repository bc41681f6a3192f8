"""Reads frame rate, frame count and duration of a video stream before a frame is decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .demuxers import UNTIMED

if TYPE_CHECKING:
    from fractions import Fraction

    import av

_MICROSECONDS_PER_S = 1_000_000  # av.time_base, the unit of a container's duration
MAX_FRAME_RATE = 1000.0  # frames/s; a higher stated rate is that of a clock (90000), not of a camera
_MAX_CAMERA_RATE = 240.0  # frames/s; a base rate above it is that of a clock too
_GAP_FACTOR = 100.0  # a lower average includes gaps between recordings, or a jump of the clock
_MAX_DURATION_S = 30 * 24 * 3600.0  # a longer one comes from a jump of the clock
_ROUNDING = 0.0005  # relative; an average this close to the standard rate is that rate; 29.97 and 30 differ by 0.001

# formats without a stated duration: FFmpeg estimates it
_ESTIMATED_FORMATS = {"mpegts", "mpeg", "h264", "hevc", "mjpeg", "m4v", "mpegvideo", "obu"}


def has_time_stamps(container: av.container.InputContainer, *, is_http: bool) -> bool:
    """Return whether a network stream carries time stamps; if not, FFmpeg invents them at 25 frames/s.

    Args:
        container: Open container of a URL.
        is_http: Whether it may be a file: one of known size has no arrivals worth measuring.
    """
    if not UNTIMED & set(container.format.name.split(",")):
        return True
    return is_http and container.format.name != "mpjpeg" and container.size > 0


def frame_rate_of(stream: av.VideoStream) -> float | None:
    """Return the stream's true frame rate in frames per second, or None if no plausible rate is stated.

    The average over the stream is right for a variable frame rate. If it differs from a standard rate only by the
    rounding of time stamps, the standard rate is returned: 30000/1001, not 29.9698.
    """
    average, base = _plausible(stream.average_rate), _plausible(stream.base_rate)
    if average and base and base > _GAP_FACTOR * average and base <= _MAX_CAMERA_RATE:  # time stamps that jump
        return base
    if average and base and abs(average / base - 1) < _ROUNDING:
        return base
    return average or _plausible(stream.guessed_rate) or base


def frame_count_of(stream: av.VideoStream, duration_s: float | None, rate: float | None) -> int | None:
    """Return the number of frames the container states, else its duration times its rate, else None."""
    if stream.frames > 0:
        return int(stream.frames)
    if duration_s and rate and duration_s < _MAX_DURATION_S:
        return max(1, round(duration_s * rate))
    return None


def duration_of(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Return the seconds of video the container states, or None if they are missing or only estimated.

    FFmpeg estimates the duration of MPEG-TS and raw streams from the bit rate; a container with several streams states
    the duration of the longest.
    """
    estimated = _ESTIMATED_FORMATS & set(container.format.name.split(","))
    if stream.duration and stream.time_base and not estimated:
        return float(stream.duration * stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", "").strip("\0 "))
    if tag:  # Matroska states it per stream
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
    if not estimated and container.duration and container.duration > 0 and len(container.streams) == 1:
        return container.duration / _MICROSECONDS_PER_S
    return None


def _plausible(rate: Fraction | None) -> float | None:
    return float(rate) if rate and 0 < rate <= MAX_FRAME_RATE else None
