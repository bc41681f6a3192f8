"""Reader of NumPy's ``.npz`` archives, without pickles and without trust in what they declare.

Only the directory and the header of each member are read at first, then the numbers of the arrays that are needed.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from .errors import EXPECTED, FormatError
from .stored import BLOCK_BYTES, MAX_RANK, MAX_SIDE, StoredArray, fortran_axes, is_number_type
from .zip_directory import open_zip

MAX_HEADER_BYTES = 10_000  # numpy.lib.format's own limit
_ENCRYPTED = 1  # bit of a member's flags
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others can reserve gigabytes for their tables

# A header is a Python dictionary (numpy.lib.format). Python's parser is not used: it breaks on deep nesting.
_ITEM = re.compile(
    r"""\s*['"](?:descr['"]\s*:\s*(?:'(?P<type>[^'\\]*)'|(?P<fields>\[.*\]))"""
    r"""|fortran_order['"]\s*:\s*(?P<fortran>True|False)"""
    r"""|shape['"]\s*:\s*\((?P<shape>[\d,\sL]*)\))\s*,?"""
)


def read_npz(stream: BinaryIO, size: int) -> dict[str, StoredArray]:
    """Return the arrays of an archive; members of other types than numbers can be listed and not read.

    Args:
        stream: Binary file. It must stay open while arrays are read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The archive holds something other than arrays, or Python objects, or its sizes do not fit.
        Exception: The archive is damaged; of nearly any type.
    """
    archive = open_zip(stream, size)
    members = archive.infolist()
    other = [member.filename for member in members if not member.filename.endswith(".npy")]
    if other:
        raise FormatError(f"it is a zip archive with {other[0][:80]!r}; {EXPECTED}: if one is in it, unpack it first.")
    arrays: dict[str, StoredArray] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name in arrays:
            raise FormatError(f"it has two arrays of the name {name}; expected one.")
        arrays[name] = _find_array(archive, member, name)
    return arrays


def _find_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> StoredArray:
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise FormatError(f"its array {name} is encrypted or compressed in a way that NumPy does not write.")
    with archive.open(member) as content:
        start, (type_code, is_fortran, shape) = _read_header(content, name)
    if type_code.lstrip("<>|=").startswith("O"):
        raise FormatError(f"its array {name} holds Python objects, which are unsafe to read; {EXPECTED}.")

    def blocks() -> Iterator[bytes]:
        with archive.open(member) as content:
            _read_header(content, name)
            while block := content.read(BLOCK_BYTES):  # the last read compares the check sum
                yield block

    array = StoredArray(shape, type_code, fortran_axes(len(shape)) if is_fortran else None, blocks)
    if is_number_type(type_code) and member.file_size != start + array.bytes:
        raise FormatError(
            f"its array {name} has shape {shape}, {array.bytes} bytes, and the archive declares "
            f"{member.file_size - start} for it; fetch it again."
        )
    return array


def _read_header(content: IO[bytes], name: str) -> tuple[int, tuple[str, bool, tuple[int, ...]]]:
    """Return the length of the header, and type code, order and shape."""
    start = content.read(8)
    layout = {b"\x93NUMPY\x01\x00": "<H", b"\x93NUMPY\x02\x00": "<I", b"\x93NUMPY\x03\x00": "<I"}.get(start)
    if layout is None:
        raise FormatError(f"its member {name} is not an array of NumPy.")
    (length,) = struct.unpack(layout, content.read(struct.calcsize(layout)))
    if length > MAX_HEADER_BYTES:
        raise FormatError(f"its array {name} has a header of {length} bytes; expected at most {MAX_HEADER_BYTES}.")
    text = content.read(length).decode("latin1")
    found = _parse_header(text) if len(text) == length else None
    if found is None:
        raise FormatError(f"its array {name} has a damaged header; fetch it again.")
    return len(start) + struct.calcsize(layout) + length, found


def _parse_header(text: str) -> tuple[str, bool, tuple[int, ...]] | None:
    text = text.strip()
    if not text.startswith("{") or not text.endswith("}"):
        return None
    found: dict[str, str] = {}
    position, end = 1, len(text) - 1
    while match := _ITEM.match(text, position, end):
        position = match.end()
        if match.lastgroup is None or match.lastgroup in found:
            return None
        found[match.lastgroup] = match[match.lastgroup]
    sides = [side.strip().removesuffix("L") for side in found.get("shape", "").split(",")]
    sides = sides[:-1] if sides[-1] == "" else sides
    if text[position:end].strip() or len(found) != 3 or {"fortran", "shape"} - set(found) or len(sides) > MAX_RANK:
        return None
    if not all(re.fullmatch("[0-9]{1,12}", side) for side in sides):
        return None
    shape = tuple(map(int, sides))
    if any(side > MAX_SIDE for side in shape):
        return None
    return found.get("type", "structured"), found["fortran"] == "True", shape
