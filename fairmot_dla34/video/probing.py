"""What a container says about its video stream before a frame is decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    import av

_MICROSECOND = 1_000_000  # av.time_base: a container's duration counts these
_FASTEST = 1000.0  # frames/s; above it a stated rate is a clock (90000), not a camera
_SNAP = 0.0005  # an average this close to the container's standard rate is that rate; 29.97 and 30 differ by .001

# formats without a duration of their own
_GUESSING = {"mpegts", "mpeg", "h264", "hevc", "mjpeg", "m4v", "mpegvideo", "obu"}


def frame_rate_of(stream: av.VideoStream) -> float | None:
    """The stream's true frame rate in frames per second, or None where nothing sensible is stated.

    The average over the stream is right for a variable frame rate; where it misses a standard rate by a rounding of
    time stamps only, the standard rate is meant: 30000/1001, not 29.9698.
    """
    average, base = _sensible(stream.average_rate), _sensible(stream.base_rate)
    if average and base and abs(average / base - 1) < _SNAP:
        return base
    return average or _sensible(stream.guessed_rate) or base


def frame_count_of(stream: av.VideoStream, duration_s: float | None, rate: float | None) -> int | None:
    """The number of frames the container states, else its duration times its rate, else None."""
    if stream.frames > 0:
        return int(stream.frames)
    if duration_s and rate:
        return max(1, round(duration_s * rate))
    return None


def duration_of(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Seconds of video the container states, or None where it does not or only guesses.

    MPEG-TS and raw streams have their duration guessed from the bit rate; a container with other streams states the
    longest one's.
    """
    guessed = _GUESSING & set(container.format.name.split(","))
    if stream.duration and stream.time_base and not guessed:
        return float(stream.duration * stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", "").strip("\0 "))
    if tag:  # Matroska, per stream
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
    if not guessed and container.duration and container.duration > 0 and len(container.streams) == 1:
        return container.duration / _MICROSECOND
    return None


def _sensible(rate: Fraction | None) -> float | None:
    return float(rate) if rate and 0 < rate <= _FASTEST else None
