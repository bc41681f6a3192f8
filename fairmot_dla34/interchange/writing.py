"""Writes exported files and folders whole or not at all, and keeps what other programs wrote."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import OutputError
from ..files import make_folder, output_error, replaced_file

# Suffixes of the files in exported folders; an existing folder with any other file is not replaced.
_OWN_SUFFIXES = {"labels": {".txt", ".json"}, "": {".yaml", ".json"}}
_LINKS = "data"


def check_target(target: Path, *, overwrite: bool) -> None:
    """Check that a file or folder can be written without loss.

    Raises:
        OutputError: It exists and ``overwrite`` is False, or it has files that no export wrote.
    """
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OutputError(f"{target} exists; expected a new path: name another one, or replace it (--overwrite).")
    if target.exists() and not target.is_file() and not target.is_dir():
        raise OutputError(f"{target} is a device or a pipe; expected the path of a file to write: name another one.")


def write_file(target: Path, content: Iterable[bytes]) -> None:
    """Write a file that other processes see whole or not at all.

    Raises:
        OutputError: It cannot be written, or a folder exists in its place.
    """
    if target.is_dir():
        raise OutputError(f"{target} is a folder; expected the path of a file to write: name another one.")
    try:
        with replaced_file(target) as file:
            for part in content:
                file.write(part)
    except OSError as error:
        raise error if isinstance(error, OutputError) else output_error(target, error) from error


def write_folder(target: Path, files: Iterable[tuple[str, bytes]], links: dict[str, Path]) -> None:
    """Write a folder beside its place and move it there; an earlier export is replaced.

    Args:
        target: Folder to write.
        files: Relative paths with slashes, and contents.
        links: Files to link, by their relative path in the folder.

    Raises:
        OutputError: It cannot be written, or the folder in its place has files that no export wrote.
    """
    _check_own(target)
    temporary, old = (target.with_name(f"{secrets.token_hex(8)}.tmp") for _ in range(2))
    try:
        make_folder(target.parent)
        temporary.mkdir()
        for name, content in files:
            path = temporary.joinpath(*PurePosixPath(name).parts)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        for name, source in links.items():
            path = temporary.joinpath(*PurePosixPath(name).parts)
            path.parent.mkdir(exist_ok=True)
            _link(source, path)
        if target.exists():
            target.rename(old)
        try:
            temporary.rename(target)
        except BaseException:  # also Ctrl-C
            if old.exists() and not target.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        for path in (temporary, old):
            with contextlib.suppress(OSError):
                shutil.rmtree(path)


def _check_own(target: Path) -> None:
    """Check that a folder holds only files that an export wrote."""
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise OutputError(f"{target} is not a folder; expected the path of a folder to write: name another one.")
    for path in target.rglob("*"):
        place = path.relative_to(target).parts
        folder = place[0] if len(place) > 1 else ""
        is_own = (
            (len(place) == 1 and path.is_dir() and path.name in {"labels", _LINKS})
            or (len(place) == 2 and folder == _LINKS and not path.is_dir())
            or (len(place) <= 2 and path.is_file() and path.suffix in _OWN_SUFFIXES.get(folder, set()))
        )
        if not is_own:
            raise OutputError(f"{target} has {'/'.join(place)}, which no export wrote; name another folder.")


def _link(source: Path, target: Path) -> None:
    """Link a file, or copy it if the file system has no links."""
    for link in (os.symlink, os.link):
        try:
            link(source.resolve(), target)
        except (OSError, NotImplementedError):
            continue
        return
    shutil.copyfile(source, target)
