"""Digests of the chunks of a partial download, so that bytes damaged since an earlier transfer are never resumed.

Beside the received bytes, a second file has one record for each chunk, in order: its length (4 bytes, little-endian)
and its BLAKE2b digest (16 bytes).
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path

from ...closing import ClosedOnExit

CHUNK_BYTES = 1 << 16  # longest chunk
_LENGTH_BYTES, _DIGEST_BYTES = 4, 16
_RECORD_BYTES = _LENGTH_BYTES + _DIGEST_BYTES


class ChunkWriter(ClosedOnExit):
    """Appends chunks to a file, and a record of each to a second one; a context manager.

    A chunk is written before its record: after a crash between the two, it is not resumed.

    Args:
        path: File of the received bytes.
        records: File of the records.

    Raises:
        OSError: A file cannot be opened.
    """

    def __init__(self, path: Path, records: Path) -> None:
        with ExitStack() as stack:
            self._file = stack.enter_context(path.open("ab", buffering=0))
            self._records = stack.enter_context(records.open("ab", buffering=0))
            self._stack = stack.pop_all()

    def write(self, chunk: bytes) -> None:
        """Append a chunk of at most `CHUNK_BYTES`.

        Raises:
            OSError: It cannot be written.
        """
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._records.write(_record(chunk))

    def close(self) -> None:
        """Close both files; safe to call twice."""
        self._stack.close()


def keep_intact_chunks(path: Path, records: Path) -> int:
    """Cut a file, and its records, after the last chunk before the first damaged one; return its length in bytes.

    Args:
        path: File of the received bytes.
        records: File of the records.

    Raises:
        OSError: A file does not exist, or cannot be read or cut.
    """
    size = count = 0
    with path.open("r+b") as file, records.open("r+b") as recorded:
        while len(record := recorded.read(_RECORD_BYTES)) == _RECORD_BYTES:
            length = int.from_bytes(record[:_LENGTH_BYTES], "little")
            if not 0 < length <= CHUNK_BYTES or _record(file.read(length)) != record:
                break
            size += length
            count += 1
        file.truncate(size)
        recorded.truncate(count * _RECORD_BYTES)
    return size


def _record(chunk: bytes) -> bytes:
    digest = hashlib.blake2b(chunk, digest_size=_DIGEST_BYTES, usedforsecurity=False).digest()
    return len(chunk).to_bytes(_LENGTH_BYTES, "little") + digest
