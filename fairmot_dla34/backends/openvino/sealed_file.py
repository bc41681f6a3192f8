"""Sealed files: networks in the cache with a key and digests, so that damaged, swapped and foreign files are detected.

Layout: `_MAGIC`, the length of the header (4 bytes, little-endian), the BLAKE2b digest of the header (32 bytes), the
header as JSON, and the content up to the end of the file. The digests show damage, not attacks: whoever may write to
the cache can seal any content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...config import is_whole
from ...files import write_whole
from ..cpus import usable_cpus

_MAGIC = b"fairmot_dla34 1\n"  # the number is the version of this layout
_LENGTH_BYTES = 4
_DIGEST_BYTES = 32
_PREFIX_BYTES = len(_MAGIC) + _LENGTH_BYTES + _DIGEST_BYTES
_MAX_HEADER_BYTES = 1 << 16
_PART_BYTES = 8 << 20  # parts are hashed in parallel: 80 MB in one thread take 90 ms, a third of a start
_MAX_THREADS = 4  # reading memory is then the limit


class SealError(Exception):
    """A file is not the one that was sealed under its name; the message is the reason."""


@dataclass(frozen=True)
class Header:
    """Verified header of a sealed file.

    Attributes:
        key: Digest of everything that the content depends on.
        facts: Further facts about the content.
        size: Length of the content in bytes.
        digest: Hexadecimal digest of the content.
    """

    key: str
    facts: dict[str, Any]
    size: int
    digest: str


def write_sealed(path: Path, key: str, facts: dict[str, Any], *content: bytes) -> None:
    """Write a sealed file that other processes see whole or not at all.

    Args:
        path: File to write; its folder is created.
        key: Digest of everything that the content depends on.
        facts: Further facts, serialisable as JSON.
        content: Parts of the content, which are joined.

    Raises:
        OSError: The file cannot be written.
    """
    sizes = [len(part) for part in content]
    header = json.dumps({"key": key, "facts": facts, "size": sum(sizes), "digest": content_digest(*content)}).encode()
    prefix = _MAGIC + len(header).to_bytes(_LENGTH_BYTES, "little") + _blake2b(header)
    write_whole(path, prefix + header, *content)


def read_sealed(path: Path, key: str) -> tuple[Header, bytes]:
    """Read a sealed file once and verify it; the content returned is the bytes that were verified.

    Raises:
        OSError: The file cannot be read.
        SealError: It is damaged, has another length, or was sealed with another key.
    """
    with _open_regular(path) as file:
        header = _read_header(file)
        if header.key != key:
            raise SealError("it was made for another network, version or machine")
        rest = os.fstat(file.fileno()).st_size - file.tell()
        if rest != header.size:
            raise SealError(f"it has {rest} bytes of content; expected {header.size}")
        content = file.read(header.size)
    if content_digest(content) != header.digest:
        raise SealError("its content has another digest")
    return header, content


def read_header(path: Path) -> Header:
    """Read and verify the header alone, at most 64 KiB.

    Raises:
        OSError: The file cannot be read.
        SealError: It is not a sealed file, or its header is damaged.
    """
    with _open_regular(path) as file:
        return _read_header(file)


def content_digest(*content: bytes) -> str:
    """Return the hexadecimal digest of joined parts: the BLAKE2b digest of the digests of each 8 MiB."""
    whole = content[0] if len(content) == 1 else b"".join(content)
    view = memoryview(whole)
    parts = [view[start : start + _PART_BYTES] for start in range(0, len(view), _PART_BYTES)]
    threads = min(usable_cpus(), _MAX_THREADS, len(parts))
    if threads < 2:
        digests = [_blake2b(part) for part in parts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            digests = list(pool.map(_blake2b, parts))
    return _blake2b(b"".join(digests)).hex()


def _read_header(file: IO[bytes]) -> Header:
    prefix = file.read(_PREFIX_BYTES)
    if len(prefix) < _PREFIX_BYTES or not prefix.startswith(_MAGIC):
        raise SealError("it does not start as expected")
    length = int.from_bytes(prefix[len(_MAGIC) : len(_MAGIC) + _LENGTH_BYTES], "little")
    text = file.read(length) if length <= _MAX_HEADER_BYTES else b""
    if len(text) != length or _blake2b(text) != prefix[-_DIGEST_BYTES:]:
        raise SealError("its header is damaged")
    try:
        header = Header(**json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:  # sealed by another release
        raise SealError("its header is of another version") from error
    if not isinstance(header.facts, dict) or not is_whole(header.size, 0):
        raise SealError("its header is of another version")
    return header


def _open_regular(path: Path) -> IO[bytes]:
    """Open a file; a FIFO or a device under its name is refused, and a FIFO without a writer does not block."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SealError("it is not a regular file")
    return os.fdopen(descriptor, "rb")


def _blake2b(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, usedforsecurity=False).digest()
