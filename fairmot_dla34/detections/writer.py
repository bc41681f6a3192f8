"""Writer of detections files: constant memory; the file is complete, or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..config import check_path, is_number, is_whole, shown
from ..errors import InvalidInputError, StateError
from ..files import make_folder, output_error
from ..values import Detections, Frame
from .blocks import (
    FULL_DETECTIONS,
    MAX_BLOCK_BYTES,
    MAX_DETECTIONS,
    MAX_EMBEDDING_SIZE,
    MAX_FRAMES,
    DetectedFrame,
    encoded_block,
)
from .header import END, END_MARK, FIRST_LINE, Ending, Header

if TYPE_CHECKING:
    from typing_extensions import Self


class DetectionsWriter:
    """Writes a detections file, frame by frame, in constant memory; a context manager.

    The content goes to ``<path>.part``, which replaces ``path`` when `finish` is called. Without `finish`, the exit of
    the context removes it: there is a complete file, or none. Two writers must not write one path at the same time.

    Args:
        path: File to write; its folder is created.
        header: Settings of the run. A chunk of a source states its frames by ``first_frame`` and ``last_frame``.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, path: str | PathLike[str], header: Header) -> None:
        check_path("path", path, "a file to write")
        self.path = Path(path)
        self.header = header
        self._part = self.path.with_name(f"{self.path.name}.part")
        self._waiting: list[DetectedFrame] = []
        self._waiting_rows = self._frames = self._rows = 0
        self._embedding_size: int | None = None  # unknown before the first detection
        self._last_index = header.first_frame - 1
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        try:
            make_folder(self.path.parent)
            with contextlib.suppress(FileNotFoundError):
                self._part.unlink()  # of a process that was killed; a link is removed, never followed
            self._file = self._part.open("xb")
            line = header.encoded()
            self._crc = zlib.crc32(line)
            self._file.write(FIRST_LINE + line)
        except OSError as error:
            self.close()
            raise output_error(self._part, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, index: int, time_s: float, size: tuple[int, int], detections: Detections) -> None:
        """Add the detections of the next frame.

        Detections are left out whose score is below ``header.min_score``, or whose box or score is not finite: no
        association uses them. Embeddings that are not finite become zeros, which a tracker takes for unknown.

        Args:
            index: Position of the frame in the source, from 0; larger than that of the frame before.
            time_s: Time of the frame in seconds.
            size: Width and height of the frame, px.
            detections: All detections of the frame, image px.

        Raises:
            InvalidInputError: The index is not larger than the one before, or not one of the header's frames; a number
                is not finite; embeddings changed their size; or there are too many detections.
            OutputError: The file cannot be written.
            StateError: The file is closed.
        """
        self._check_frame(index, time_s, size)
        frame = DetectedFrame(index, float(time_s), *size, _stored(detections, self.header.min_score))
        self._check_size(frame)
        self._last_index = index
        for part in frame.canonical():
            self._digest.update(part)
        self._frames += 1
        self._rows += len(frame.detections)
        self._waiting.append(frame)
        self._waiting_rows += len(frame.detections)
        if len(self._waiting) == MAX_FRAMES or self._waiting_rows >= FULL_DETECTIONS:
            self._write_block()

    def write_frame(self, frame: Frame, detections: Detections) -> None:
        """Add the detections of a frame; see `write`."""
        height, width = frame.image.shape[:2]
        self.write(frame.index, frame.time_s, (width, height), detections)

    def finish(
        self,
        *,
        frames_skipped: int = 0,
        frames_dropped: int = 0,
        ended: str = "end",
        stage_seconds: Mapping[str, float] | None = None,
    ) -> Ending:
        """Complete the file, which then replaces an earlier one.

        Args:
            frames_skipped: Frames that could not be decoded.
            frames_dropped: Frames left out because a newer one had arrived.
            ended: Reason for the end, as in `TrackingSummary`.
            stage_seconds: Busy seconds per stage.

        Raises:
            OutputError: The file cannot be written.
            StateError: The file is closed.
        """
        if self._waiting:
            self._write_block()
        ending = Ending(
            self._frames,
            self._rows,
            self._embedding_size or 0,
            frames_skipped,
            frames_dropped,
            ended,
            dict(stage_seconds or {}),
            self._digest.hexdigest(),
        )
        content = ending.encoded()
        file = self._open_file()
        try:
            self._put(END.pack(END_MARK, len(content), zlib.crc32(content, self._crc)) + content)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power failure after the rename could leave an empty file
            file.close()
            self._part.replace(self.path)
        except OSError as error:
            raise output_error(self.path, error) from error
        self._file = None
        return ending

    def close(self) -> None:
        """Remove the file, unless it is complete; safe to call twice."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # the first error is the one to report
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink()
        self._file = None

    def _write_block(self) -> None:
        self._put(encoded_block(self._waiting, self._embedding_size or 0))
        self._waiting, self._waiting_rows = [], 0

    def _put(self, content: bytes) -> None:
        file = self._open_file()
        try:
            file.write(content)
        except OSError as error:
            raise output_error(self._part, error) from error

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise StateError(f"{self.path} is complete or closed; make a new DetectionsWriter for another file.")
        return self._file

    def _check_frame(self, index: int, time_s: float, size: tuple[int, int]) -> None:
        end = self.header.last_frame
        largest = 2**63 - 1 if end is None else end - 1
        if not is_whole(index, self._last_index + 1, largest):
            raise InvalidInputError(
                f"Frame index is {shown(index)}; expected a whole number from {self._last_index + 1} to {largest}."
            )
        if not is_number(time_s):
            raise InvalidInputError(f"Frame time is {shown(time_s)} s; expected a finite number of seconds.")
        if len(size) != 2 or not all(is_whole(side, 1, 2**28) for side in size):
            raise InvalidInputError(f"Frame size is {shown(size)}; expected width and height in px.")

    def _check_size(self, frame: DetectedFrame) -> None:
        """Check that a frame fits into a block, and its embeddings to those before it."""
        found, rows = frame.detections, len(frame.detections)
        if not rows:
            return
        size = 0 if found.embeddings is None else found.embeddings.shape[1]
        if self._embedding_size is None:
            self._embedding_size = size
        if size != self._embedding_size:
            raise InvalidInputError(
                f"Frame {frame.index} has embeddings of {size} numbers, earlier frames had {self._embedding_size} (0:"
                " none); expected the same kind in every frame."
            )
        if size > MAX_EMBEDDING_SIZE or rows > MAX_DETECTIONS - FULL_DETECTIONS:
            raise InvalidInputError(
                f"Frame {frame.index} has {rows} detections with embeddings of {size} numbers; expected at most"
                f" {MAX_DETECTIONS - FULL_DETECTIONS} with {MAX_EMBEDDING_SIZE}."
            )
        if (self._waiting_rows + rows) * (24 + 4 * size) > MAX_BLOCK_BYTES // 2 and self._waiting:
            self._write_block()
        if rows * (24 + 4 * size) > MAX_BLOCK_BYTES // 2:
            raise InvalidInputError(
                f"Frame {frame.index} has {rows} detections with embeddings of {size} numbers; expected at most"
                f" {MAX_BLOCK_BYTES // 2} bytes in one frame: raise the smallest score."
            )


def _stored(detections: Detections, min_score: float) -> Detections:
    """Return the detections that a file stores."""
    kept = (detections.scores >= np.float32(min_score)) & (detections.scores < np.inf)
    kept &= np.isfinite(detections.boxes).all(axis=1)
    found = detections if kept.all() else detections[kept]
    if found.embeddings is None or np.isfinite(found.embeddings).all():
        return found
    known = np.asarray(np.isfinite(found.embeddings).all(axis=1))
    embeddings = np.where(known[:, None], found.embeddings, np.float32(0))
    return Detections(found.boxes, found.scores, embeddings, found.class_ids)
