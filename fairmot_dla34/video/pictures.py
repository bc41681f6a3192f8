"""Folders and globs of images."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..values import Frame
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class PictureSource(Source):
    """Image files in the order given, one frame each."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        name: str,
        shown: str,
        frame_rate: float | None = None,
        frame_stride: int = 1,
    ) -> None:
        """Look for the sequence's frame rate.

        Args:
            files: At least one image file, in order.
            name: Names the outputs.
            shown: The folder or pattern, for messages.
            frame_rate: Overrides ``seqinfo.ini``.
            frame_stride: Hand out every n-th image.
        """
        super().__init__(
            name,
            native_rate=_rate_from_seqinfo(files[0].parent),
            native_count=len(files),
            frame_rate=frame_rate,
            frame_stride=frame_stride,
        )
        self._files = files
        self._shown = shown

    def _describe(self) -> str:
        return self._shown

    def _frames(self) -> Generator[Frame]:
        for index in range(0, len(self._files), self._stride):
            try:
                frame = Frame(index, index / self.native_rate, read_bgr(self._files[index]))
            except (OSError, InvalidInputError) as error:
                self._skip(index, f"{self._files[index].name}: {error}")
                continue
            yield frame


def read_bgr(path: Path) -> NDArray[np.uint8]:
    """Read an image file.

    Args:
        path: Any name the system takes, also outside ASCII, which ``cv2.imread`` fails on in Windows.

    Returns:
        ``(H, W, 3)`` uint8, BGR; grey spread to three channels, alpha dropped, turned as its EXIF says.

    Raises:
        OSError: The file cannot be read, or is no image.
    """
    import cv2
    import numpy as np

    data = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise OSError(f"not an image OpenCV can read ({error.err or error})") from error
    if image is None:
        raise OSError("empty file" if not data.size else "not an image OpenCV can read")
    return np.asarray(image, np.uint8)


def natural_key(path: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sort key under which ``frame2`` comes before ``frame10``, folder by folder."""
    parts = re.split(r"(\d+)", path.as_posix())
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p.casefold()) for p in parts), path.as_posix()


def is_image(path: Path) -> bool:
    """Whether a file's name says it is an image; hidden files are not meant."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _rate_from_seqinfo(folder: Path) -> float | None:
    """``frameRate`` of MOTChallenge's ``seqinfo.ini`` in the folder or the one above."""
    for place in (folder, folder.resolve().parent):
        reader = configparser.ConfigParser()
        try:
            reader.read(place / "seqinfo.ini", encoding="utf-8-sig")
            rate = reader.getfloat("Sequence", "frameRate", fallback=0.0)
        except (OSError, ValueError, configparser.Error):
            continue
        if 0 < rate < float("inf"):
            return rate
    return None
