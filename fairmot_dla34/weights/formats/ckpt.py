"""Reader of MindSpore's ``.ckpt`` files, without a protobuf library and without trust in what they declare.

A file is one message ``Checkpoint`` of ``checkpoint.proto`` of MindSpore; all others are nested in it::

    Checkpoint   1: Value, repeated
    Value        1: name   2: TensorProto   3: hash table
    TensorProto  1: side, repeated   2: name of the type   3: bytes, little-endian

A large array is split over several values of one name that follow each other (``_write_parameter_data`` in
``mindspore/train/serialization.py``, MindSpore 2.10); each has the shape of the whole. After the message there can be a
check sum of the bytes before it.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

import numpy as np

from .errors import FormatError
from .protobuf import Messages, parse_varint
from .stored import BLOCK_BYTES, MAX_RANK, MAX_SIDE, StoredArray, without_order

_ENCRYPTED = re.compile(rb"[\xd8-\xda]\x5e\x3a\x7f")  # MindSpore's marks of AES-GCM, AES-CBC and SM4-CBC
MAX_NAME_BYTES = 500
MAX_TYPE_BYTES = 32
MAX_SHOWN = 80  # characters of a name in a message
_FIRST_VALUE = re.compile(rb"\n([\x80-\xff]{0,9}[\x00-\x7f])\n([\x80-\xff]?[\x00-\x7f])[^\x00-\x20\x7f]")
_CHECK_SUM, _CHECK_SUM_BYTES = b"crc_num", 17  # the mark, and 10 bytes of a big-endian number
_BFLOAT16 = "BFloat16"
_TYPE_CODES = {  # `tensor_to_ms_type` in MindSpore's serialization.py
    **{f"{sign}Int{8 * size}": f"<{code}{size}" for sign, code in (("", "i"), ("U", "u")) for size in (1, 2, 4, 8)},
    "Float16": "<f2",
    "Float32": "<f4",
    "Float64": "<f8",
    "Bool": "|b1",
    _BFLOAT16: "<f4",  # NumPy lacks it; see `_widened`
}


@dataclass(frozen=True)
class _Value:
    name: str
    sides: tuple[int, ...]
    type_name: str
    content: range  # places of the bytes in the file


def is_ckpt(start: bytes) -> bool:
    """Return True if the first 64 bytes of a file are those of a MindSpore checkpoint, plain or encrypted."""
    match = _FIRST_VALUE.match(start)
    is_plain = match is not None and parse_varint(match[2])[0] < parse_varint(match[1])[0]  # the name is in the value
    return is_plain or _ENCRYPTED.match(start) is not None


def read_ckpt(stream: BinaryIO, size: int) -> dict[str, StoredArray]:
    """Return the arrays of a file; values of other types than numbers can be listed and not read.

    Args:
        stream: Binary file. It must stay open while arrays are read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The file is encrypted or damaged, or its sizes do not fit.
        OSError: The file cannot be read.
    """
    if _ENCRYPTED.match(stream.read(4)):
        raise FormatError("it is encrypted by MindSpore; expected a plain checkpoint: save it without enc_key.")
    messages = Messages(stream)
    content = range(_end_of_message(stream, size))
    fields = (messages.expect_bytes(field) for number, field in messages.fields(content) if number == 1)
    values = (_read_value(messages, field) for field in fields)
    arrays: dict[str, StoredArray] = {}
    for name, pieces in groupby(values, key=lambda value: value.name):
        if name in arrays:
            raise FormatError(f"it has two arrays of the name {_shortened(name)}; expected one.")
        arrays[name] = _joined(stream, list(pieces))
    return arrays


def _end_of_message(stream: BinaryIO, size: int) -> int:
    end = max(size - _CHECK_SUM_BYTES, 0)
    stream.seek(end)
    tail = stream.read(_CHECK_SUM_BYTES)
    if not tail.startswith(_CHECK_SUM) or len(tail) < _CHECK_SUM_BYTES:
        return size
    check_sum = 0
    for block in _blocks(stream, [range(end)]):
        check_sum = zlib.crc32(block, check_sum)
    if check_sum != int.from_bytes(tail[len(_CHECK_SUM) :], "big"):
        raise FormatError("its check sum is not that of its content: it is damaged, fetch it again.")
    return end


def _read_value(messages: Messages, span: range) -> _Value:
    names: list[str] = []
    tensors: list[range] = []
    for number, field in messages.fields(span):
        if number == 1:
            names.append(messages.text(field, MAX_NAME_BYTES))
        elif number == 2:
            tensors.append(messages.expect_bytes(field))
        elif number == 3:
            raise FormatError("it has a hash table (MapParameter), as no FairMOT checkpoint has; use another file.")
    if len(names) != 1 or len(tensors) != 1:
        raise FormatError(f"it has a value with {len(names)} names and {len(tensors)} arrays; expected one of each.")
    return _read_tensor(messages, names[0], tensors[0])


def _read_tensor(messages: Messages, name: str, span: range) -> _Value:
    sides: list[int] = []
    types: list[str] = []
    contents: list[range] = []
    for number, field in messages.fields(span):
        if number == 1:
            sides.append(messages.expect_number(field))
        elif number == 2:
            types.append(messages.text(field, MAX_TYPE_BYTES))
        elif number == 3:
            contents.append(messages.expect_bytes(field))
        if len(sides) > MAX_RANK or (sides and sides[-1] > MAX_SIDE):
            raise FormatError(f"its array {_shortened(name)} has a shape that no array can have.")
    if len(types) != 1 or len(contents) > 1:
        raise FormatError(
            f"its array {_shortened(name)} has {len(types)} types and {len(contents)} contents; expected one of each."
        )
    return _Value(name, tuple(sides), types[0], contents[0] if contents else range(0))


def _joined(stream: BinaryIO, pieces: Sequence[_Value]) -> StoredArray:
    name, shape, type_name = pieces[0].name, pieces[0].sides, pieces[0].type_name
    if any(piece.sides != shape or piece.type_name != type_name for piece in pieces):
        raise FormatError(f"it has two arrays of the name {_shortened(name)}; expected one.")
    contents = [piece.content for piece in pieces]
    type_code = _TYPE_CODES.get(type_name)
    if type_code is None:  # text, such as notes of a training run, and types that NumPy lacks
        return StoredArray(shape, type_name, None, lambda: _blocks(stream, contents))
    item_bytes = 2 if type_name == _BFLOAT16 else int(without_order(type_code)[1:])
    total = sum(map(len, contents))
    if shape == (0,) and total == item_bytes:
        shape = ()  # how MindSpore 1 writes a lone number
    if total != math.prod(shape) * item_bytes or any(len(content) % item_bytes for content in contents):
        raise FormatError(
            f"its array {_shortened(name)} has shape {shape}, {math.prod(shape) * item_bytes} bytes, and the file "
            f"holds {total} for it; fetch it again."
        )
    if type_name == _BFLOAT16:
        return StoredArray(shape, type_code, None, lambda: map(_widened, _blocks(stream, contents)))
    return StoredArray(shape, type_code, None, lambda: _blocks(stream, contents))


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"


def _blocks(stream: BinaryIO, contents: Sequence[range]) -> Iterator[bytes]:
    for content in contents:
        for start in content[::BLOCK_BYTES]:
            stream.seek(start)
            yield stream.read(min(BLOCK_BYTES, content.stop - start))


def _widened(block: bytes) -> bytes:
    """Return bfloat16 numbers as float32: they are the upper halves of those."""
    return (np.frombuffer(block, "<u2").astype("<u4") << 16).astype("<u4").tobytes()
