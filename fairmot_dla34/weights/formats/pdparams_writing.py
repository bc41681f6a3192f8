"""Writer of ``.pdparams`` files: a pickle of a dictionary of arrays, as ``paddle.save`` writes a state dictionary.

Python's own pickler writes the name of NumPy's private module, which NumPy 2 renamed: PaddleDetection, which needs
NumPy 1, cannot read such a file. The instructions are therefore written here, with the name that every NumPy reads, and
the same arrays give the same bytes on every system.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...files import output_error, replaced_file

# Instructions of protocol 3 (module `pickletools`); those of an array are what ndarray.__reduce__ gives.
_START = b"\x80\x03}("  # PROTO 3, EMPTY_DICT, MARK
_END = b"u."  # SETITEMS, STOP
_EMPTY_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"  # REDUCE
_FLOAT32 = (
    b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R"
    b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"  # little-endian
)
_C_ORDER = b"\x89"  # NEWFALSE
_FILL = b"tb"  # TUPLE, BUILD


def write_pdparams(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a checkpoint that `load_checkpoint`, ``paddle.load`` and PaddleDetection read.

    The file is replaced as a whole: an interrupted write or a full disk leaves the earlier file.

    Args:
        path: File to write, with the suffix ``.pdparams`` that PaddleDetection expects; its folder is created.
        arrays: Arrays by canonical name, of any shape; converted to float32. Their order does not matter.

    Raises:
        OutputError: The file cannot be written. An earlier file of that name is unchanged.
    """
    try:
        with replaced_file(path) as file:
            file.writelines(_instructions(arrays))
    except OSError as error:
        raise output_error(path, error) from error


def _instructions(arrays: Mapping[str, ArrayLike]) -> Iterator[bytes]:
    yield _START
    for name in sorted(arrays):
        array = np.asarray(arrays[name], "<f4")
        encoded = name.encode()
        yield b"X" + struct.pack("<I", len(encoded)) + encoded  # BINUNICODE
        shape = b"".join(b"J" + struct.pack("<i", side) for side in array.shape)  # BININT
        yield _EMPTY_ARRAY + b"(K\x01(" + shape + b"t" + _FLOAT32 + _C_ORDER  # (version, shape, dtype, is_fortran, ...
        yield b"B" + struct.pack("<I", array.nbytes)  # BINBYTES
        yield array.tobytes()  # in C order
        yield _FILL
    yield _END
