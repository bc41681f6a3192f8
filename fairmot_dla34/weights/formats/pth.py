"""Reader of the ``.pth`` files of PyTorch 1.6 and later: zip archives of a pickle and one member per storage.

No PyTorch is needed. Layout: ``<name>/data.pkl``, ``<name>/data/<key>`` for each storage, uncompressed, and
``<name>/byteorder`` (``torch/serialization.py``, ``_save``).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import BinaryIO

from .errors import FormatError
from .pth_pickle import check_storage_id, named_arrays, run_pickle
from .pth_tensors import NumberType, Storage, StorageView
from .stored import StoredArray
from .zip_directory import open_zip

PICKLE = "data.pkl"
MAX_PICKLE_BYTES = 16 << 20  # FairMOT DLA-34 needs 40 kB, with an optimiser's state 150 kB
_ENCRYPTED = 1  # bit of a member's flags
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of name and extra field
_ORDERS = {b"little": "<", b"big": ">"}


def is_pytorch_zip(archive: zipfile.ZipFile) -> bool:
    """Return True if a zip archive is one that PyTorch wrote."""
    return any(name.rpartition("/")[2] == PICKLE for name in archive.namelist())


def read_pth(stream: BinaryIO, size: int) -> dict[str, StoredArray]:
    """Return the tensors of a state dictionary, or of the entry ``state_dict`` of a checkpoint, by name.

    Args:
        stream: Binary file. It must stay open while arrays are read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The file is not a dictionary of tensors, asks for something that no checkpoint needs, or its sizes
            do not fit.
        Exception: The file is damaged; of nearly any type.
    """
    archive = _Archive(stream, size)
    content = archive.read(PICKLE, MAX_PICKLE_BYTES)
    return named_arrays(run_pickle(io.BytesIO(content), len(content), archive.find_storage))


class _Archive:
    """Members of a zip archive, all uncompressed, below one folder."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in open_zip(stream, size).infolist():
            if member.filename in self._members:
                raise FormatError(f"it has two members of the name {member.filename[:80]}; expected one.")
            self._members[member.filename] = member
        pickles = [name for name in self._members if name.rpartition("/")[2] == PICKLE]
        self._folder = pickles[0].removesuffix(PICKLE)
        if len(pickles) != 1 or f"{self._folder}constants.pkl" in self._members:
            raise FormatError("it is an archive of a program (TorchScript); expected a file of torch.save.")
        order = self.read("byteorder", 16) if f"{self._folder}byteorder" in self._members else b"little"
        if order not in _ORDERS:
            raise FormatError("it has an unknown byte order; expected little or big.")
        self._order = _ORDERS[order]

    def read(self, name: str, limit: int) -> bytes:
        member = self._find(name)
        if member.file_size > limit:
            raise FormatError(f"its member {name} has {member.file_size} bytes; expected at most {limit}.")
        self._stream.seek(self._data_offset(member))
        content = self._stream.read(member.file_size)
        if len(content) != member.file_size or (member.CRC and zlib.crc32(content) != member.CRC):
            raise FormatError(f"its member {name} is damaged; fetch it again.")
        return content

    def find_storage(self, persistent_id: object) -> StorageView:
        """Return the storage of a persistent id ("storage", type, key, device, length)."""
        _, kind, key, _, numbers = check_storage_id(persistent_id)[:5]
        if not isinstance(kind, NumberType) or not isinstance(key, str) or type(numbers) is not int:
            raise FormatError("it has a storage of an unknown type; expected plain numbers.")
        member = self._find(f"data/{key}")
        if member.file_size != numbers * kind.bytes:
            raise FormatError(
                f"its storage {key[:40]} has {member.file_size} bytes; expected {kind.bytes} for each of its numbers, "
                "whose count it declares: fetch it again."
            )
        storage = Storage(self._stream, kind, numbers, self._data_offset(member), member.CRC or None, self._order)
        return StorageView(storage, 0, numbers)

    def _find(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(f"{self._folder}{name}")
        if member is None:
            raise FormatError(f"it lacks its member {name[:80]}; fetch it again.")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
            raise FormatError(f"its member {name[:80]} is compressed or encrypted, which PyTorch does not write.")
        return member

    def _data_offset(self, member: zipfile.ZipInfo) -> int:
        self._stream.seek(member.header_offset)
        signature, *lengths = _LOCAL_HEADER.unpack(self._stream.read(_LOCAL_HEADER.size))
        offset = int(member.header_offset + _LOCAL_HEADER.size + sum(lengths))
        if signature != b"PK\x03\x04" or member.compress_size != member.file_size:
            raise FormatError("its directory does not fit its members; fetch it again.")
        if offset + member.file_size > self._size:
            raise FormatError("it is cut short: a member reaches beyond its end; fetch it again.")
        return offset
