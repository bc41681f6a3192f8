"""Partial downloads on disk: the bytes received so far and the server's data about the whole file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ...files import write_whole


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
    """Partial download: ``NAME.part`` and ``NAME.part.json``. Only one process may use it at a time, under the lock.

    Args:
        target: Path of the finished file. The partial file is in the same folder, so that moving it is atomic.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._info_path = target.with_name(target.name + ".part.json")

    def resumable(self, url: str) -> tuple[RemoteFileInfo | None, int]:
        """Return the info of an earlier transfer from ``url`` and the bytes received; (None, 0) to start over."""
        try:
            info = RemoteFileInfo(**json.loads(self._info_path.read_text(encoding="utf-8")))
            size = self.path.stat().st_size
        except (FileNotFoundError, ValueError, TypeError):
            return None, 0
        if info.url != url or not info.validator or size == 0:
            return None, 0
        return info, size

    def start(self, info: RemoteFileInfo) -> None:
        """Delete the bytes received so far and record ``info``.

        The bytes are deleted first, so that a crash never leaves old bytes with new info.
        """
        self.discard()
        write_whole(self._info_path, json.dumps(asdict(info)).encode())
        self.path.touch()

    def discard(self) -> None:
        """Delete the bytes and the info."""
        self.path.unlink(missing_ok=True)
        self._info_path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Move the complete file to ``target`` atomically."""
        self.path.replace(target)
        self._info_path.unlink(missing_ok=True)
