"""Moves complete outputs from a temporary folder to their places, so that no half result has a final name."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..files import make_folder, output_error
from .crop_folder import INDEX, clear_crop_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def publish_files(part: Path, output_dir: Path, names: Sequence[Path]) -> tuple[Path, ...]:
    """Move all files below a temporary folder to the same places below another folder of the same disk.

    Each file is flushed to the disk first: otherwise a power failure after the move could leave an empty one. Earlier
    files are replaced; an earlier crop that this run did not write is removed.

    Args:
        part: The temporary folder.
        output_dir: The folder of the results.
        names: Paths of the outputs below both folders. Files beside them, such as crops, are moved too, and before.

    Returns:
        The outputs that exist now, in the order of ``names``.

    Raises:
        OutputError: A file cannot be moved.
    """
    outputs = set(names)
    further = [path for path in _files_below(part) if path not in outputs]
    existing = [name for name in names if (part / name).is_file()]
    for name in names:
        if name.name == INDEX and (output_dir / name).exists():
            clear_crop_folder((output_dir / name).parent)
        if name not in existing:
            _remove(output_dir / name)
    for name in (*further, *existing):
        _move(part / name, output_dir / name)
    return tuple(output_dir / name for name in existing)


def _files_below(folder: Path) -> list[Path]:
    """Return the paths of all files below a folder, relative to it, sorted."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _move(source: Path, target: Path) -> None:
    try:
        make_folder(target.parent)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(target)
    except OSError as error:
        raise output_error(target, error) from error


def _remove(path: Path) -> None:
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        raise output_error(path, error) from error
