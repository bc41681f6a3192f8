"""Repairs a fragmented mp4 that was cut off."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def cut_to_whole_fragments(path: Path) -> None:
    """Cut a fragmented mp4 after its last complete fragment (``moof`` and ``mdat``), or after its header.

    Source: ISO 14496-12, boxes of 32-bit and 64-bit size.

    Raises:
        OSError: The file cannot be read or cut.
    """
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        position = whole = 0
        while position + 8 <= size:
            file.seek(position)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1 and position + 16 <= size:
                (length,) = struct.unpack(">Q", file.read(8))
            position += length
            if length < 8 or position > size:
                break
            if kind in {b"moov", b"mdat"}:
                whole = position
        file.truncate(whole)
