"""Partial downloads on disk: the bytes received so far and the server's data about the whole file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ...config import is_whole
from ...files import write_whole
from .chunk_digests import ChunkWriter, keep_intact_chunks

_MAX_INFO_BYTES = 1 << 16
_MAX_HEADER_CHARS = 1000
_MAX_BRACKETS = 100  # the info is flat; a URL may have a few


@dataclass(frozen=True)
class RemoteFileInfo:
    """Data about a whole remote file, from the response headers of its first transfer.

    Attributes:
        url: URL it is fetched from.
        validator: Strong ETag or Last-Modified date of this version of the file, for ``If-Range``. None: a transfer
            cannot be resumed.
        content_md5: Base64 MD5 digest of the whole file, from Content-MD5, or None.
        total_bytes: Length of the whole file, or None if unknown.
    """

    url: str
    validator: str | None
    content_md5: str | None
    total_bytes: int | None


class PartialFile:
    """Partial download: ``NAME.part``, its info ``NAME.part.json`` and the digests of its chunks ``NAME.part.sums``.

    Only one process may use it at a time, under the lock.

    Args:
        target: Path of the finished file. The partial file is in the same folder, so that moving it is atomic.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._info_path = target.with_name(target.name + ".part.json")
        self._digests_path = target.with_name(target.name + ".part.sums")

    def resumable(self, url: str) -> tuple[RemoteFileInfo | None, int]:
        """Return the info of an earlier transfer from ``url`` and the intact bytes received; (None, 0) to start over.

        Bytes from the first damaged chunk on are deleted.
        """
        try:
            info = self._read_info()
            if info.url != url or not info.validator:
                return None, 0
            size = keep_intact_chunks(self.path, self._digests_path)
        except (FileNotFoundError, ValueError):
            return None, 0
        return (None, 0) if size == 0 or size > (info.total_bytes or size) else (info, size)

    def writer(self) -> ChunkWriter:
        """Return a context manager that appends received bytes."""
        return ChunkWriter(self.path, self._digests_path)

    def _read_info(self) -> RemoteFileInfo:
        """Read the info file.

        Raises:
            FileNotFoundError: There is none.
            ValueError: It is damaged: too long, not JSON, or a value could not have come from a server.
        """
        with self._info_path.open("rb") as file:
            content = file.read(_MAX_INFO_BYTES + 1)
        if content.count(b"[") + content.count(b"{") > _MAX_BRACKETS:  # JSON's parser would use up the stack
            raise ValueError(f"{self._info_path} is damaged")
        try:
            info = RemoteFileInfo(**json.loads(content.decode()))
        except (TypeError, RecursionError) as error:
            raise ValueError(f"{self._info_path} is damaged") from error
        if not all(map(_is_header_value, (info.url, info.validator or "", info.content_md5 or ""))):
            raise ValueError(f"{self._info_path} has a text that is not a header value")
        if info.total_bytes is not None and not is_whole(info.total_bytes, 0):
            raise ValueError(f"{self._info_path} has a length that is not a number")
        return info

    def start(self, info: RemoteFileInfo) -> None:
        """Delete the bytes received so far and record ``info``.

        The bytes are deleted first, so that a crash never leaves old bytes with new info.
        """
        self.discard()
        write_whole(self._info_path, json.dumps(asdict(info)).encode())
        self.path.touch()

    def discard(self) -> None:
        """Delete the bytes, their digests and the info."""
        for path in (self.path, self._digests_path, self._info_path):
            path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Move the complete file to ``target`` atomically, once its bytes are on the disk."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())  # otherwise a power failure after the rename could leave an empty file
        self.path.replace(target)
        self.discard()


def _is_header_value(text: object) -> bool:
    return isinstance(text, str) and len(text) <= _MAX_HEADER_CHARS and text.isascii() and text.isprintable()
