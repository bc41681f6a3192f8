"""Opening of zip archives, whose directories can declare more memory than there is."""

from __future__ import annotations

import zipfile
from typing import IO, BinaryIO, cast

from .errors import FormatError

MAX_DIRECTORY_BYTES = 1 << 20  # about 8,000 members; FairMOT DLA-34 needs 30 kB


def open_zip(stream: BinaryIO, size: int) -> zipfile.ZipFile:
    """Read the directory of a zip archive.

    Args:
        stream: Binary file. It must stay open while members are read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The directory is far larger than that of a checkpoint.
        Exception: The archive is damaged; of nearly any type.
    """
    return zipfile.ZipFile(cast("IO[bytes]", _BoundedReads(stream, size)))


class _BoundedReads:
    """A file for `zipfile`, which otherwise reserves as much memory as the archive's directory declares."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size
        self.seekable, self.tell = stream.seekable, stream.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def read(self, count: int = -1) -> bytes:
        if count < 0:
            count = self._size - self._stream.tell()
        if count > MAX_DIRECTORY_BYTES:
            raise FormatError(f"it has a directory of {count} bytes, far more than a checkpoint needs.")
        return self._stream.read(count)
