"""Checks that a path names a regular file: reading a pipe, a device or a socket might never end."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from ..errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


def check_regular(path: Path) -> None:
    """Check a path, or what a symbolic link leads to, without opening it.

    Raises:
        SourceError: It is not a regular file, is empty, or is out of reach.
    """
    try:
        status = path.stat()
        camera = re.fullmatch(r"/dev/video(\d+)", str(path.resolve()))
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror}); expected a video file: check its permissions."
        ) from error
    if camera and not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is a camera's device, not a file; pass the camera's index instead: {camera[1]}.")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(
            f"{path} is {kind_of(status.st_mode)}; expected a regular file: record the stream to a file, or pass its"
            " URL."
        )
    if status.st_size == 0:
        raise SourceError(f"{path} is empty, 0 bytes; expected a video file: copy or record it again.")


def read_regular(path: Path, limit: int) -> bytes:
    """Read a whole file; a pipe or a device is refused before it can block.

    Args:
        path: A file.
        limit: Largest size in bytes.

    Raises:
        OSError: It is not a regular file, cannot be read, or is larger than the limit.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"it is {kind_of(status.st_mode)}, not a regular file")
        if status.st_size > limit:
            raise OSError(f"it has {status.st_size} bytes, more than {limit}")
        return file.read(status.st_size)  # a larger number would be allocated in whole


def kind_of(mode: int) -> str:
    """Return the kind of a path in words, such as "a named pipe".

    Args:
        mode: ``st_mode`` of a path that is not a regular file.
    """
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "a special file")
