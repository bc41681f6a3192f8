"""Checks, clears and fills the folder of crops: one folder per id below it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..errors import OutputError
from ..files import output_error, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

INDEX, BEST = "crops.csv", "best.jpg"
_QUALITY = 90
OWN_FILE = re.compile(r"(?:\d{6,}|best)\.jpg|[0-9a-f]{16}\.tmp")


def check_crop_folder(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder has no crops of unknown origin: folders of ids without the index of a run.

    Args:
        folder: Folder of the crops of one source; it need not exist.
        overwrite: Whether to replace such crops.

    Raises:
        OutputError: It has such crops, or it cannot be read.
    """
    try:
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    except OSError as error:
        raise output_error(folder, error) from error
    if INDEX not in names and not overwrite and any(name.isdigit() for name in names):
        raise OutputError(
            f"{folder} has crops, but no run of this source and name wrote them; choose another name (--name), or"
            " replace them (--overwrite)."
        )


def clear_crop_folder(folder: Path) -> None:
    """Remove the crops of an earlier run; other files are kept.

    Raises:
        OutputError: A file cannot be removed.
    """
    try:
        for person in [path for path in folder.iterdir() if path.name.isdigit() and path.is_dir()]:
            for file in [path for path in person.iterdir() if OWN_FILE.fullmatch(path.name)]:
                file.unlink()
            if not person.is_symlink() and not any(person.iterdir()):
                person.rmdir()
    except OSError as error:
        raise output_error(folder, error) from error


def write_jpeg(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a JPEG of quality 90, which other processes see whole or not at all.

    Args:
        path: File to write; its folder is created.
        image: ``(H, W, 3)`` uint8 BGR, at most 65500 px wide and high.

    Raises:
        OutputError: The file cannot be written.
    """
    import cv2

    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    try:
        write_whole(path, encoded.tobytes())
    except OSError as error:
        raise output_error(path, error) from error
