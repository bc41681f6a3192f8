"""Source of frames from image files: folders and glob patterns."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..origin import Origin
from ..values import Frame
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class ImageSource(Source):
    """Image files in the given order, one frame each."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        name: str,
        shown: str,
        frame_rate: float | None = None,
        frame_stride: int = 1,
    ) -> None:
        """Keep the files, and read the sequence's frame rate if it is stated.

        Args:
            files: At least one image file, in order.
            name: Name of the output files.
            shown: Folder or pattern, for messages.
            frame_rate: Frames per second, instead of what ``seqinfo.ini`` states.
            frame_stride: Use every n-th image.

        Raises:
            InvalidInputError: The frame rate or the stride is out of its range.
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

    @property
    def origin(self) -> Origin:
        """Identity: the folder or the pattern, as an absolute path."""
        place = Path(self._shown).absolute()
        return Origin(self.name, f"images {place.parent.resolve() / place.name}", self._shown, tuple(self._files))

    def _describe(self) -> str:
        """Return the folder or pattern, used in messages."""
        return self._shown

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected images; unreadable ones are skipped and counted."""
        for index in range(0, len(self._files), self.frame_stride):
            try:
                frame = Frame(index, index / self.native_rate, read_bgr(self._files[index]))
            except (OSError, InvalidInputError) as error:
                self._skip_frame(index, f"{self._files[index].name}: {error}")
                continue
            yield frame


def read_bgr(path: Path) -> NDArray[np.uint8]:
    """Read an image file.

    Args:
        path: Image file; its name may contain characters outside ASCII, on which ``cv2.imread`` fails on Windows.

    Returns:
        ``(H, W, 3)`` uint8, BGR; grey repeated in three channels, alpha dropped, rotated as its EXIF states.

    Raises:
        OSError: The file cannot be read, or is not an image.
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
    """Return a sort key by which ``frame2`` comes before ``frame10``, folder by folder."""
    parts = re.split(r"(\d+)", path.as_posix())
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p.casefold()) for p in parts), path.as_posix()


def is_image(path: Path) -> bool:
    """Return whether a file has the suffix of an image and is not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _rate_from_seqinfo(folder: Path) -> float | None:
    """Return ``frameRate`` of MOTChallenge's ``seqinfo.ini`` in the folder or its parent, or None."""
    for parent in (folder, folder.resolve().parent):
        reader = configparser.ConfigParser()
        try:
            reader.read(parent / "seqinfo.ini", encoding="utf-8-sig")
            rate = reader.getfloat("Sequence", "frameRate", fallback=0.0)
        except (OSError, ValueError, configparser.Error):
            continue
        if 0 < rate < float("inf"):
            return rate
    return None
