"""Reader of the pickles that ``paddle.save`` writes.

A pickle may name only the few constructors that arrays and plain containers need. Each is replaced here by a function
that records what the file declares: NumPy's own never receive the file's arguments.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from .errors import FormatError
from .pickle_machine import PickleMachine
from .pickle_values import Constructor, Literal, PickledDict
from .stored import BYTE_ORDERS, MAX_RANK, MAX_SIDE, StoredArray, fortran_axes, is_number_type, without_order


def read_pickle(stream: BinaryIO, size: int) -> dict[str, StoredArray]:
    """Return the named arrays of a checkpoint; entries that are not arrays, such as Paddle's name table, are left out.

    Args:
        stream: Binary file at its start, where a pickle of protocol 2 to 5 begins. It must stay open while arrays are
            read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The pickle is not a dictionary of arrays, or asks for something that no checkpoint needs.
        Exception: The pickle is damaged; of nearly any type.
    """
    loaded = PickleMachine(stream, size, _ADMITTED, (_PickledDtype, _PickledArray)).run()
    if not isinstance(loaded, PickledDict):
        kind = type(loaded).__name__ if isinstance(loaded, (list, tuple)) else "single value"
        raise FormatError(
            f"it holds a {kind}; expected a dictionary of named arrays, as PaddleDetection's .pdparams files hold."
        )
    arrays: dict[str, StoredArray] = {}
    for name, value in loaded.entries:
        array = _unwrap_tensor(value)
        if not isinstance(name, str) or not isinstance(array, _PickledArray):
            continue
        if name in arrays:
            raise FormatError(f"it has two arrays of the name {name}; expected one.")
        arrays[name] = array.stored()
    return arrays


def _unwrap_tensor(value: object) -> object:
    """`paddle.save` writes a tensor outside a plain state dictionary as (name, array)."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return value[1]
    return value


class _PickledDtype:
    """Stands for ``numpy.dtype``: a plain number type with its byte order."""

    __slots__ = ("code",)

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or not is_number_type(code):
            found = code if isinstance(code, str) else type(code).__name__
            raise FormatError(f"it has an array of type {found}; expected arrays of plain numbers only.")
        self.code = code

    def build(self, state: object) -> None:
        # ndarray's `__reduce__`: (version, byte order, ...)
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if not isinstance(order, str) or order not in BYTE_ORDERS:
            raise FormatError("it has an array of an unknown byte order; expected '<', '>', '|' or '='.")
        self.code = order + without_order(self.code)


class _PickledArray:
    """Stands for ``numpy.ndarray``: filled once, by a length and a shape that fit each other."""

    __slots__ = ("_stored",)

    def __init__(self) -> None:
        self._stored: StoredArray | None = None

    def build(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[3], int):
            raise FormatError("it has an array whose state is not that of an array.")
        _version, shape, dtype, is_fortran, content = state
        self.fill(content, dtype, shape, "F" if is_fortran else "C")

    def fill(self, content: object, dtype: object, shape: object, order: object, axes: object = None) -> None:
        if self._stored is not None:
            raise FormatError("it fills an array twice, as no checkpoint does; do not use this file.")
        is_text = isinstance(content, Literal) and content.is_text
        if not isinstance(content, (Literal, _Latin1)) or is_text or not isinstance(dtype, _PickledDtype):
            raise FormatError("it has an array without plain bytes; expected arrays of numbers only.")
        if not isinstance(shape, tuple) or len(shape) > MAX_RANK or not all(map(_is_side, shape)):
            raise FormatError("it has an array whose shape is not a tuple of numbers >= 0.")
        places = _axes_in_file(len(shape), order, axes)
        if order == "K" and places is not None:  # the shape is that in the file
            shape = tuple(shape[axis] for axis in places)
        stored = StoredArray(shape, dtype.code, places, content.blocks)
        shortest, longest = content.lengths
        if not shortest <= stored.bytes <= longest:
            raise FormatError(f"it has an array of shape {shape} that its {longest} bytes do not fill exactly.")
        self._stored = stored

    def stored(self) -> StoredArray:
        if self._stored is None:
            raise FormatError("it has an array without numbers.")
        return self._stored


def _is_side(side: object) -> bool:
    return type(side) is int and 0 <= side <= MAX_SIDE


def _axes_in_file(rank: int, order: object, axes: object) -> tuple[int, ...] | None:
    """Return `StoredArray.axes` for an order of ``numpy.ndarray.reshape``, or "K" of NumPy 2.2: any permutation."""
    if order == "C":
        return None
    if order == "F":
        return fortran_axes(rank)
    if order != "K" or not isinstance(axes, tuple) or len(axes) != rank or not all(type(axis) is int for axis in axes):
        raise FormatError("it has an array in an unknown order; expected 'C', 'F' or 'K' with a permutation of axes.")
    if set(axes) != set(range(rank)):
        raise FormatError("it has an array whose axes are not a permutation.")
    return axes


class _Latin1:
    """Bytes in protocol 2: ``_codecs.encode(text, "latin1")``."""

    __slots__ = ("_text",)

    def __init__(self, text: str | Literal) -> None:
        self._text = text

    @property
    def lengths(self) -> tuple[int, int]:
        if isinstance(self._text, str):
            return len(self._text), len(self._text)
        return (self._text.length + 1) // 2, self._text.length  # a character has one or two bytes in UTF-8

    def blocks(self) -> Iterator[bytes]:
        if isinstance(self._text, str):
            yield self._text.encode("latin1")
            return
        decoder = codecs.getincrementaldecoder("utf-8")()
        for block in self._text.blocks():
            yield decoder.decode(block).encode("latin1")
        decoder.decode(b"", final=True)


_NDARRAY = object()  # value of the name numpy.ndarray while reading


def _reconstruct(subtype: object, *_placeholder: object) -> _PickledArray:
    if subtype is not _NDARRAY:
        raise FormatError("it makes an array of a type other than numpy.ndarray.")
    return _PickledArray()


def _from_buffer(content: object, dtype: object, shape: object, order: object, axes: object = None) -> _PickledArray:
    array = _PickledArray()
    array.fill(content, dtype, shape, order, axes)
    return array


def _scalar(_dtype: object, _content: object) -> None:
    """Return nothing: a lone number is not an array of a network."""


def _latin1(text: object, encoding: object) -> _Latin1:
    is_bytes = isinstance(text, Literal) and not text.is_text
    if not isinstance(text, (str, Literal)) or is_bytes or not isinstance(encoding, str) or encoding != "latin1":
        raise FormatError("it encodes something other than text as latin1, as no checkpoint does.")
    return _Latin1(text)


def _no_bytes() -> _Latin1:
    """Empty bytes in protocol 2: ``bytes()``."""
    return _Latin1("")


def _empty_dict() -> PickledDict:
    return PickledDict()  # without arguments: entries follow by SETITEMS


def _same_tuple(values: object) -> object:
    if not isinstance(values, tuple):
        raise FormatError("it makes a tuple of something other than a tuple, as no checkpoint does.")
    return values


# NumPy 2 renamed numpy.core to numpy._core; `_frombuffer` is protocol 5, `_codecs.encode` protocol 2, and
# `tuple` how paddle.save reduces a tensor (paddle/framework/io.py, reduce_varbase).
_ADMITTED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): Constructor(_empty_dict),
    ("builtins", "tuple"): Constructor(_same_tuple),
    ("__builtin__", "tuple"): Constructor(_same_tuple),
    ("__builtin__", "bytes"): Constructor(_no_bytes),
    ("_codecs", "encode"): Constructor(_latin1),
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Constructor(_PickledDtype),
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Constructor(_reconstruct) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): Constructor(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): Constructor(_from_buffer) for core in ("core", "_core")},
}
