"""Checkpoint files: read and checked once, and identified at later starts without reading them again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from os import PathLike
from pathlib import Path

from ..architectures import Architecture, Checkpoint, architecture_names, find_architecture, identify_architecture
from ..errors import CheckpointError
from ..files import file_digest, write_whole
from .cache import cache_dir
from .formats import read_arrays
from .naming import canonical_names

_SETTLED_S = 2.0  # a file changed less than this long ago may change again within one tick of its time stamp


def load_checkpoint(path: str | PathLike[str], architecture: Architecture | None = None) -> Checkpoint:
    """Read and check a checkpoint file: format reader, canonical names, check of every array.

    Args:
        path: A ``.pdparams`` file of PaddleDetection, or a ``.npz`` file with the same names.
        architecture: The architecture expected; None: the registered one that the array names belong to.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, asks for something to be run, belongs
            to no registered architecture, or an array is missing, misshapen, not of floating point, NaN or infinite.
    """
    path = Path(path)
    arrays = canonical_names(read_arrays(path))
    if architecture is None:
        architecture = identify_architecture({name: array.shape for name, array in arrays.items()})
    if architecture is None:
        first = f", such as {next(iter(arrays))}" if arrays else ""
        raise CheckpointError(
            f"{path} has {len(arrays)} arrays{first}, and none belongs to a known architecture "
            f"({', '.join(architecture_names())}); expected a FairMOT checkpoint: use another file, or register its "
            "architecture first."
        )
    return Checkpoint(architecture, arrays, str(path))


class CheckpointFile:
    """A checkpoint in a file, which is read when its arrays are needed.

    Digest and architecture are remembered in the cache folder under the file's size, modification time and inode, so
    that a start with a compiled network neither hashes nor reads the file.

    Args:
        path: The file.
        architecture: The architecture expected; None: the registered one that the array names belong to.

    Raises:
        CheckpointError: The file cannot be read or, at its first use, is not a sound checkpoint.
    """

    def __init__(self, path: str | PathLike[str], architecture: Architecture | None = None) -> None:
        self.path = Path(path)
        self._checkpoint: Checkpoint | None = None
        facts = self._recall(architecture)
        if facts is None:
            before = self._status()
            self._checkpoint = load_checkpoint(self.path, architecture)
            facts = self._checkpoint.architecture, self._hash()
            self._remember(*facts, before)
        self._architecture, self._digest = facts

    @property
    def architecture(self) -> Architecture:
        """The architecture that the arrays belong to."""
        return self._architecture

    @property
    def label(self) -> str:
        """Path of the file."""
        return str(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return self._digest

    def read(self) -> Checkpoint:
        """Return the checked checkpoint; it is not kept.

        Raises:
            CheckpointError: The file cannot be read, or an array is missing, misshapen or not finite.
        """
        checkpoint, self._checkpoint = self._checkpoint, None
        return checkpoint or load_checkpoint(self.path, self._architecture)

    def _recall(self, architecture: Architecture | None) -> tuple[Architecture, str] | None:
        """Return architecture and digest from an earlier start with this file, or None."""
        try:
            facts = json.loads(self._facts_path().read_text("utf-8"))
            known = facts["identity"] == self._status() and facts["architecture"] in architecture_names()
            if not known or (architecture is not None and facts["architecture"] != architecture.name):
                return None
            return find_architecture(facts["architecture"]), str(facts["sha256"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError, CheckpointError):  # absent or damaged
            return None

    def _remember(self, architecture: Architecture, digest: str, before: list[int]) -> None:
        with contextlib.suppress(OSError, CheckpointError):  # the next start then reads the file again
            if self._status() != before or time.time() - before[1] / 1e9 < _SETTLED_S:
                return
            facts = {"identity": before, "architecture": architecture.name, "sha256": digest}
            write_whole(self._facts_path(), json.dumps(facts).encode())

    def _facts_path(self) -> Path:
        name = hashlib.sha256(str(self.path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return cache_dir() / "checkpoints" / f"{name}.json"

    def _status(self) -> list[int]:
        """Return size, modification time in nanoseconds, and inode."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise self._unreadable(error) from error
        return [status.st_size, status.st_mtime_ns, status.st_ino]

    def _hash(self) -> str:
        try:
            return file_digest(self.path, "sha256").hex()
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> CheckpointError:
        return CheckpointError(
            f"{self.path} cannot be read ({error.strerror or error}); expected a checkpoint: check the path and its "
            "permissions."
        )
