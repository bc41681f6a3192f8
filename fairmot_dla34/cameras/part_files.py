"""Finds, measures and deletes the files of one part; links are never followed, and other files are never touched."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..outputs.crop_folder import INDEX, OWN_FILE
from ..outputs.reservation import STATE_FOLDER, forget_reservation

_ID = re.compile(r"[0-9]{1,10}")


class ForeignFileError(Exception):
    """A file of a part is not what was written any more: a link, or in a folder that leads elsewhere now."""


def place_of(output_dir: Path, path: Path) -> tuple[str, str]:
    """Return where an output is.

    Returns:
        Its path in the output directory, and the folder that this leads to through links: relative to the output
        directory if it is in it.
    """
    root, folder = os.path.realpath(output_dir), os.path.realpath(path.parent)
    inside = os.path.commonpath([root, folder]) == root if Path(root).drive == Path(folder).drive else False
    place = PurePosixPath(Path(os.path.relpath(folder, root)).as_posix()) if inside else Path(folder)
    return path.relative_to(output_dir).as_posix(), str(place)


def is_path_of(name: str, path: str) -> bool:
    """Return whether a path from a record is that of an output of this name, within the output directory."""
    parts = PurePosixPath(path).parts
    plain = all(part not in {"..", "/"} and not re.search(r"[\\\x00:]", part) for part in parts)
    return plain and any(part.startswith(name) for part in parts) and PurePosixPath(path).as_posix() == path


def files_of(output_dir: Path, files: tuple[tuple[str, str], ...]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the existing files of a part with their status: outputs, and crops beside their index.

    Args:
        output_dir: The output directory.
        files: Places of the outputs; see `place_of`.

    Raises:
        ForeignFileError: A path leads through a link that was not there when the part was written.
        OSError: A folder cannot be read.
    """
    for path in _checked(output_dir, files):
        if path.name == INDEX:
            yield from _crops_beside(path)
        status = _status(path)
        if status is not None:
            yield path, status


def delete_files(output_dir: Path, files: tuple[tuple[str, str], ...]) -> None:
    """Delete the files of a part, their reservations, and the folders of its crops once they are empty.

    Raises:
        ForeignFileError: A path leads through a link that was not there when the part was written; nothing is deleted.
        OSError: A file cannot be deleted; others may be.
    """
    for path, _ in list(files_of(output_dir, files)):
        path.unlink(missing_ok=True)
    for path in _checked(output_dir, files):
        forget_reservation(path)
        if path.name == INDEX and path.parent.is_dir():
            _remove_empty(path.parent)


def _checked(output_dir: Path, files: tuple[tuple[str, str], ...]) -> list[Path]:
    """Return the paths of the outputs, after a check that they lead to the same folders as when they were written."""
    paths = []
    for relative, folder in files:
        path = output_dir / relative
        if place_of(output_dir, path) != (relative, folder):
            raise ForeignFileError(f"{path.parent} leads to another folder than when it was written")
        _status(path)
        paths.append(path)
    return paths


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file; None if there is none.

    Raises:
        ForeignFileError: There is something else.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise ForeignFileError(f"{path} is a link or a folder now")
    return status


def _crops_beside(index: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the crops in the folders of ids beside their index."""
    for person in _real_folders(index.parent):
        with os.scandir(person) as entries:
            for entry in entries:
                if OWN_FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def _real_folders(folder: Path) -> list[Path]:
    """Return the folders of ids in a folder of crops, links excepted; none if the folder does not exist."""
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if _ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []


def _remove_empty(folder: Path) -> None:
    """Remove the empty folders in a folder of crops, and then the folder itself if it is empty."""
    for inner in (*_real_folders(folder), folder / STATE_FOLDER, folder):
        if not inner.is_symlink() and inner.is_dir() and not any(inner.iterdir()):
            inner.rmdir()
