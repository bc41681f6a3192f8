"""Reader of detections files: constant memory, every byte checked."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..config import check_path, shown
from ..errors import DetectionsFileError
from .blocks import HEAD, BlockHead, DetectedFrame, decoded_block, decoded_head
from .header import (
    END,
    END_MARK,
    FIRST_LINE,
    FORMAT_VERSION,
    MAGIC,
    MAX_JSON_BYTES,
    Ending,
    Header,
    damaged,
    decoded_ending,
    decoded_header,
)

_MAX_FIRST_LINE = 100


class DetectionsFile:
    """A complete detections file; iterate over it, any number of times, to read its frames in constant memory.

    Its structure is checked when the object is made: a truncated file is refused before anything is done with it. The
    content of a block is checked when it is reached.

    Args:
        path: File that `DetectionsWriter` wrote.

    Raises:
        DetectionsFileError: It does not exist, is not a detections file, is of another version, or is not complete.

    Attributes:
        path: The file.
        header: Settings of the run.
        ending: Counts, and the digest of all frames: two files with equal frames have equal ones.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        check_path("path", path, "a detections file")
        self.path = Path(path)
        with self._opened() as file:
            self.header, self._start = self._read_header(file)
            self.ending = self._read_structure(file)

    def __len__(self) -> int:
        return self.ending.frames

    def __iter__(self) -> Iterator[DetectedFrame]:
        """Read the frames in order.

        Raises:
            DetectionsFileError: The content is damaged, or the file was changed meanwhile.
        """
        digest = hashlib.sha256()
        last = self.header.first_frame - 1
        end = self.header.last_frame
        with self._opened() as file:
            self._seek(file, self._start)
            while (head := self._next_head(file)) is not None:
                packed, plain = self._exactly(file, head.packed), self._exactly(file, head.plain)
                for frame in decoded_block(head, packed, plain, str(self.path)):
                    if frame.index <= last or (end is not None and frame.index >= end):
                        raise damaged(str(self.path), "the frames are not in order")
                    last = frame.index
                    if (frame.detections.scores < np.float32(self.header.min_score)).any():
                        raise damaged(str(self.path), "a score is below the smallest one")
                    for part in frame.canonical():
                        digest.update(part)
                    yield frame
        if digest.hexdigest() != self.ending.digest:
            raise damaged(str(self.path), "its digest differs: frames have changed")

    def _read_header(self, file: BinaryIO) -> tuple[Header, int]:
        name = str(self.path)
        first = self._line(file, _MAX_FIRST_LINE)
        if not first.startswith(MAGIC.encode()):
            raise DetectionsFileError(
                f"{name} is not a detections file; expected one that fairmot_dla34 detect wrote: pass a video to detect"
                " first."
            )
        if first != FIRST_LINE:
            raise DetectionsFileError(
                f"{name} is a detections file of another version, {shown(first.decode('ascii', 'replace').strip())};"
                f" expected version {FORMAT_VERSION}: repeat detect with this version of the package."
            )
        line = self._line(file, MAX_JSON_BYTES)
        if not line.endswith(b"\n"):
            raise damaged(name, "its header does not end")
        self._crc = zlib.crc32(line)
        return decoded_header(line, name), len(first) + len(line)

    def _read_structure(self, file: BinaryIO) -> Ending:
        """Return the end, after a check of the sizes of all blocks; their content is not read."""
        frames = rows = 0
        sizes = set()
        while (head := self._next_head(file)) is not None:
            self._seek(file, head.packed + head.plain, os.SEEK_CUR)
            frames, rows = frames + head.frames, rows + head.detections
            if head.detections:
                sizes.add(head.embedding_size)
        _, length, crc = END.unpack(self._exactly(file, END.size))
        if length > MAX_JSON_BYTES:
            raise damaged(str(self.path), "its end has an impossible size")
        content = self._exactly(file, length)
        if zlib.crc32(content, self._crc) != crc:
            raise damaged(str(self.path), "a checksum differs: bytes have changed")
        if self._read(file, 1):
            raise damaged(str(self.path), "there are bytes after its end")
        ending = decoded_ending(content, str(self.path))
        if (frames, rows) != (ending.frames, ending.detections) or sizes - {ending.embedding_size}:
            raise damaged(str(self.path), "its blocks are not those that its end states")
        return ending

    def _next_head(self, file: BinaryIO) -> BlockHead | None:
        """Return the head of the next block; None at the end, whose mark is not consumed."""
        mark = self._exactly(file, len(END_MARK))
        if mark == END_MARK:
            self._seek(file, -len(mark), os.SEEK_CUR)
            return None
        return decoded_head(mark + self._exactly(file, HEAD.size - len(mark)), str(self.path))

    def _exactly(self, file: BinaryIO, count: int) -> bytes:
        content = self._read(file, count)
        if len(content) != count:
            raise damaged(str(self.path), "it ends too early")
        return content

    def _opened(self) -> BinaryIO:
        """Open the file; a pipe or a device is refused before it can block."""
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            file = os.fdopen(os.open(self.path, flags), "rb")
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise self._unreadable(getattr(error, "strerror", None) or str(error)) from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise self._unreadable("it is not a regular file")
        return file

    def _read(self, file: BinaryIO, count: int) -> bytes:
        try:
            return file.read(count)
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error

    def _line(self, file: BinaryIO, limit: int) -> bytes:
        try:
            return file.readline(limit)
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error

    def _seek(self, file: BinaryIO, offset: int, whence: int = os.SEEK_SET) -> None:
        try:
            file.seek(offset, whence)
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error

    def _unreadable(self, reason: str) -> DetectionsFileError:
        return DetectionsFileError(
            f"{self.path} cannot be read ({reason}); expected a file that fairmot_dla34 detect wrote: check the path"
            " and its permissions."
        )


def read_detections(path: str | PathLike[str]) -> DetectionsFile:
    """Open a detections file; see `DetectionsFile`.

    Raises:
        InvalidInputError: ``path`` is neither text nor a path object.
        DetectionsFileError: The file is not a complete detections file of this version.
    """
    return DetectionsFile(path)
