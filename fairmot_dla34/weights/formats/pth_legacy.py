"""Reader of the ``.pth`` files of PyTorch before 1.6: a row of pickles, then the numbers of each storage.

No PyTorch is needed, and no file reaches PyTorch's own reader, which hashes what a file declares and so can be kept
busy for ever. Layout (``torch/serialization.py``, ``_legacy_save``): magic number, version of the format, properties of
the system, the value, the list of the storages' keys, then for each key its length and its numbers, little-endian.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NoReturn

from .errors import FormatError
from .pth_pickle import check_storage_id, named_arrays, run_pickle
from .pth_tensors import NumberType, Storage, StorageView, is_whole
from .stored import StoredArray

_MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # LONG1, STOP
_VERSION = 1001
_LENGTH = struct.Struct("<q")


def is_legacy_pth(start: bytes) -> bool:
    """Return True if a file of PyTorch's old format begins with these bytes.

    Args:
        start: The file's first 32 bytes or more. The magic number is a pickle of any protocol.
    """
    return start.startswith(b"\x80") and _MAGIC in start[:32]


def read_legacy_pth(stream: BinaryIO, size: int) -> dict[str, StoredArray]:
    """Return the tensors of a state dictionary, or of the entry ``state_dict`` of a checkpoint, by name.

    Args:
        stream: Binary file at its start. It must stay open while arrays are read.
        size: Length of the file in bytes.

    Raises:
        FormatError: The file is not a dictionary of tensors, asks for something that no checkpoint needs, or its sizes
            do not fit.
        Exception: The file is damaged; of nearly any type.
    """
    storages = _Storages(stream)
    run_pickle(stream, size, _refuse)  # magic number
    version = run_pickle(stream, size, _refuse)
    if type(version) is not int or version != _VERSION:
        raise FormatError(f"it has an unknown version of PyTorch's old format; expected {_VERSION}.")
    run_pickle(stream, size, _refuse)  # properties of the system
    loaded = run_pickle(stream, size, storages.find)
    storages.locate(run_pickle(stream, size, _refuse), size)
    return named_arrays(loaded)


def _refuse(_persistent_id: object) -> NoReturn:
    raise FormatError("it refers to a storage outside its value, as no checkpoint does.")


class _Storages:
    """Storages by key; their places in the file follow after the value."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._storages: dict[str, Storage] = {}

    def find(self, persistent_id: object) -> StorageView:
        """Return the storage of a persistent id ("storage", type, key, device, length, view or None)."""
        _, kind, key, _, numbers, *view = check_storage_id(persistent_id)
        if not isinstance(kind, NumberType) or not isinstance(key, str) or not is_whole(numbers):
            raise FormatError("it has a storage of an unknown type; expected plain numbers.")
        storage = self._storages.setdefault(key, Storage(self._stream, kind, numbers))
        if storage.kind is not kind or storage.numbers != numbers:
            raise FormatError("it declares a storage twice, and differently.")
        if not view or view[0] is None:
            return StorageView(storage, 0, numbers)
        if not isinstance(view[0], tuple) or len(view[0]) != 3 or not all(map(is_whole, view[0][1:])):
            raise FormatError("it has a view of a storage without start and length.")
        _, first, length = view[0]
        if first + length > numbers:
            raise FormatError(f"it has a view that reaches beyond a storage of {numbers} numbers.")
        return StorageView(storage, first, length)

    def locate(self, keys: object, size: int) -> None:
        """Set the places of the storages, which begin at the stream's position.

        Args:
            keys: Keys in the file's order.
            size: Length of the file in bytes.
        """
        if not isinstance(keys, list) or len(keys) != len(self._storages):
            raise FormatError("it does not list its storages.")
        for key in keys:
            storage = self._storages.get(key) if isinstance(key, str) else None
            if storage is None or storage.offset is not None:
                raise FormatError("it lists storages that its tensors do not use, or one twice.")
            (numbers,) = _LENGTH.unpack(self._stream.read(_LENGTH.size))
            storage.offset = self._stream.tell()
            end = storage.offset + numbers * storage.kind.bytes
            if numbers != storage.numbers or end > size:
                raise FormatError("it is cut short: its storages are not as long as it declares; fetch it again.")
            self._stream.seek(end)
