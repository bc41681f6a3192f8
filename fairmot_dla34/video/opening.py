"""From what a user typed to an open source."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import InvalidInputError, SourceError, SourceNotFoundError
from .names import folder_name, glob_name, hide_secrets, stem_of
from .pictures import IMAGE_SUFFIXES, PictureSource, is_image, natural_key

if TYPE_CHECKING:
    from .source import Source

_SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "tcp", "rtp", "srt")
_LAST_CAMERA = 2**31 - 1  # OpenCV takes a C int
_TAKEN = (
    "expected a video file, a folder of images, a glob pattern, a camera index, an rtsp://, http://, https:// or"
    " rtmp:// URL, or an iterable of images"
)


def open_source(
    spec: str | os.PathLike[str] | int | Iterable[Any], frame_rate: float | None = None, frame_stride: int = 1
) -> Source:
    """Open a video of any kind.

    Args:
        spec: Path of a video file, an image or a folder of images; a glob pattern of images; a camera index (``0`` or
            ``"0"``); a URL; or an iterable of ``(H, W, 3)`` uint8 BGR arrays.
        frame_rate: Frames per second of the source itself, before the stride; overrides what it states. The frames of
            a file are then that far apart, whatever its time stamps say; live streams and cameras keep theirs.
        frame_stride: Hand out every n-th frame; indices keep counting all of them.

    Returns:
        The source, to be used as a context manager and read once.

    Raises:
        SourceNotFoundError: No such file or folder, or a pattern matches nothing.
        SourceError: It is there but is no video, or cannot be opened.
        InvalidInputError: ``spec`` is of no kind known, or a number is out of its range.
    """
    rates: dict[str, Any] = {"frame_rate": frame_rate, "frame_stride": frame_stride}
    if isinstance(spec, int) and not isinstance(spec, bool):
        return _camera(spec, rates)
    if isinstance(spec, (str, os.PathLike)):
        return _open_named(spec, rates)
    return _arrays(spec, rates)


def _open_named(spec: str | os.PathLike[str], rates: dict[str, Any]) -> Source:
    text = os.fspath(spec)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise InvalidInputError(f"Source is {text!r}; {_TAKEN}.")
    if isinstance(spec, str):
        if text.isdecimal() and not Path(text).exists():
            return _camera(int(text), rates)
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", text)
        if scheme and scheme[1].lower() == "file":
            text = url2pathname(text[len("file://") :])
        elif scheme:
            return _url(text, scheme[1].lower(), rates)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:  # ~ of a user that is not there
        raise SourceNotFoundError(f"{text} is in no known home folder ({error}); {_TAKEN}: write it out.") from error
    return _open_path(path, rates)


def _open_path(path: Path, rates: dict[str, Any]) -> Source:
    try:
        inside = list(path.iterdir()) if path.is_dir() else None
        exists = path.exists()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); {_TAKEN}: check its permissions.") from error
    if inside is not None:
        return _folder(path, inside, rates)
    if exists and is_image(path):
        return PictureSource([path], name=stem_of(path), shown=str(path), **rates)
    if exists:
        return _file(path, rates)
    if glob.has_magic(str(path)):
        return _glob(path, rates)
    raise SourceNotFoundError(f"{path} does not exist; {_TAKEN}: check the spelling and the current folder.")


def _folder(path: Path, inside: list[Path], rates: dict[str, Any]) -> Source:
    files = sorted(filter(is_image, inside), key=natural_key)
    if not files:
        kinds = ", ".join(sorted(s[1:] for s in IMAGE_SUFFIXES))
        raise SourceError(f"Folder {path} holds no images; expected files ending in {kinds}: name the right folder.")
    return PictureSource(files, name=folder_name(path), shown=str(path), **rates)


def _glob(pattern: Path, rates: dict[str, Any]) -> Source:
    matches = [Path(match) for match in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207 (takes an absolute pattern)
    files = sorted((p for p in matches if is_image(p)), key=natural_key)
    if files:
        return PictureSource(files, name=glob_name(str(pattern)), shown=str(pattern), **rates)
    if matches:
        raise SourceError(
            f"Pattern {pattern} matches no images but {len(matches)} other files, such as {matches[0].name};"
            " expected images: give a video by its own name, one at a time."
        )
    raise SourceNotFoundError(f"Pattern {pattern} matches nothing; expected image files: check it and the folder.")


def _file(path: Path, rates: dict[str, Any]) -> Source:
    from .container import ContainerSource

    return ContainerSource(path, **rates)


def _url(url: str, scheme: str, rates: dict[str, Any]) -> Source:
    from .container import ContainerSource

    if scheme not in _SCHEMES:
        raise InvalidInputError(f"Source {hide_secrets(url)} starts with {scheme}://; {_TAKEN}.")
    try:
        urlsplit(url)
    except ValueError as error:
        raise InvalidInputError(f"Source {hide_secrets(url)} is no address ({error}); {_TAKEN}: check it.") from None
    return ContainerSource(url, **rates)


def _camera(index: int, rates: dict[str, Any]) -> Source:
    from .camera import CameraSource

    if not 0 <= index <= _LAST_CAMERA:
        raise InvalidInputError(
            f"Camera index is {index}; expected 0 for the first camera, 1 for the second: a file or folder of that name"
            " is not here."
        )
    return CameraSource(index, **rates)


def _arrays(spec: object, rates: dict[str, Any]) -> Source:
    from .arrays import ArraySource

    if getattr(spec, "ndim", None) in {2, 3}:
        shape = getattr(spec, "shape", "")
        raise InvalidInputError(f"Source is one array of shape {shape}; expected a list of images: pass [image].")
    if isinstance(spec, (bytes, bytearray, bool)) or not isinstance(spec, Iterable):
        raise InvalidInputError(f"Source is a {type(spec).__name__}; {_TAKEN}.")
    return ArraySource(spec, **rates)
