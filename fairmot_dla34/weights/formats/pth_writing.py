"""Writer of ``.pth`` files without PyTorch: the zip archive that ``torch.save`` writes since PyTorch 1.6.

The arrays stand in an entry ``state_dict`` beside ``epoch``, as ifzhang/FairMOT writes and reads them. Arrays of this
package's own, such as the input size, stand beside it, where ifzhang/FairMOT does not see them.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...files import output_error, replaced_file

OWN_PREFIX = "fairmot_dla34."  # of arrays that stand beside the state dictionary
_FOLDER = "archive"  # torch.save's name for a file without a name: the bytes do not depend on the path
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest of a zip archive: the same arrays give the same bytes at any time
_UNIX, _MODE = 3, 0o600 << 16  # system and permissions in the archive, on every system
_ZIP64_BYTES = 1 << 31  # from this length on, a member needs the larger fields of a zip archive
_ALIGNMENT = 64  # of the numbers in the file, so that torch.load can map them into memory
_LOCAL_HEADER_BYTES, _EXTRA_HEADER_BYTES = 30, 4
_PADDING = 0x4246  # "FB", PyTorch's identifier of an extra field without content

# Instructions of protocol 2 (module `pickletools`); those of a tensor are what torch._utils._rebuild_tensor_v2 takes.
_START, _STOP = b"\x80\x02", b"."
_DICT, _ORDERED_DICT = b"}(", b"ccollections\nOrderedDict\n)R("  # empty, then MARK
_SET_ITEMS = b"u"
_REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n("
_STORAGE = {"<f4": b"ctorch\nFloatStorage\n", "<f2": b"ctorch\nHalfStorage\n"}
_NO_GRADIENT_NO_HOOKS = b"\x89ccollections\nOrderedDict\n)R"


def write_pth(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a checkpoint that `load_checkpoint`, ``torch.load(weights_only=True)`` and ifzhang/FairMOT read.

    The file is replaced as a whole: an interrupted write or a full disk leaves the earlier file.

    Args:
        path: File to write, with the suffix ``.pth``; its folder is created.
        arrays: Arrays by the names that the file shall have, of any shape. float16 arrays stay float16, others are
            converted to float32. Their order does not matter.

    Raises:
        OutputError: The file cannot be written. An earlier file of that name is unchanged.
    """
    names = sorted(arrays)
    try:
        with replaced_file(path) as file, zipfile.ZipFile(file, "w") as archive:
            described = {name: _converted(arrays[name]) for name in names}
            _write_member(archive, file, "data.pkl", b"".join(_pickle(described)))
            _write_member(archive, file, "byteorder", b"little")
            for key, name in enumerate(names):
                _write_member(archive, file, f"data/{key}", described[name].tobytes())
            _write_member(archive, file, "version", b"3\n")
    except OSError as error:
        raise output_error(path, error) from error


def _converted(array: ArrayLike) -> NDArray[np.float32] | NDArray[np.float16]:
    given = np.asarray(array)
    return np.asarray(given, "<f2" if given.dtype == np.float16 else "<f4")


def _write_member(archive: zipfile.ZipFile, file: BinaryIO, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(f"{_FOLDER}/{name}", _DATE)
    member.create_system, member.external_attr = _UNIX, _MODE
    # Only a member of 2 GB has the larger fields, whose place in the header the padding does not foresee.
    start = file.tell() + _LOCAL_HEADER_BYTES + len(member.filename) + _EXTRA_HEADER_BYTES
    padding = -start % _ALIGNMENT
    member.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
    with archive.open(member, "w", force_zip64=len(content) >= _ZIP64_BYTES) as stream:
        stream.write(content)


def _pickle(arrays: Mapping[str, NDArray[np.float32] | NDArray[np.float16]]) -> Iterator[bytes]:
    """Yield ``{"epoch": 0, "state_dict": OrderedDict of tensors}`` with the package's own arrays beside it."""
    tensors = {name: _tensor(key, array) for key, (name, array) in enumerate(arrays.items())}
    yield _START + _DICT
    yield _text("epoch") + b"K\x00"
    yield _text("state_dict") + _ORDERED_DICT
    yield from (_text(name) + tensor for name, tensor in tensors.items() if not name.startswith(OWN_PREFIX))
    yield _SET_ITEMS
    yield from (_text(name) + tensor for name, tensor in tensors.items() if name.startswith(OWN_PREFIX))
    yield _SET_ITEMS + _STOP


def _tensor(key: int, array: NDArray[np.float32] | NDArray[np.float16]) -> bytes:
    strides = [int(np.prod(array.shape[axis + 1 :])) for axis in range(array.ndim)]  # in numbers
    storage_id = _text("storage") + _STORAGE[array.dtype.str] + _text(str(key)) + _text("cpu") + _number(array.size)
    view = b"(" + storage_id + b"tQ" + _number(0) + _tuple(array.shape) + _tuple(strides)  # TUPLE, BINPERSID
    return _REBUILD + view + _NO_GRADIENT_NO_HOOKS + b"tR"  # TUPLE, REDUCE


def _text(text: str) -> bytes:
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded  # BINUNICODE


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)  # BININT


def _tuple(numbers: tuple[int, ...] | list[int]) -> bytes:
    return b"(" + b"".join(map(_number, numbers)) + b"t"
