"""Atomic file writes and appends, digests, and errors with a remedy for results that cannot be written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import threading
from typing import TYPE_CHECKING

from .errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO

_BLOCK_BYTES = 1 << 20
_TEMPORARIES: set[Path] = set()  # files of `replaced_file` that exist now
_TEMPORARIES_LOCK = threading.RLock()  # held while one is created
_REMEDIES = {
    errno.ENOSPC: "free space on that disk or name another output directory",
    errno.EDQUOT: "free space within your quota or name another output directory",
    errno.EFBIG: "raise the limit on file sizes or name another output directory",
    errno.EACCES: "change its permissions or name another output directory",
    errno.EPERM: "change its permissions or name another output directory",
    errno.EROFS: "it is read-only; name an output directory elsewhere",
    errno.ENOTDIR: "a file exists where a folder is needed; move it or name another output directory",
    errno.EEXIST: "a file exists where a folder is needed; move it or name another output directory",
    errno.EISDIR: "a folder exists where a file is needed; move it or name another output directory",
    errno.ENAMETOOLONG: "the name is too long; rename the source or name a shorter output directory",
}


def write_whole(path: Path, *content: bytes) -> None:
    """Write a file that other processes see whole or not at all; see `replaced_file`.

    Args:
        path: File to write; its folder is created.
        content: Bytes of the whole file, in one part or several.

    Raises:
        OSError: The file cannot be written. ``path`` is unchanged and no temporary file remains.
    """
    with replaced_file(path) as file:
        file.writelines(content)


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``path`` at the end of the context, and does not if an error ends it.

    The content goes to a temporary file in the same folder, is flushed to the disk, and replaces ``path`` atomically.

    Args:
        path: File to write; its folder is created.

    Yields:
        The temporary file, open for writing.

    Raises:
        OSError: The file cannot be written. ``path`` is unchanged and no temporary file remains.
    """
    make_folder(path.parent)
    temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")  # short, even if the name of `path` is not
    try:
        with _TEMPORARIES_LOCK:
            _TEMPORARIES.add(temporary)
            file = temporary.open("xb")  # a file from `tempfile` would be readable by its owner only
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # otherwise a power failure after the rename could leave an empty file
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to report
            temporary.unlink()
        raise
    finally:
        _TEMPORARIES.discard(temporary)


def remove_temporaries() -> None:
    """Remove the files of `replaced_file` in all threads, and admit no new ones; this process must end next."""
    _TEMPORARIES_LOCK.acquire(timeout=1.0)  # it is not released; a disk that hangs may hold it
    for path in tuple(_TEMPORARIES):
        with contextlib.suppress(OSError):
            path.unlink()


def make_folder(path: Path) -> None:
    """Create a folder and those above it, if they do not exist.

    Raises:
        OSError: One of them cannot be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except FileNotFoundError:
        for folder in (*reversed(path.parents), path):  # mkdir(parents=True) calls itself, up to Python's limit
            folder.mkdir(exist_ok=True)


def append_whole(file: FileIO, content: str | bytes) -> None:
    """Append text or bytes to a file, all of it or nothing.

    Args:
        file: File open for writing without a buffer, positioned at its end.
        content: Text to append, encoded as UTF-8, or bytes.

    Raises:
        OSError: The content cannot be written. The file is as long as before, unless it is a device or a pipe.
    """
    start = file.tell() if file.seekable() else None
    rest = memoryview(content.encode() if isinstance(content, str) else content)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
    except BaseException:  # also Ctrl-C between two parts
        if start is not None:
            with contextlib.suppress(OSError):  # a device cannot be truncated
                file.truncate(start)
                file.seek(start)
        raise


def file_digest(path: Path, algorithm: str) -> bytes:
    """Return a digest of the content of a file.

    Args:
        path: File to read.
        algorithm: Name known to `hashlib`, such as ``sha256``.

    Raises:
        OSError: The file cannot be read.
    """
    # usedforsecurity=False allows MD5 on systems whose security policy disables it; it detects damage, not attacks.
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.digest()


def output_error(path: Path, error: Exception) -> OutputError:
    """Convert an error of the operating system or of FFmpeg to an `OutputError` with a remedy.

    Args:
        path: File or folder that could not be written.
        error: An ``OSError`` or an FFmpeg error.

    Returns:
        The error to raise, with the ``errno`` of ``error``.
    """
    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or str(error)
    remedy = _REMEDIES.get(number or 0, "check the disk or name another output directory")
    wrapped = OutputError(
        f"{path} cannot be written ({reason}); expected a file in a writable folder with free space: {remedy}."
    )
    wrapped.errno = number
    return wrapped
