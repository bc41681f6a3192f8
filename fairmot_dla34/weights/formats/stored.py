"""Description of an array in a checkpoint file, whose numbers are read when they are needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import FormatError

BLOCK_BYTES = 1 << 20  # numbers are copied from the file in blocks, so that only the array itself is whole in memory
MAX_RANK = 32  # as in NumPy 1
MAX_SIDE = 1 << 40
BYTE_ORDERS = ("<", ">", "|", "=")
_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
_FLOAT_TYPES = frozenset({"f2", "f4", "f8"})
_NUMBER_TYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f16", "c8", "c16"})


@dataclass(frozen=True)
class StoredArray:
    """An array in an open checkpoint file.

    Attributes:
        shape: Shape that the file declares.
        type_code: NumPy's code of the number type with its byte order, such as ``<f4``; other text for another type.
        axes: Place of each axis in the file, where the last one varies fastest; None: in order.
        blocks: Function that opens the numbers and yields their bytes block by block.
    """

    shape: tuple[int, ...]
    type_code: str
    axes: tuple[int, ...] | None
    blocks: Callable[[], Iterable[bytes]]

    @property
    def is_float(self) -> bool:
        """True if the numbers are float16, float32 or float64."""
        return without_order(self.type_code) in _FLOAT_TYPES

    @property
    def type_name(self) -> str:
        """Name of the number type for messages, such as ``int64``."""
        code = without_order(self.type_code)
        return f"{_KINDS[code[0]]}{8 * int(code[1:])}" if is_number_type(code) else self.type_code

    @property
    def bytes(self) -> int:
        """Length of the numbers in bytes."""
        return math.prod(self.shape) * int(without_order(self.type_code)[1:])

    def read(self) -> NDArray[Any]:
        """Read the numbers.

        Raises:
            FormatError: The type is not one of numbers, or the file holds more or fewer than the shape needs.
            OSError: The file cannot be read.
        """
        if not is_number_type(self.type_code):
            raise FormatError(f"it has an array of type {self.type_code}; expected arrays of plain numbers only.")
        content, end = bytearray(self.bytes), 0  # writable, so that the array needs no copy
        for block in self.blocks():
            if end + len(block) > len(content):
                raise FormatError(f"it has an array of shape {self.shape} with more numbers than that.")
            content[end : end + len(block)] = block
            end += len(block)
        if end != len(content):
            raise FormatError(f"it has an array of shape {self.shape} with fewer numbers than that.")
        numbers: NDArray[Any] = np.frombuffer(content, np.dtype(self.type_code))
        if self.axes is None:
            return numbers.reshape(self.shape)
        shape_in_file = [self.shape[self.axes.index(place)] for place in range(len(self.axes))]
        array: NDArray[Any] = numbers.reshape(shape_in_file).transpose(self.axes)
        return array


@dataclass(frozen=True)
class DerivedArray(StoredArray):
    """An array whose numbers are computed from those of an array in a file when they are needed.

    Attributes:
        source: The array in the file; it has the same shape.
    """

    source: StoredArray

    @classmethod
    def of(cls, source: StoredArray, function: Callable[[NDArray[Any]], NDArray[Any]]) -> DerivedArray:
        """Describe the results of a function.

        Args:
            source: The array in the file.
            function: Function from float32 or float64 numbers to as many numbers. It is not called if the file holds
                numbers of another kind, which its type shows.
        """
        code = "<f4" if without_order(source.type_code) == "f2" else source.type_code
        return cls(source.shape, code, None, lambda: [function(source.read().astype(code)).tobytes()], source)


def fortran_axes(rank: int) -> tuple[int, ...]:
    """Return `StoredArray.axes` of an array in Fortran's order, in which the first index varies fastest."""
    return tuple(reversed(range(rank)))


def is_number_type(type_code: str) -> bool:
    """Return True for NumPy's codes of whole, real and complex numbers and of booleans."""
    return without_order(type_code) in _NUMBER_TYPES


def without_order(type_code: str) -> str:
    """Return a type's code without its byte order."""
    return type_code[1:] if type_code.startswith(BYTE_ORDERS) else type_code
