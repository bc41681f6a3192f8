"""Checkpoints and networks as values: an architecture with its arrays, and a checkpoint at an input size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import CheckpointError
from ..values import Peaks
from .base import Architecture, HeadSizes


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
            CheckpointError: The file cannot be read, or an array is missing, misshapen or not finite.
        """


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The arrays of a network, checked when the value is made.

    Attributes:
        architecture: The architecture that the arrays belong to.
        arrays: Arrays by canonical name. After the check: exactly those that the architecture needs, in the order
            given, each float32, finite, C-contiguous and writable.
        label: Name for messages and commands: a file's path.
        sizes: Classes and embedding size, read from the arrays.

    Raises:
        CheckpointError: An array is missing, misshapen, not of floating point, NaN or infinite.
    """

    architecture: Architecture
    arrays: Mapping[str, NDArray[np.float32]]
    label: str = "the checkpoint in memory"
    sizes: HeadSizes = field(init=False)

    def __post_init__(self) -> None:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        sizes = self.architecture.head_sizes(shapes)
        expected = self.architecture.array_shapes(sizes)
        self._check_shapes(shapes, expected)
        arrays = {
            name: _finite_float32(array, name, self.label) for name, array in self.arrays.items() if name in expected
        }
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "sizes", sizes)

    def _check_shapes(self, shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> None:
        wrong = [name for name, shape in expected.items() if shapes.get(name) != shape]
        if not wrong:
            return
        name = wrong[0]
        found = f"has shape {shapes[name]}" if name in shapes else "is missing"
        others = f" {len(wrong) - 1} more of {len(expected)} arrays are missing or misshapen." if len(wrong) > 1 else ""
        raise CheckpointError(
            f"{self.label}: array {name} {found}; expected shape {expected[name]}, as in {self.architecture.title}."
            f"{others} Use a checkpoint of that network."
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all arrays with their names, hexadecimal."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            digest.update(f"{name}{self.arrays[name].shape}".encode())
            digest.update(self.arrays[name].tobytes())
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
            CheckpointError: The checkpoint cannot be read, or an array is missing, misshapen or not finite.
        """
        model = self.architecture.build_onnx(self.checkpoint.read().arrays, self.input_size)
        return bytes(model.SerializeToString())

    def decode(self, outputs: Sequence[NDArray[Any]]) -> Peaks:
        """Convert the graph's outputs for one image to peaks; see `Architecture.decode`."""
        return self.architecture.decode(outputs, self.input_size)


def _finite_float32(array: NDArray[Any], name: str, label: str) -> NDArray[np.float32]:
    if array.dtype.kind != "f":
        raise CheckpointError(f"{label}: array {name} has type {array.dtype}; expected float16, float32 or float64.")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported below
        converted = np.require(array, np.float32, ["C", "W"])  # a copy only if one is needed
    bad = converted.size - int(np.count_nonzero(np.isfinite(converted)))
    if bad:
        raise CheckpointError(
            f"{label}: array {name} has {bad} of {converted.size} numbers that are NaN or infinite; expected finite "
            "numbers: the file is damaged or its training diverged, use another."
        )
    return converted
