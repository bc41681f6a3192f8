"""Opens a video file or network stream with PyAV (FFmpeg); an error names the reason and a remedy."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutOfMemoryError, SourceAccessError, SourceError
from .background import run_in_background
from .demuxers import file_options, url_options
from .image_size import MAX_SOURCE_PIXELS, size_of_image, too_large
from .playlists import check_playlist, is_playlist

if TYPE_CHECKING:
    import av

# To connect, and to wait for the next packet, unless a caller needs others: a dead server is an error, not a hang.
URL_TIMEOUT_S = (15.0, 15.0)
_GRACE_S = 10.0  # FFmpeg applies the limit twice, to connect and to probe, but not while it looks up a host's name
_HEAD_BYTES = 1 << 16
_SAFE_OPTIONS = 17  # release of PyAV

DECODER_OPTIONS = {"max_pixels": str(MAX_SOURCE_PIXELS)}  # also for a size that changes in the middle


def open_container(location: Path | str, *, shown: str, timeout_s: tuple[float, float]) -> av.container.InputContainer:
    """Open a container for reading; Ctrl-C takes effect while it waits.

    Args:
        location: Path of a file, or a URL.
        shown: The location in messages, without credentials.
        timeout_s: Longest waits of a URL or a playlist, in seconds: to connect, and for the next packet.

    Raises:
        SourceAccessError: The server refuses the user or the password.
        SourceError: FFmpeg cannot open it, or it is not in a format of videos.
        OutOfMemoryError: FFmpeg cannot allocate what its header asks for.
    """
    import av

    started_s = time.monotonic()
    try:
        if isinstance(location, Path):
            return _open_file(location, timeout_s)
        return _open_input(location, options=url_options(location.partition("://")[0].lower()), timeout=timeout_s)
    except MemoryError as error:
        raise out_of_memory(shown) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        reason = _reason(error)
        if time.monotonic() - started_s >= timeout_s[0]:  # FFmpeg's error for a timeout varies
            reason = f"no answer in {timeout_s[0]:g} s"
        if isinstance(location, Path):
            raise SourceError(_file_error(location, reason)) from error
        if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
            raise SourceAccessError(
                f"{shown} refuses access ({reason}); expected the user and password of an account that may see it."
                " Check them in the URL, and write / ? # in a password as %2F %3F %23."
            ) from None
        raise SourceError(
            f"{shown} cannot be opened ({reason}); expected a running stream."
            " Check the URL, user and network, and write / ? # in a password as %2F %3F %23."
        ) from None  # FFmpeg's text repeats the URL with its password


def video_of(container: av.container.InputContainer, *, shown: str) -> av.VideoStream:
    """Return the first video stream of a container that is not a cover image, ready to decode.

    Args:
        container: Open container.
        shown: Its location in messages, without credentials.

    Raises:
        SourceError: The container has no video stream, or one that is too large or cannot be decoded.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise SourceError(f"{shown} contains no video stream; expected a video that plays in a video player.")
    context = streams[0].codec_context
    if context is None:
        raise SourceError(
            f"{shown} is encoded with a codec that FFmpeg cannot decode; expected a video such as H.264: convert it."
        )
    check_size((context.width, context.height), shown=shown)
    context.options = {**context.options, **DECODER_OPTIONS}
    # Threads over slices only: threads over frames report a corrupt packet several packets late.
    streams[0].thread_type = "SLICE"
    return streams[0]


def check_size(size: tuple[int, int], *, shown: str) -> None:
    """Check width and height of a source in px.

    Args:
        size: Width and height.
        shown: The source in messages.

    Raises:
        SourceError: They are more than `MAX_SOURCE_PIXELS`.
    """
    if reason := too_large(size):
        raise SourceError(f"{shown} is too large: {reason}; expected a smaller size: scale it down.")


def out_of_memory(shown: str) -> OutOfMemoryError:
    """Return the error for memory that FFmpeg cannot allocate.

    Args:
        shown: The source in messages, without credentials.
    """
    return OutOfMemoryError(
        f"{shown} needs more memory than FFmpeg can allocate; expected an intact video: check that it plays in a video"
        " player, or raise the memory limit of this process."
    )


def decoding_error(error: Exception) -> str:
    """Return the reason why a frame could not be decoded.

    Args:
        error: Error of FFmpeg or PyAV.
    """
    if getattr(error, "errno", None) == errno.EINVAL:  # also that of `max_pixels`
        return f"its header is damaged, or it has more than {MAX_SOURCE_PIXELS // 10**6} million px"
    return getattr(error, "strerror", None) or type(error).__name__


def _open_file(path: Path, timeout_s: tuple[float, float]) -> av.container.InputContainer:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    playlist = is_playlist(head)
    if playlist:
        check_playlist(path)
    elif size := size_of_image(head):
        check_size(size, shown=str(path))  # FFmpeg would refuse it without a reason
    return _open_input(
        str(path.absolute()),
        options=file_options(is_playlist=playlist),
        timeout=timeout_s if playlist else None,  # an unfinished playlist is waited for
    )


def _open_input(
    location: str, *, options: dict[str, str], timeout: tuple[float, float] | None
) -> av.container.InputContainer:
    """Open for reading, also if metadata is not UTF-8: PyAV 19 always accepts it, earlier releases need an option."""
    import av

    release = int(av.__version__.partition(".")[0])
    more: dict[str, Any] = {"timeout": timeout} if timeout else {}
    if release < 19:
        more["metadata_errors"] = "replace"
    # Before PyAV 17, "options" crash the process for formats such as FLV, whose header states no streams.
    kind = "options" if release >= _SAFE_OPTIONS else "container_options"
    more[kind] = {**options, **DECODER_OPTIONS}

    def run() -> av.container.InputContainer:
        container: av.container.InputContainer = av.open(location, "r", **more)
        return container

    return run_in_background(
        run,
        discard=lambda container: container.close(),
        name="fairmot_dla34 opener",
        timeout_s=2 * timeout[0] + _GRACE_S if timeout else None,
    )


def _is_cover(stream: av.VideoStream) -> bool:
    disposition: Any = getattr(stream, "disposition", None)  # PyAV 14 and later
    return "attached_pic" in str(getattr(disposition, "name", None))


def _reason(error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EINVAL:  # FFmpeg's error for a format or protocol that is not allowed
        return "FFmpeg takes it for another kind of file"
    return getattr(error, "strerror", None) or type(error).__name__


def _file_error(path: Path, reason: str) -> str:
    """Return the message for a file that cannot be opened: the reason and a remedy."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as failure:
        return f"{path} cannot be read ({failure.strerror}); expected a video file: check its permissions."
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"free", b"wide"}:
        return (
            f"{path} is an mp4 whose index ('moov') is missing or damaged, as an interrupted recording or copy leaves"
            " it; expected a complete file. Copy it again, or repair it with a tool such as untrunc."
        )
    return f"{path} is not a video ({reason}); expected a file that plays in a video player, such as mp4, mkv or avi."
