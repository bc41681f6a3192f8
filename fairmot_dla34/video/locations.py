"""Tells paths, URLs and camera indices apart, and checks them without opening anything."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..config import shown
from ..errors import InvalidInputError, SourceNotFoundError
from .names import redact_url

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "tcp", "rtp", "srt")
EXPECTED = (
    "expected a video file, a folder of images, a glob pattern, a camera index, an rtsp://, http://, https:// or"
    " rtmp:// URL, or an iterable of images"
)
_EXPECTED_LOCATION = "expected an rtsp://, http://, https:// or rtmp:// URL, a camera index, or a video file"
_MAX_CAMERA_INDEX = 2**31 - 1  # OpenCV takes a C int
_MAX_DIGITS = 100  # of an index as text; Python refuses to convert thousands of them


def local_path(text: str) -> Path | None:
    """Return the path or the pattern that a text names; None for a camera's index and for a URL except ``file://``.

    Raises:
        RuntimeError: It names the home folder of an unknown user.
    """
    if text.isdecimal() and not _exists(Path(text)):
        return None
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
    if scheme and scheme[1].lower() == "file":
        text = url2pathname(re.sub("^localhost(?=/)", "", text[len("file://") :]))  # RFC 8089
    elif scheme:
        return None
    return Path(text).expanduser()


def named_path(spec: str | os.PathLike[str], expected: str = EXPECTED) -> tuple[str, Path | None]:
    """Return the text that names a source, and the path or pattern of a local one.

    Args:
        spec: Path, pattern, URL or digits.
        expected: Description of valid values in messages.

    Raises:
        InvalidInputError: It is empty, not text, or has a null character.
        SourceNotFoundError: It names the home folder of an unknown user.
    """
    text = os.fspath(spec)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise InvalidInputError(f"Source is {text!r}; {expected}.")
    try:
        return text, local_path(text) if isinstance(spec, str) else Path(text).expanduser()
    except RuntimeError as error:  # ~ of an unknown user
        raise SourceNotFoundError(
            f"{text} names an unknown home folder ({error}); {expected}. Write the path in full."
        ) from error


def check_url(url: str) -> str:
    """Return the scheme of a URL, in lower case.

    Raises:
        InvalidInputError: The scheme is unknown, or the URL is not valid.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise InvalidInputError(f"Source {redact_url(url)} starts with {scheme}://; {EXPECTED}.")
    try:
        urlsplit(url)
    except ValueError as error:
        raise InvalidInputError(
            f"Source {redact_url(url)} is not a valid URL ({error}); {EXPECTED}. Check the URL."
        ) from None
    return scheme


def check_camera_index(index: int | str) -> int:
    """Return the index of a camera of this machine.

    Args:
        index: Number, or decimal digits.

    Raises:
        InvalidInputError: It is negative, or more than a driver accepts.
    """
    number = -1 if isinstance(index, str) and len(index) > _MAX_DIGITS else int(index)
    if not 0 <= number <= _MAX_CAMERA_INDEX:
        raise InvalidInputError(
            f"Camera index is {shown(index)}; expected 0 for the first camera, 1 for the second. No file or folder has"
            " that name either."
        )
    return number


def check_location(spec: object) -> None:
    """Check that a source is a URL, a camera index or an existing path; nothing is opened.

    Raises:
        InvalidInputError: It is none of these, or a URL or an index that can never work.
        SourceNotFoundError: It is a path that does not exist.
    """
    if isinstance(spec, int) and not isinstance(spec, bool):
        check_camera_index(spec)
        return
    if not isinstance(spec, (str, os.PathLike)):
        raise InvalidInputError(f"Source is a {type(spec).__name__}; {_EXPECTED_LOCATION}.")
    text, path = named_path(spec, _EXPECTED_LOCATION)
    if path is None:
        if text.isdecimal():
            check_camera_index(text)
        else:
            check_url(text)
    elif not _exists(path) and not (glob.has_magic(str(path)) and next(glob.iglob(str(path)), None)):  # noqa: PTH207
        after_password = str(path).rpartition("@")[2]  # of a URL with a wrong start, such as rtsp:/user:password@host
        raise SourceNotFoundError(f"{after_password} does not exist; {_EXPECTED_LOCATION}. Check the spelling.")


def is_live_location(spec: str | os.PathLike[str] | int) -> bool:
    """Return whether a valid source is a URL or a camera index, which may come and go, and not a path."""
    return isinstance(spec, int) or named_path(spec)[1] is None


def redact(spec: str | os.PathLike[str] | int) -> str:
    """Return a valid source as shown in messages: a URL without user, password, query and fragment."""
    if isinstance(spec, int) or (isinstance(spec, str) and spec.isdecimal() and is_live_location(spec)):
        return f"camera {check_camera_index(spec)}"
    text, path = named_path(spec)
    return redact_url(text) if path is None else text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is too long, or a folder above it cannot be read
        return False
