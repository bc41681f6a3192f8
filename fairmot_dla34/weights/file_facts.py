"""Facts about checkpoint files, remembered in the cache folder: architecture and SHA-256.

They are used only for a file with the same path, size, device, inode, modification time and *change* time. The system
sets the change time at every write; no program can set it back, so that ``touch -d`` and tools that keep modification
times do not hide other content. What this cannot see: a disk that changes by itself, and an administrator who sets the
clock back. `verify_file` always reads the whole file. A check sum in the facts shows damage of the facts themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..architectures import Architecture, architecture_names, find_architecture
from ..files import file_digest, write_whole
from .cache import cache_dir
from .formats import check_kind, reported_errors

_SETTLED_S = 2.0  # a file changed less than this long ago may change again within one tick of its time stamps
_MAX_FACTS_BYTES = 512  # too few for JSON so deep that its parser uses up the stack


class FileIdentity(NamedTuple):
    """Properties of a file that change with its content.

    Attributes:
        size: Length in bytes.
        modified_ns: Modification time, which programs can set.
        changed_ns: Change time of the inode, which they cannot set. On Windows: creation time.
        inode: Inode number.
        device: Number of the file system.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int


@dataclass(frozen=True)
class FileFacts:
    """Architecture and digest of a checkpoint file.

    Attributes:
        architecture: The architecture that its arrays belong to.
        sha256: Digest of the file, hexadecimal.
    """

    architecture: Architecture
    sha256: str


def file_identity(path: Path) -> FileIdentity:
    """Return the identity of a file.

    Raises:
        CheckpointError: The file does not exist, its folder cannot be read, or it is not a regular file.
    """
    with reported_errors(path):
        status = path.stat()
        check_kind(path, status)
    return FileIdentity(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises:
        CheckpointError: The file cannot be read.
    """
    with reported_errors(path):
        return file_digest(path, "sha256").hex()


def recall_facts(path: Path, identity: FileIdentity, architecture: Architecture | None) -> FileFacts | None:
    """Return what an earlier start found out about a file; None if nothing trustworthy is remembered.

    Args:
        path: The file.
        identity: Its identity now.
        architecture: The architecture expected, or None for any.
    """
    try:
        facts_path = _facts_path(path)
        if not facts_path.is_file() or facts_path.stat().st_size > _MAX_FACTS_BYTES:
            return None
        content = facts_path.read_bytes()
        facts = json.loads(content)
        name, sha256 = str(facts["architecture"]), str(facts["sha256"])
        is_whole = facts["check"] == _check_sum(facts["identity"], name, sha256)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # absent or damaged
        return None
    if not is_whole or facts["identity"] != list(identity) or not re.fullmatch("[0-9a-f]{64}", sha256):
        return None
    if name not in architecture_names() or (architecture is not None and name != architecture.name):
        return None
    return FileFacts(find_architecture(name), sha256)


def remember_facts(path: Path, identity: FileIdentity, facts: FileFacts) -> None:
    """Keep facts about a file; nothing is kept if it changed a moment ago, or if the cache cannot be written.

    Args:
        path: The file.
        identity: Its identity before and after the facts were found out.
        facts: The facts.
    """
    if time.time() - max(identity.modified_ns, identity.changed_ns) / 1e9 < _SETTLED_S:
        return
    name, sha256 = facts.architecture.name, facts.sha256
    content = {"identity": identity, "architecture": name, "sha256": sha256}
    with contextlib.suppress(OSError, ValueError):  # the next start then reads the file again
        write_whole(
            _facts_path(path), json.dumps({**content, "check": _check_sum(list(identity), name, sha256)}).encode()
        )


def _check_sum(identity: list[int], architecture: str, sha256: str) -> str:
    return hashlib.sha256(json.dumps([identity, architecture, sha256]).encode()).hexdigest()


def _facts_path(path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return cache_dir() / "checkpoints" / f"{name}.json"
