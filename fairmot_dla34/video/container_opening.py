"""Opens a video file or network stream with PyAV (FFmpeg); an error names the reason and a remedy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError

if TYPE_CHECKING:
    import av

URL_TIMEOUT_S = (15.0, 15.0)  # to connect, and to wait for the next packet: a dead server is an error, not a hang


def open_container(location: Path | str, *, shown: str) -> av.container.InputContainer:
    """Open a container for reading.

    Args:
        location: Path of a file, or a URL.
        shown: The location in messages, without credentials.

    Raises:
        SourceError: FFmpeg cannot open it.
    """
    import av

    started_s = time.monotonic()
    try:
        if isinstance(location, Path):
            return _open_input(str(location.absolute()))
        options = {"rtsp_transport": "tcp"} if location.lower().startswith("rtsp") else {}
        return _open_input(location, options=options, timeout=URL_TIMEOUT_S)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(location, Path):
            raise SourceError(_file_error(location, error)) from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        if time.monotonic() - started_s >= URL_TIMEOUT_S[0]:  # FFmpeg's error for a timeout varies
            reason = f"no answer in {URL_TIMEOUT_S[0]:g} s"
        raise SourceError(
            f"{shown} cannot be opened ({reason}); expected a running stream."
            " Check the URL, user and network, and write / ? # in a password as %2F %3F %23."
        ) from None  # FFmpeg's text repeats the URL with its password


def video_of(container: av.container.InputContainer, *, shown: str) -> av.VideoStream:
    """Return the first video stream of a container.

    Args:
        container: Open container.
        shown: Its location in messages, without credentials.

    Raises:
        SourceError: The container has no video stream.
    """
    if not container.streams.video:
        raise SourceError(f"{shown} contains no video stream; expected a video that plays in a video player.")
    return container.streams.video[0]


def _file_error(path: Path, error: Exception) -> str:
    """Return the message for a file that cannot be opened: the reason and a remedy."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as failure:
        return f"{path} cannot be read ({failure.strerror}); expected a video file: check its permissions."
    if not head:
        return f"{path} is empty, 0 bytes; expected a video file: copy or record it again."
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"free", b"wide"}:
        return (
            f"{path} is an mp4 whose index ('moov') is missing or damaged, as an interrupted recording or copy leaves"
            " it; expected a complete file. Copy it again, or repair it with a tool such as untrunc."
        )
    return f"{path} is not a video ({reason}); expected a file that plays in a video player, such as mp4, mkv or avi."


def _open_input(location: str, **options: Any) -> av.container.InputContainer:
    """Open for reading, also if metadata is not UTF-8: PyAV 19 always accepts it, earlier releases need an option."""
    import av

    if int(av.__version__.partition(".")[0]) < 19:
        options["metadata_errors"] = "replace"
    container: av.container.InputContainer = av.open(location, "r", **options)
    return container
