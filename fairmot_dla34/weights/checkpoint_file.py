"""Checkpoint files: read and checked once, and identified at later starts without reading them again."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from ..architectures import Architecture, Checkpoint, architecture_names, identify_architecture
from ..architectures.soundness import check_shapes, check_type
from ..config import InputSize
from ..errors import CheckpointError, InvalidInputError, OutOfMemoryError
from .file_facts import FileFacts, file_identity, file_sha256, recall_facts, remember_facts
from .formats import StoredArray, open_arrays, reported_errors
from .naming import canonical_names

_SIDES = range(32, 16_385, 32)  # px; a larger network would exceed every memory
INPUT_SIZE_NAME = "fairmot_dla34.input_size"  # array (width, height) in files that `train` writes; others ignore it


def load_checkpoint(path: str | PathLike[str], architecture: Architecture | None = None) -> Checkpoint:
    """Read and check a checkpoint file: format reader, canonical names, check of every array.

    Only the arrays that the architecture needs are read, after their shapes and types were checked, so that a file
    cannot ask for more memory than the network needs.

    Args:
        path: A ``.pdparams`` file of PaddleDetection, a ``.pth`` file of ifzhang/FairMOT, or a ``.npz`` file with
            PaddleDetection's names.
        architecture: The architecture expected; None: the registered one that the array names belong to.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, asks for something to be run, belongs
            to no registered architecture, or an array is missing, misshapen, not of floating point, or has numbers that
            no trained network has.
        OutOfMemoryError: The process may not use as much memory as the arrays need.
    """
    path = Path(path)
    try:
        with open_arrays(path) as found:
            with reported_errors(path):
                stored = canonical_names(found)
            architecture = architecture or _identify(path, stored)
            shapes = {name: array.shape for name, array in stored.items()}
            expected = architecture.array_shapes(check_shapes(architecture, shapes, str(path)))
            needed = {name: array for name, array in stored.items() if name in expected}
            for name, array in needed.items():
                check_type(array.is_float, array.type_name, name, str(path))
            with reported_errors(path):
                arrays = {name: array.read() for name, array in needed.items()}
        return Checkpoint(architecture, arrays, str(path))
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{path} cannot be read: this process may not use as much memory as its arrays need. Raise its limit "
            "(ulimit -v, the container's memory) to 1 GB or more."
        ) from error


def stored_input_size(path: Path) -> InputSize | None:
    """Return the network input that a file's weights were trained at; None if the file does not state it.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, or states no possible size.
    """
    with open_arrays(path) as found, reported_errors(path):
        stored = found.get(INPUT_SIZE_NAME)
        if stored is None or stored.shape != (2,) or not stored.is_float:
            return None
        sides = stored.read().tolist()
    try:
        return InputSize(*(int(side) if side in _SIDES else 0 for side in sides))
    except InvalidInputError as error:
        raise CheckpointError(f"{path} states its input size, but {str(error)[0].lower()}{str(error)[1:]}") from error


def _identify(path: Path, stored: Mapping[str, StoredArray]) -> Architecture:
    architecture = identify_architecture({name: array.shape for name, array in stored.items()})
    if architecture is None:
        first = f", such as {next(iter(stored))}" if stored else ""
        raise CheckpointError(
            f"{path} has {len(stored)} arrays{first}, and none belongs to a known architecture "
            f"({', '.join(architecture_names())}); expected a FairMOT checkpoint: use another file, or register its "
            "architecture first."
        )
    return architecture


class CheckpointFile:
    """A checkpoint in a file, which is read when its arrays are needed.

    Digest and architecture are remembered in the cache folder, so that a start with a compiled network neither hashes
    nor reads the file; see `fairmot_dla34.weights.file_facts` for when they are trusted.

    Args:
        path: The file.
        architecture: The architecture expected; None: the registered one that the array names belong to.

    Raises:
        CheckpointError: The file cannot be read, changes while it is read or, at its first use, is not a sound
            checkpoint.
        OutOfMemoryError: The process may not use as much memory as the arrays need.
    """

    def __init__(self, path: str | PathLike[str], architecture: Architecture | None = None) -> None:
        self.path = Path(path)
        self._checkpoint: Checkpoint | None = None
        self._identity = file_identity(self.path)
        facts = recall_facts(self.path, self._identity, architecture)
        if facts is None:
            self._checkpoint = load_checkpoint(self.path, architecture)
            facts = FileFacts(self._checkpoint.architecture, file_sha256(self.path))
            self._expect_unchanged()
            remember_facts(self.path, self._identity, facts)
        self._facts = facts

    @property
    def architecture(self) -> Architecture:
        """The architecture that the arrays belong to."""
        return self._facts.architecture

    @property
    def label(self) -> str:
        """Path of the file."""
        return str(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return self._facts.sha256

    def read(self) -> Checkpoint:
        """Return the checked checkpoint; it is not kept.

        Raises:
            CheckpointError: The file cannot be read, has changed since its digest was taken, or an array is missing,
                misshapen or unsound.
            OutOfMemoryError: The process may not use as much memory as the arrays need.
        """
        checkpoint, self._checkpoint = self._checkpoint, None
        if checkpoint is None:
            checkpoint = load_checkpoint(self.path, self.architecture)
            self._expect_unchanged()  # a network compiled from it is kept under the digest
        return checkpoint

    def _expect_unchanged(self) -> None:
        if file_identity(self.path) != self._identity:
            raise CheckpointError(
                f"{self.path} changed while it was in use; expected a whole file: wait until it is written, and start "
                "again."
            )
