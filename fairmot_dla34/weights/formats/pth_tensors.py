"""Tensors of PyTorch's checkpoints: views of storages, which may be transposed, sliced or expanded.

A storage is a run of numbers in the file. A tensor is a start, a shape and a stride per axis in it, all in numbers. The
bounds are checked when the tensor is found. Its numbers are read later, without the parts of the storage between them.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeGuard

import numpy as np

from .errors import FormatError
from .pickle_values import Literal
from .stored import MAX_RANK, MAX_SIDE, StoredArray

# Parts of a storage up to these lengths are read with the gaps between a tensor's numbers, longer ones without.
_SHORT_BYTES, _SPARSE_FACTOR = 4096, 4


@dataclass(frozen=True)
class NumberType:
    """Type of a storage's numbers.

    Attributes:
        code: NumPy's code, without byte order.
        is_bfloat16: True for bfloat16, which NumPy lacks; ``code`` is then that of its 16 bits.
    """

    code: str
    is_bfloat16: bool = False

    @property
    def bytes(self) -> int:
        """Length of a number."""
        return int(self.code[1:])


STORAGE_TYPES = {
    "DoubleStorage": NumberType("f8"),
    "FloatStorage": NumberType("f4"),
    "HalfStorage": NumberType("f2"),
    "BFloat16Storage": NumberType("u2", is_bfloat16=True),
    "LongStorage": NumberType("i8"),
    "IntStorage": NumberType("i4"),
    "ShortStorage": NumberType("i2"),
    "CharStorage": NumberType("i1"),
    "ByteStorage": NumberType("u1"),
    "BoolStorage": NumberType("b1"),
    "ComplexFloatStorage": NumberType("c8"),
    "ComplexDoubleStorage": NumberType("c16"),
}


@dataclass(eq=False, slots=True)
class Storage:
    """Numbers of one type in the file.

    Attributes:
        stream: The open file.
        kind: Type of the numbers.
        numbers: How many there are.
        offset: Position of the first byte; None until it is known.
        crc: CRC-32 of all bytes; None if the file has none.
        order: Byte order, ``<`` or ``>``.
    """

    stream: BinaryIO
    kind: NumberType
    numbers: int
    offset: int | None = None
    crc: int | None = None
    order: str = "<"

    def blocks(self, first: int, count: int) -> Iterator[bytes]:
        """Yield the bytes of some numbers; if they are all of the storage, compare the check sum at the end."""
        if self.offset is None:
            raise FormatError("it has a tensor whose numbers are missing.")
        found = 0
        start, length = self.offset + first * self.kind.bytes, count * self.kind.bytes
        for block in Literal(self.stream, start, length, is_text=False).blocks():
            found = zlib.crc32(block, found)
            yield block
        if self.crc is not None and count == self.numbers and found != self.crc:
            raise FormatError("its numbers do not have the check sum that it declares; fetch it again.")


@dataclass(frozen=True, eq=False)
class StorageView:
    """A part of a storage, which tensors refer to.

    Attributes:
        storage: The storage.
        first: Its first number.
        numbers: How many numbers it has.
    """

    storage: Storage
    first: int
    numbers: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor; its bounds were checked by `make_tensor`.

    Attributes:
        storage: The storage.
        first: Its first number in the storage.
        shape: Number of entries along each axis.
        strides: Numbers between two entries of an axis.
    """

    storage: Storage
    first: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def stored(self) -> StoredArray:
        """Return the description of the array; bfloat16 is converted to float32 exactly."""
        kind, order = self.storage.kind, self.storage.order
        code = "<f4" if kind.is_bfloat16 else order + kind.code
        return StoredArray(self.shape, code, None, self._float32_blocks if kind.is_bfloat16 else self._blocks)

    def _blocks(self) -> Iterator[bytes]:
        return _gather(self.storage, self.first, self.shape, self.strides)

    def _float32_blocks(self) -> Iterator[bytes]:
        for block in self._blocks():
            upper_halves = np.frombuffer(block, f"{self.storage.order}u2").astype("<u4")
            yield (upper_halves << 16).tobytes()


def make_tensor(view: object, first: object, shape: object, strides: object) -> Tensor:
    """Return a tensor within a storage.

    Raises:
        FormatError: The parts are of other types, or the tensor reaches beyond its storage.
    """
    if not isinstance(view, StorageView):
        raise FormatError("it has a tensor without a storage.")
    if not isinstance(shape, tuple) or not isinstance(strides, tuple) or not len(shape) == len(strides) <= MAX_RANK:
        raise FormatError(f"it has a tensor without one stride per axis; expected at most {MAX_RANK} axes.")
    if not is_whole(first) or not all(map(is_whole, (*shape, *strides))):
        raise FormatError("it has a tensor whose shape, strides or start are not whole numbers >= 0.")
    last = first + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if 0 not in shape and last >= view.numbers:
        raise FormatError(
            f"it has a tensor of shape {shape[:8]} that reaches to number {last} of a storage with {view.numbers}."
        )
    return Tensor(view.storage, view.first + first, shape, strides)


def is_whole(number: object) -> TypeGuard[int]:
    """Return True for a whole number that can be a length, a stride or a position."""
    return type(number) is int and 0 <= number <= MAX_SIDE


def _gather(storage: Storage, first: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Iterator[bytes]:
    """Yield a tensor's bytes in C order."""
    count, size = math.prod(shape), storage.kind.bytes
    if not count:
        return
    if _is_contiguous(shape, strides):
        yield from storage.blocks(first, count)
        return
    span = 1 + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if span * size > max(_SHORT_BYTES, _SPARSE_FACTOR * count * size):
        for index in range(shape[0]):
            yield from _gather(storage, first + index * strides[0], shape[1:], strides[1:])
        return
    numbers = np.frombuffer(b"".join(storage.blocks(first, span)), f"V{size}")
    yield np.lib.stride_tricks.as_strided(numbers, shape, [size * stride for stride in strides]).tobytes()


def _is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for side, stride in zip(reversed(shape), reversed(strides), strict=True):
        if side > 1 and stride != expected:
            return False
        expected *= side
    return True
