"""Readers of checkpoint files. They return arrays by the file's own names, and run nothing that a file asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...errors import CheckpointError
from .errors import EXPECTED, check_kind, reported_errors
from .stored import StoredArray

__all__ = ["StoredArray", "check_kind", "open_arrays", "reported_errors"]

_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_TAR_MARK, _TAR_MARK_START = b"ustar", 257  # POSIX.1, and GNU tar


@contextmanager
def open_arrays(path: Path) -> Iterator[dict[str, StoredArray]]:
    """Open a checkpoint file; the content decides its format, not the suffix.

    Only names, shapes and types are read. Read the numbers of an array within the context, under `reported_errors`.

    Args:
        path: A ``.pdparams`` file of PaddleDetection, a ``.pth`` file of PyTorch, a ``.ckpt`` file of MindSpore,
            or a ``.npz`` file of NumPy.

    Yields:
        Arrays by the names that the file gives them.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, or asks for something to be run.
    """
    with reported_errors(path):
        check_kind(path, path.stat())  # first: opening a device can have effects
        stream = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115 (Path.open has no opener)
    with stream:
        with reported_errors(path):
            arrays = _find_arrays(stream, path)
        yield arrays


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would never open


def _find_arrays(stream: BinaryIO, path: Path) -> dict[str, StoredArray]:
    from .ckpt import is_ckpt, read_ckpt
    from .npz import read_npz
    from .pdparams import read_pickle
    from .pth import is_pytorch_zip, read_pth
    from .pth_legacy import is_legacy_pth, read_legacy_pth
    from .zip_directory import open_zip

    status = os.fstat(stream.fileno())
    check_kind(path, status)
    start = stream.read(64)
    stream.seek(0)
    if start.startswith(b"PK\x03\x04"):
        reader = read_pth if is_pytorch_zip(open_zip(stream, status.st_size)) else read_npz
        return reader(stream, status.st_size)
    if is_legacy_pth(start):
        return read_legacy_pth(stream, status.st_size)
    if start.startswith(b"\x80"):  # the PROTO instruction, first in protocol 2 and later
        return read_pickle(stream, status.st_size)
    if is_ckpt(start):
        return read_ckpt(stream, status.st_size)
    stream.seek(_TAR_MARK_START)
    if kind := _archive_kind(start, stream.read(len(_TAR_MARK))):
        raise CheckpointError(f"{path} is a {kind} archive; {EXPECTED}: unpack it first.")
    raise CheckpointError(f"{path} {_describe(start)}; {EXPECTED}: fetch it again.")


def _archive_kind(start: bytes, tar_mark: bytes) -> str | None:
    """Return the kind of an archive by its first bytes, None if it is none."""
    if tar_mark == _TAR_MARK:
        return "tar"
    return next((kind for begin, kind in _ARCHIVES.items() if start.startswith(begin)), None)


def _describe(start: bytes) -> str:
    if not start:
        return "is empty"
    if start.lstrip().startswith(b"<"):
        return "is a web page, not weights, such as a server sends for an error or a login"
    return f"is not a checkpoint, it begins with {start[:16]!r}"
