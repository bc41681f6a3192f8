"""Creates output files, and checks early that an output directory can be written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import output_error
from .sink import TEXT_FOLDER, VIDEO_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO


def create_file(path: Path) -> FileIO:
    """Create or empty a file, and make its folder.

    Args:
        path: File to write.

    Returns:
        The file, open for writing without a buffer.

    Raises:
        OutputError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path.parent, error) from error
    try:
        return path.open("wb", buffering=0)
    except OSError as error:
        raise output_error(path, error) from error


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
        if folder == root or folder.exists():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise output_error(folder, error) from error
