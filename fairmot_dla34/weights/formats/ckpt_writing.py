"""Writer of MindSpore's ``.ckpt`` files; `fairmot_dla34.weights.formats.ckpt` describes the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...files import output_error, replaced_file

PIECE_BYTES = 1 << 29  # SLICE_SIZE of MindSpore's serialization.py: a protobuf message ends at 2 GB
_LENGTH = 2  # wire type of a field with bytes


def write_ckpt(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a checkpoint that `load_checkpoint` and ``mindspore.load_checkpoint`` read.

    The file is replaced as a whole: an interrupted write or a full disk leaves the earlier file.

    Args:
        path: File to write, with the suffix ``.ckpt`` that MindSpore expects; its folder is created.
        arrays: Arrays by name, of any shape. float16 arrays stay float16, others are converted to float32. Their order
            does not matter.

    Raises:
        OutputError: The file cannot be written. An earlier file of that name is unchanged.
    """
    try:
        with replaced_file(path) as file:
            for name in sorted(arrays):
                file.writelines(_values(name, np.asarray(arrays[name])))
    except OSError as error:
        raise output_error(path, error) from error


def _values(name: str, given: NDArray[Any]) -> Iterator[bytes]:
    type_name, code = ("Float16", "<f2") if given.dtype == np.float16 else ("Float32", "<f4")
    content = np.asarray(given, code).tobytes()  # in C order
    sides = b"".join(_varint(1 << 3) + _varint(side) for side in given.shape)
    header = sides + _start(2, len(type_name)) + type_name.encode()
    encoded = name.encode()
    for start in range(0, max(len(content), 1), PIECE_BYTES):
        piece = content[start : start + PIECE_BYTES]
        tensor = header + _start(3, len(piece))
        value = _start(1, len(encoded)) + encoded + _start(2, len(tensor) + len(piece)) + tensor
        yield _start(1, len(value) + len(piece)) + value
        yield piece


def _start(number: int, length: int) -> bytes:
    """Return what precedes the bytes of a field."""
    return _varint(number << 3 | _LENGTH) + _varint(length)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
