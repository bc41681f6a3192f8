"""Readers of checkpoint files. They return arrays by the file's own names, and run nothing that a file asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import CheckpointError

EXPECTED = "expected PaddleDetection's FairMOT checkpoint (.pdparams) or a .npz file"


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a checkpoint file; the content decides its format, not the suffix.

    Args:
        path: A ``.pdparams`` file of PaddleDetection, or a ``.npz`` file of NumPy.

    Returns:
        Arrays by the names that the file gives them, of any numeric type.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, or asks for something to be run.
    """
    from .npz import read_npz
    from .pdparams import read_pickle

    try:
        with path.open("rb") as stream:
            start = stream.read(64)
            stream.seek(0)
            if start.startswith(b"PK\x03\x04"):
                return read_npz(path)
            if start.startswith(b"\x80"):  # the PROTO instruction, first in protocol 2 and later
                return read_pickle(stream, str(path))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); {EXPECTED}.") from error
    raise CheckpointError(f"{path} {_describe(start)}; {EXPECTED}: fetch it again.")


def _describe(start: bytes) -> str:
    if not start:
        return "is empty"
    if start.lstrip().startswith(b"<"):
        return "is a web page, not weights, such as a server sends for an error or a login"
    return f"is not a checkpoint, it begins with {start[:16]!r}"
