"""Reads the pickles that ``paddle.save`` writes, running nothing that the file asks for.

A pickle is a program; ``pickle.load`` runs it. Here a file may name only the few constructors that arrays and plain
containers need, and this module replaces each of them: NumPy's own never receive the file's arguments. Any other name
is an error.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...errors import CheckpointError


def read_pickle(stream: BinaryIO, name: str) -> dict[str, NDArray[Any]]:
    """Return the named arrays of a checkpoint; entries that are not arrays, such as Paddle's name table, are left out.

    Args:
        stream: Binary file at the start of a pickle of protocol 2 to 5.
        name: Name of the file in messages.

    Raises:
        CheckpointError: The pickle is damaged, is not a dictionary of arrays, or names another constructor.
    """
    try:
        loaded = _ArrayUnpickler(stream).load()
    except CheckpointError as error:
        raise CheckpointError(f"{name} is not read: {error}") from None
    except Exception as error:  # a damaged pickle raises nearly anything (documentation of `pickle.UnpicklingError`)
        raise CheckpointError(
            f"{name} is damaged or cut short ({type(error).__name__}: {error}); expected a whole .pdparams file "
            "of PaddleDetection: fetch it again."
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f"{name} holds a {type(loaded).__name__}; expected a dictionary of named arrays, as PaddleDetection's "
            ".pdparams files hold (PyTorch's .pth files are not read)."
        )
    arrays = ((key, _unwrap_tensor(value)) for key, value in loaded.items())
    return {str(key): value.array for key, value in arrays if isinstance(value, _PickledArray)}


def _unwrap_tensor(value: object) -> object:
    """`paddle.save` writes a tensor outside a plain state dictionary as (name, array)."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return value[1]
    return value


class _Constructor:
    """A callable that a pickle's BUILD instruction cannot alter, unlike a function with its ``__dict__``."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., object]) -> None:
        self._make = make

    def __call__(self, *args: object) -> object:
        return self._make(*args)

    def __setstate__(self, _state: object) -> NoReturn:
        raise CheckpointError("it sets the state of a constructor, as no checkpoint does; do not use this file.")


class _PickledDtype:
    """Stands for ``numpy.dtype``: a plain number type with its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[biuf]\d{1,2}", code):
            raise CheckpointError(f"it has an array of type {code!r}; expected arrays of plain numbers only.")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: tuple[object, ...]) -> None:
        order = state[1]  # ndarray's `__reduce__`: (version, byte order, ...)
        if order not in {"<", ">", "|", "="}:
            raise CheckpointError(f"it has an array of byte order {order!r}; expected '<', '>', '|' or '='.")
        self.dtype = self.dtype.newbyteorder(order)


class _PickledArray:
    """Stands for ``numpy.ndarray``: filled once, by lengths and shapes that fit each other."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[Any] = np.empty(0, dtype=np.float32)

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _version, shape, dtype, is_fortran, raw = state
        self.fill(raw, dtype, shape, "F" if is_fortran else "C")

    def fill(self, raw: object, dtype: object, shape: object, order: object) -> None:
        if not isinstance(dtype, _PickledDtype) or not isinstance(raw, (bytes, bytearray)):
            raise CheckpointError("it has an array without plain bytes; expected arrays of numbers only.")
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise CheckpointError(f"it has an array of shape {shape!r}; expected a tuple of numbers >= 0.")
        flat = np.frombuffer(raw, dtype=dtype.dtype)
        self.array = flat.reshape(shape, order="F" if order == "F" else "C")


_NDARRAY = object()  # what the name numpy.ndarray stands for while reading


def _reconstruct(subtype: object, *_placeholder: object) -> _PickledArray:
    if subtype is not _NDARRAY:
        raise CheckpointError(f"it makes an array of the type {subtype!r}; expected numpy.ndarray.")
    return _PickledArray()


def _from_buffer(raw: object, dtype: object, shape: object, order: object) -> _PickledArray:
    array = _PickledArray()
    array.fill(raw, dtype, shape, order)
    return array


def _scalar(dtype: object, raw: object) -> object:
    return _from_buffer(raw, dtype, (), "C").array.item()


def _latin1(text: object, encoding: object) -> bytes:
    """Bytes in protocol 2: ``_codecs.encode(text, "latin1")``. No other codec is looked up."""
    if not isinstance(text, str) or encoding != "latin1":
        raise CheckpointError(f"it encodes a {type(text).__name__} as {encoding!r}; expected text as latin1.")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Empty bytes in protocol 2: ``bytes()``. With a number it would reserve that much memory."""
    return b""


# NumPy 2 renamed numpy.core to numpy._core; `_frombuffer` is protocol 5, `_codecs.encode` protocol 2, and
# `tuple` how paddle.save reduces a tensor (paddle/framework/io.py, reduce_varbase).
_ADMITTED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): dict,
    ("builtins", "tuple"): tuple,
    ("__builtin__", "tuple"): tuple,
    ("__builtin__", "bytes"): _Constructor(_no_bytes),
    ("_codecs", "encode"): _Constructor(_latin1),
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Constructor(_PickledDtype),
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Constructor(_reconstruct) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Constructor(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Constructor(_from_buffer) for core in ("core", "_core")},
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise CheckpointError(
                f"it asks for {module}.{name}, and a checkpoint needs arrays and plain containers only. Nothing was "
                "run. Do not use this file; fetch it from where it was published."
            ) from None
