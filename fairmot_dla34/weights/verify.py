"""Checks of a weights file: its length and digest, then the name and shape of every array."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..architectures import Architecture
from ..errors import CheckpointError, IntegrityError
from ..files import file_digest
from .checkpoint_file import load_checkpoint
from .file_facts import file_identity, file_sha256
from .registry import WeightsEntry


@dataclass(frozen=True)
class VerifiedFile:
    """Properties of a weights file that passed every check.

    Attributes:
        path: Path of the file.
        bytes: Length of the file.
        sha256: Hexadecimal digest of the file.
        architecture: Name of the architecture.
        arrays: Number of arrays that the network uses.
        classes: Number of classes, the channels of its heatmap.
    """

    path: Path
    bytes: int
    sha256: str
    architecture: str
    arrays: int
    classes: int


def verify_file(
    path: str | PathLike[str], *, sha256: str | None = None, architecture: Architecture | None = None
) -> VerifiedFile:
    """Check the digest of a weights file, then its architecture and its arrays.

    Args:
        path: A ``.pdparams``, ``.pth``, ``.ckpt`` or ``.npz`` file.
        sha256: Expected hexadecimal digest, or None if it is not known.
        architecture: Expected architecture; None: the registered one that the array names belong to.

    Raises:
        IntegrityError: The digest is not the expected one.
        CheckpointError: The file cannot be read, is damaged or unsafe, changes while it is read, or an array is
            missing, misshapen or unsound.
        OutOfMemoryError: The process may not use as much memory as the arrays need.
    """
    path = Path(path)
    identity = file_identity(path)
    found = file_sha256(path)
    if sha256 is not None and found != sha256.lower():
        raise IntegrityError(f"{path} has SHA-256 {found}; expected {sha256.lower()}: download it again.")
    checkpoint = load_checkpoint(path, architecture)
    if file_identity(path) != identity:
        raise CheckpointError(f"{path} changed while it was verified; wait until it is written, and verify it again.")
    return VerifiedFile(
        path, identity.size, found, checkpoint.architecture.name, len(checkpoint.arrays), checkpoint.sizes.num_classes
    )


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
        found, expected, name = file_digest(path, "sha256").hex(), sha256.lower(), "SHA-256"
    else:
        md5 = _decode_md5(content_md5)
        if md5 is None:
            return
        found, expected, name = file_digest(path, "md5").hex(), md5.hex(), "MD5"
    if found != expected:
        raise IntegrityError(f"its {name} is {found}; expected {expected}")


def _decode_md5(header: str | None) -> bytes | None:
    try:
        digest = base64.b64decode(header or "", validate=True)
    except ValueError:  # binascii.Error, or not ASCII
        return None
    return digest if len(digest) == 16 else None
