"""Source of frames from image files: folders and glob patterns."""

from __future__ import annotations

import configparser
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..origin import Origin
from ..values import Frame
from .image_animation import decode_first, frame_count
from .image_decoding import MAX_FILE_BYTES
from .probing import MAX_FRAME_RATE
from .regular_files import read_regular
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_MAX_SEQINFO_BYTES = 1 << 20


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
        self._warned = False

    @property
    def origin(self) -> Origin:
        """Identity: the folder or the pattern, as an absolute path."""
        return Origin(self.name, f"images {Path(self._shown).resolve()}", self._shown, tuple(self._files))

    def _describe(self) -> str:
        """Return the folder or pattern, used in messages."""
        return self._shown

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected images; unreadable ones are skipped and counted."""
        for index in range(0, len(self._files), self.frame_stride):
            try:
                frame = Frame(index, index / self.native_rate, self._decode(self._files[index]))
            except (OSError, InvalidInputError) as error:
                self._skip_frame(index, f"{self._files[index].name}: {error}")
                continue
            yield frame

    def _decode(self, path: Path) -> NDArray[np.uint8]:
        """Return the image of a file, the first one of several."""
        data = read_regular(path, MAX_FILE_BYTES)
        if not self._warned and (count := frame_count(data)) > 1:
            self._warned = True
            logger.warning(
                "%s: %s has %d frames; only the first one is used, of further such files too. Track such a file by"
                " itself to use all of its frames.",
                self._shown,
                path.name,
                count,
            )
        return decode_first(data)


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
            reader.read_string(read_regular(parent / "seqinfo.ini", _MAX_SEQINFO_BYTES).decode("utf-8-sig"))
            rate = reader.getfloat("Sequence", "frameRate", fallback=0.0)
        except (OSError, ValueError, configparser.Error):
            continue
        if 0 < rate <= MAX_FRAME_RATE:
            return rate
    return None
