"""The video file as the page plays it: referenced by a relative path, or embedded as a data URL."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..errors import InvalidInputError, SourceError
from ..messages import UNSAFE
from ..video.regular_files import read_regular

MAX_EMBEDDED_BYTES = 50_000_000
_CODECS = ("h264", "vp8", "vp9", "av1")
_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}


@dataclass(frozen=True)
class Playback:
    """Video of the page.

    Attributes:
        url: Relative URL, ``file:`` URL or data URL; "" without a video to play.
        name: File name, for messages.
        embedded: Whether the page contains the video.
        problem: Codec or suffix that browsers do not play; "" if they do.
    """

    url: str = ""
    name: str = ""
    embedded: bool = False
    problem: str = ""


def video_playback(source: Path, page: Path, *, embed: bool) -> Playback:
    """Return how the page plays a video file.

    Args:
        source: The video file.
        page: File of the page.
        embed: Put the video into the page.

    Raises:
        InvalidInputError: It shall be embedded, but is too large or of a kind that browsers do not play.
        SourceError: It shall be embedded, but cannot be read.
    """
    name, problem = UNSAFE.sub("\N{REPLACEMENT CHARACTER}", source.name), _problem(source)
    if not embed:
        return Playback("" if problem else _reference(source, page), name, problem=problem)
    if problem:
        raise InvalidInputError(
            f"embed_video is True for {source}, but browsers do not play {problem}; expected H.264, VP9 or AV1 in mp4"
            " or webm: convert the video."
        )
    size = source.stat().st_size
    if size > MAX_EMBEDDED_BYTES:
        raise InvalidInputError(
            f"embed_video is True for {source} with {size / 1e6:.0f} MB; expected at most"
            f" {MAX_EMBEDDED_BYTES / 1e6:.0f} MB: leave it out, so that the page refers to the file."
        )
    try:
        content = base64.b64encode(read_regular(source, MAX_EMBEDDED_BYTES)).decode("ascii")
    except OSError as error:
        raise SourceError(
            f"{source} cannot be read ({error.strerror or error}); expected a video to embed: check its permissions."
        ) from error
    return Playback(f"data:{_TYPES[source.suffix.lower()]};base64,{content}", name, embedded=True)


def _reference(source: Path, page: Path) -> str:
    """Return the URL of a file relative to the page; an absolute one on another drive."""
    target = source.resolve()
    try:
        relative = Path(os.path.relpath(target, page.resolve().parent)).as_posix()
    except ValueError:  # on Windows
        return target.as_uri()
    return "./" + quote(os.fsencode(relative))


def _problem(source: Path) -> str:
    """Return the codec or the suffix that browsers do not play; "" if they do."""
    import av

    if source.suffix.lower() not in _TYPES:
        return source.suffix.lower() or "a file without a suffix"
    try:
        with av.open(str(source)) as container:
            codec = container.streams.video[0].codec_context.name
    except (OSError, ValueError, IndexError, av.FFmpegError):  # the frames were read by other means
        return "its format"
    return "" if codec.removeprefix("lib").partition("-")[0] in _CODECS or codec == "libdav1d" else codec
