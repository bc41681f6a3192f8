"""Opens the source that a user names: a path, a pattern, a camera index, a URL or an iterable of images."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError, SourceError, SourceNotFoundError
from ..memory import require_import_memory
from .image_animation import AnimationSource, frame_count, is_animated_png
from .image_decoding import MAX_FILE_BYTES
from .image_size import size_of_image, too_large
from .images import IMAGE_SUFFIXES, ImageSource, is_image, natural_key
from .locations import EXPECTED, check_camera_index, check_url, named_path
from .names import file_name, folder_name, glob_name
from .regular_files import check_regular, read_regular
from .source import Source


def open_source(
    spec: Source | str | os.PathLike[str] | int | Iterable[Any],
    frame_rate: float | None = None,
    frame_stride: int = 1,
    *,
    url_timeout_s: tuple[float, float] | None = None,
) -> Source:
    """Open a video of any kind.

    Args:
        spec: Path of a video file, an image or a folder of images; a glob pattern of images; a camera index (``0`` or
            ``"0"``); a URL; an iterable of ``(H, W, 3)`` uint8 BGR arrays; or a `Source`, which is returned as it is.
        frame_rate: Frames per second of the source itself, before the stride; overrides what it states. The times of
            a file's frames then follow from it, not from the time stamps; live streams and cameras keep theirs.
        frame_stride: Use every n-th frame; indices still count all of them.
        url_timeout_s: Longest waits of a URL, in seconds: to connect, and for the next packet; None: 15 s each. It has
            no effect on other sources.

    Returns:
        The source, to be used as a context manager and read once.

    Raises:
        SourceNotFoundError: The file or folder does not exist, or a pattern matches nothing.
        SourceError: The source exists but is not a video, or cannot be opened.
        InvalidInputError: ``spec`` is of an unknown kind, a number is out of its range, or a frame rate or stride is
            given beside a `Source`.
        OutOfMemoryError: The memory limits of this process are too low for OpenCV and PyAV.
    """
    require_import_memory("numpy", "cv2", "av", purpose="Reading a video")
    if isinstance(spec, Source):
        if frame_rate is not None or frame_stride != 1:
            raise InvalidInputError(
                f"frame_rate is {frame_rate!r} and frame_stride is {frame_stride!r} beside a {type(spec).__name__};"
                " expected neither: pass them to its constructor."
            )
        return spec
    rates: dict[str, Any] = {"frame_rate": frame_rate, "frame_stride": frame_stride}
    if isinstance(spec, int) and not isinstance(spec, bool):
        return _camera(spec, rates)
    if isinstance(spec, (str, os.PathLike)):
        return _open_named(spec, rates, url_timeout_s)
    return _arrays(spec, rates)


def _open_named(
    spec: str | os.PathLike[str], rates: dict[str, Any], url_timeout_s: tuple[float, float] | None
) -> Source:
    text, path = named_path(spec)
    if path is not None:
        return _open_path(path, rates)
    return _camera(text, rates) if text.isdecimal() else _url(text, {**rates, "url_timeout_s": url_timeout_s})


def _open_path(path: Path, rates: dict[str, Any]) -> Source:
    try:
        entries = list(path.iterdir()) if path.is_dir() else None
        exists = path.exists()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); {EXPECTED}. Check its permissions.") from error
    if entries is not None:
        return _folder(path, entries, rates)
    if exists:
        check_regular(path)
        return _image(path, rates) if is_image(path) else _file(path, rates)
    if glob.has_magic(str(path)):
        return _glob(path, rates)
    raise SourceNotFoundError(f"{path} does not exist; {EXPECTED}. Check the spelling and the current folder.")


def _folder(path: Path, entries: list[Path], rates: dict[str, Any]) -> Source:
    files = sorted(filter(is_image, entries), key=natural_key)
    if not files:
        suffixes = ", ".join(sorted(s[1:] for s in IMAGE_SUFFIXES))
        raise SourceError(
            f"Folder {path} contains no images; expected files ending in {suffixes}: name another folder, or a"
            " video directly."
        )
    return ImageSource(files, name=folder_name(path), shown=str(path), **rates)


def _image(path: Path, rates: dict[str, Any]) -> Source:
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); expected an image: check its permissions."
        ) from error
    if is_animated_png(data):
        return _file(path, rates)
    if frame_count(data) > 1:
        return AnimationSource(path, **rates)
    if (size := size_of_image(data)) and (reason := too_large(size)):
        raise SourceError(f"{path} is too large: {reason}; expected a smaller image: reduce its size.")
    return ImageSource([path], name=file_name(path), shown=str(path), **rates)


def _glob(pattern: Path, rates: dict[str, Any]) -> Source:
    matches = list(dict.fromkeys(matching_paths(str(pattern))))
    files = sorted((p for p in matches if is_image(p)), key=natural_key)
    if files:
        return ImageSource(files, name=glob_name(str(pattern)), shown=str(pattern), **rates)
    if matches:
        raise SourceError(
            f"Pattern {pattern} matches no images but {len(matches)} other files, such as {matches[0].name};"
            " expected images: name a video directly."
        )
    raise SourceNotFoundError(
        f"Pattern {pattern} matches nothing; expected existing files: check the pattern and the current folder."
    )


def matching_paths(pattern: str) -> Iterator[Path]:
    """Yield the paths that a pattern matches; ``**`` enters each folder once, whatever links lead to it."""
    parts = Path(pattern).parts
    if "**" not in parts:
        yield from map(Path, glob.glob(pattern))  # noqa: PTH207 (takes an absolute pattern)
        return
    position = parts.index("**")
    rest, seen = parts[position + 1 :] or ("*",), set[str]()
    for top in glob.glob(str(Path(*parts[:position]))):  # noqa: PTH207
        for folder, folders, _ in os.walk(top, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from matching_paths(str(Path(glob.escape(folder), *rest)))


def _file(path: Path, rates: dict[str, Any]) -> Source:
    from .container import ContainerSource

    return ContainerSource(path, **rates)


def _url(url: str, settings: dict[str, Any]) -> Source:
    from .container import ContainerSource

    check_url(url)
    return ContainerSource(url, **settings)


def _camera(index: int | str, rates: dict[str, Any]) -> Source:
    from .camera import CameraSource

    return CameraSource(check_camera_index(index), **rates)


def _arrays(spec: object, rates: dict[str, Any]) -> Source:
    from .arrays import ArraySource

    if getattr(spec, "ndim", None) in {2, 3}:
        shape = getattr(spec, "shape", "")
        raise InvalidInputError(f"Source is one array of shape {shape}; expected a list of images: pass [image].")
    if isinstance(spec, (bytes, bytearray, bool)) or not isinstance(spec, Iterable):
        raise InvalidInputError(f"Source is a {type(spec).__name__}; {EXPECTED}.")
    return ArraySource(spec, **rates)
