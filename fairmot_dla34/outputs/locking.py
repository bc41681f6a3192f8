"""Locks of files against other runs, in this process or another one. The system releases them if a process dies."""

from __future__ import annotations

import errno
import sys
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(file: FileIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: FileIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}  # the last two on Windows


class LockHeldError(Exception):
    """Another run holds the lock."""


class FileLock(FileIO):
    """A locked, empty file. Closing it releases the lock, and so does the end of every reference to it.

    The package ``filelock``, which waits for downloads, is not used: it takes a folder without permission and, in some
    releases, a file system without locks for a lock that is held, and Ctrl-C at a bad moment leaves it held.

    Args:
        path: The lock file, which remains.

    Attributes:
        failure: Reason why the file system has no locks, or "".

    Raises:
        LockHeldError: Another run holds it.
        OSError: The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ab")
        self.failure = ""
        try:
            _lock(self)
        except OSError as error:
            if error.errno in _HELD:
                super().close()
                raise LockHeldError from None
            self.failure = error.strerror or str(error)

    def close(self) -> None:
        """Release the lock, also in processes that were forked from this one; safe to call twice."""
        if not self.closed:
            try:
                _unlock(self)
            except OSError:
                pass  # it was not held
            finally:
                super().close()
