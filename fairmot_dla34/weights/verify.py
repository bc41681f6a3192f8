"""Checks of a weights file: its length and digest, then the name and shape of every array."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..architectures.dla34.arrays import HEATMAP_WEIGHT
from ..errors import CheckpointError, IntegrityError
from .formats.reader import load_arrays
from .registry import WeightsEntry

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class VerifiedFile:
    """Properties of a weights file that passed every check.

    Attributes:
        path: Path of the file.
        bytes: Length of the file.
        sha256: Hexadecimal digest of the file.
        arrays: Number of arrays that the network uses.
        classes: Number of classes, the channels of its heatmap.
    """

    path: Path
    bytes: int
    sha256: str
    arrays: int
    classes: int


def verify_file(path: str | PathLike[str], *, sha256: str | None = None) -> VerifiedFile:
    """Check the digest of a weights file, then its arrays.

    Args:
        path: A ``.pdparams`` or ``.npz`` file.
        sha256: Expected hexadecimal digest, or None if it is not known.

    Raises:
        IntegrityError: The digest is not the expected one.
        CheckpointError: The file cannot be read, is damaged or unsafe, or an array is missing or misshapen.
    """
    path = Path(path)
    try:
        found = _digest(path, "sha256").hex()
        length = path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); expected a weights file.") from error
    if sha256 is not None and found != sha256.lower():
        raise IntegrityError(f"{path} has SHA-256 {found}; expected {sha256.lower()}: download it again.")
    arrays = load_arrays(path)
    return VerifiedFile(path, length, found, len(arrays), len(arrays[HEATMAP_WEIGHT]))


def check_bytes(path: Path, entry: WeightsEntry, content_md5: str | None) -> None:
    """Check the bytes of a download: length and SHA-256 if known, else the server's Content-MD5 (RFC 1864).

    Args:
        path: Downloaded file.
        entry: Registered weights that the file must be.
        content_md5: Value of the Content-MD5 header, or None.

    Raises:
        IntegrityError: The length or the digest is not the expected one.
    """
    length, sha256 = path.stat().st_size, entry.sha256
    if entry.bytes is not None and length != entry.bytes:
        raise IntegrityError(f"it has {length} bytes; expected {entry.bytes}")
    if sha256 is not None:
        found, expected, name = _digest(path, "sha256").hex(), sha256.lower(), "SHA-256"
    else:
        md5 = _decode_md5(content_md5)
        if md5 is None:
            return
        found, expected, name = _digest(path, "md5").hex(), md5.hex(), "MD5"
    if found != expected:
        raise IntegrityError(f"its {name} is {found}; expected {expected}")


def _decode_md5(header: str | None) -> bytes | None:
    try:
        digest = base64.b64decode(header or "", validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == 16 else None


def _digest(path: Path, algorithm: str) -> bytes:
    # usedforsecurity=False allows MD5 on systems whose security policy disables it; it detects damage, not attacks.
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.digest()
