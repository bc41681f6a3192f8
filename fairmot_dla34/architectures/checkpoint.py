"""Checkpoints and networks as values: an architecture with its arrays, and a checkpoint at an input size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import OutOfMemoryError
from ..values import Peaks
from .base import Architecture, HeadSizes
from .soundness import check_live, check_shapes, sound_float32


class CheckpointSource(Protocol):
    """A checkpoint in memory, or one in a file that is read when it is needed."""

    @property
    def architecture(self) -> Architecture:
        """The architecture that the arrays belong to."""

    @property
    def label(self) -> str:
        """Name for messages and commands: the file's path."""

    @property
    def digest(self) -> str:
        """Hexadecimal digest that changes with the content."""

    def read(self) -> Checkpoint:
        """Return the checked checkpoint.

        Raises:
            CheckpointError: The file cannot be read, or an array is missing, misshapen or unsound.
        """


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The arrays of a network, checked when the value is made.

    Attributes:
        architecture: The architecture that the arrays belong to.
        arrays: Arrays by canonical name. After the check: exactly those that the architecture needs, in the order
            given, each float32, sound, C-contiguous and writable.
        label: Name for messages and commands: a file's path.
        sizes: Classes and embedding size, read from the arrays.

    Raises:
        CheckpointError: An array is missing, misshapen, not of floating point, or has numbers that no trained network
            has; see `fairmot_dla34.architectures.soundness`.
    """

    architecture: Architecture
    arrays: Mapping[str, NDArray[np.float32]]
    label: str = "the checkpoint in memory"
    sizes: HeadSizes = field(init=False)

    def __post_init__(self) -> None:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        sizes = check_shapes(self.architecture, shapes, self.label)
        expected = self.architecture.array_shapes(sizes)
        arrays = {
            name: sound_float32(array, name, self.label) for name, array in self.arrays.items() if name in expected
        }
        check_live(arrays, self.architecture.live_arrays, self.label)
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "sizes", sizes)

    @property
    def digest(self) -> str:
        """SHA-256 of all arrays with their names, hexadecimal."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            digest.update(f"{name}{self.arrays[name].shape}".encode())
            digest.update(np.ascontiguousarray(self.arrays[name]).data)
        return digest.hexdigest()

    def read(self) -> Checkpoint:
        """Return the checkpoint itself: it is in memory."""
        return self


@dataclass(frozen=True, eq=False)
class Network:
    """A checkpoint at an input size: the value that a backend loads.

    Attributes:
        checkpoint: The checkpoint, in memory or in a file.
        input_size: Network input in px.
    """

    checkpoint: CheckpointSource
    input_size: InputSize

    @property
    def architecture(self) -> Architecture:
        """The checkpoint's architecture."""
        return self.checkpoint.architecture

    @property
    def label(self) -> str:
        """Name of the checkpoint in messages and commands."""
        return self.checkpoint.label

    def key(self, *parts: str) -> str:
        """Return 32 hexadecimal digits that change with the checkpoint, the input size, the graph and ``parts``.

        Args:
            *parts: Other facts that a file made from this network depends on: runtime, device, precision.

        Raises:
            CheckpointError: The checkpoint cannot be read.
        """
        graph = f"{self.architecture.name} {self.architecture.graph_version}"
        text = "\n".join([graph, str(self.input_size), self.checkpoint.digest, *parts])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def serialized_onnx(self) -> bytes:
        """Build the ONNX graph and serialise it; the arrays are not kept.

        Raises:
            CheckpointError: The checkpoint cannot be read, or an array is missing, misshapen or unsound.
            OutOfMemoryError: The process may not use as much memory as the graph needs.
        """
        from google.protobuf.message import EncodeError  # raised, too, if there is no memory

        try:
            model = self.architecture.build_onnx(self.checkpoint.read().arrays, self.input_size)
            return bytes(model.SerializeToString())
        except OutOfMemoryError:
            raise
        except (MemoryError, EncodeError) as error:
            raise OutOfMemoryError(
                f"The ONNX graph of {self.label} cannot be built: it needs more memory than this process may use. "
                "Raise its limit (ulimit -v, the container's memory) to 2 GB or more."
            ) from error

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Peaks:
        """Convert the graph's outputs for one image to peaks; see `Architecture.decode`."""
        return self.architecture.decode(outputs, self.input_size)
