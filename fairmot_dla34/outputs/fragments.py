"""The fragments of an mp4 (ISO 14496-12): cutting off one that was not written to its end."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def cut_to_whole_fragments(path: Path) -> None:
    """Cut a fragmented mp4 after its last complete fragment (``moof`` and ``mdat``), or after its header.

    Raises:
        OSError: The file cannot be read or cut.
    """
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        at = whole = 0
        while at + 8 <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1 and at + 16 <= size:
                (length,) = struct.unpack(">Q", file.read(8))
            at += length
            if length < 8 or at > size:
                break
            if kind in {b"moov", b"mdat"}:
                whole = at
        file.truncate(whole)
