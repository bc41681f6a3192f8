"""Creates output files, checks early that they can be written, and late that they are still in their place."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError
from ..files import make_folder, output_error
from .sink import TEXT_FOLDER, VIDEO_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable


class OutputFile(FileIO):
    """A new or emptied file, open for writing without a buffer.

    Args:
        path: File to write.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self._path = path
        try:
            self._has_number = self._is_at_path()  # not on some network shares, whose file numbers change
        except BaseException:
            self.close()
            raise

    def check_in_place(self) -> None:
        """Check that the path still leads to this file, before it is closed.

        Raises:
            OutputError: The file was deleted, moved or replaced.
        """
        try:
            in_place = self._is_at_path() or not self._has_number
        except FileNotFoundError:
            in_place = False
        except OSError as error:
            raise output_error(self._path, error) from error
        if not in_place:
            raise OutputError(
                f"{self._path} was deleted, moved or replaced while it was written, so its results are missing; run it"
                " again, and leave the output directory as it is until the end."
            )

    def check_whole(self) -> None:
        """Check that the file ends where this object wrote last, if nothing else writes it.

        Raises:
            OutputError: Another program truncated it or wrote to it; the next write would leave null characters.
        """
        if os.fstat(self.fileno()).st_size != self.tell():
            raise changed_error(self._path)

    def _is_at_path(self) -> bool:
        return os.path.samestat(os.fstat(self.fileno()), self._path.stat())


def changed_error(path: Path) -> OutputError:
    """Return the error for a file whose content another program changed during the run."""
    return OutputError(
        f"{path} was changed by another program while it was written, so results are missing; run it again, and leave"
        " the output directory as it is until the end."
    )


def create_file(path: Path) -> OutputFile:
    """Create or empty a file, and make its folder.

    Args:
        path: File to write. If it has other hard links, as in some backups, those keep its earlier content.

    Raises:
        OutputError: The folder or the file cannot be written, or the path is that of a pipe, a socket or a device.
    """
    try:
        make_folder(path.parent)
    except OSError as error:
        raise output_error(path.parent, error) from error
    try:
        existing = regular_file(path)
        if existing is not None and existing.st_nlink > 1:
            Path(os.path.realpath(path)).unlink()
        return OutputFile(path)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(path, error) from error


def regular_file(path: Path) -> os.stat_result | None:
    """Return the status of the file at a path, or None if nothing exists there.

    Raises:
        OutputError: A folder, a pipe, a socket or a device exists there, or the path cannot be read.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_error(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise output_error(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)))
    if not stat.S_ISREG(status.st_mode):  # opening a pipe waits for a reader, and a device keeps nothing
        raise OutputError(
            f"{path} is a pipe, a socket or a device; expected a regular file, or none: remove it or name another"
            " output directory."
        )
    return status


def prepare_output_dir(output_dir: str | Path, folders: Iterable[str] = ()) -> None:
    """Make an output directory and test that it can be written, before anything slow starts; nothing is left in it.

    Args:
        output_dir: Directory to write to; created if it does not exist.
        folders: Folders under it to test besides ``mot_results`` and ``mot_outputs``; each is tested if it exists.

    Raises:
        OutputError: The directory or one of its folders cannot be written.
    """
    root = Path(output_dir)
    for folder in (root, *(root / name for name in dict.fromkeys((TEXT_FOLDER, VIDEO_FOLDER, *folders)))):
        try:
            if folder == root or folder.exists():
                make_folder(folder)
                tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise output_error(folder, error) from error
