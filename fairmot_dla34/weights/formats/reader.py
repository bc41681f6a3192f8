"""Reads a checkpoint's arrays from PaddleDetection's ``.pdparams`` or NumPy's ``.npz``; never runs what a file says."""

from __future__ import annotations

import zipfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CheckpointError
from ...architectures.dla34.arrays import HEATMAP_WEIGHT, expected_shapes
from .pdparams import read_pickle

_EXPECTED = "expected PaddleDetection's FairMOT DLA-34 checkpoint (.pdparams)"


def load_arrays(path: str | PathLike[str]) -> dict[str, NDArray[np.float32]]:
    """Read the arrays that the network needs; what a checkpoint holds beyond them is left out.

    Args:
        path: A ``.pdparams`` file of PaddleDetection, or a ``.npz`` with the same names. The content decides, not
            the suffix.

    Returns:
        Exactly the arrays of `expected_shapes`, each float32, finite and C-contiguous.

    Raises:
        CheckpointError: The file cannot be read, is of another kind or damaged, asks for something to be run, or an
            array is missing, misshapen, not of floating point, NaN or infinite.
    """
    path = Path(path)
    arrays = _read(path)
    shapes = expected_shapes(_count_classes(arrays))
    _check_shapes(arrays, shapes, path)
    return {name: _to_float32(arrays.pop(name), name, path) for name in shapes}  # never two of everything


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
            stream.seek(0)
            if start.startswith(b"PK\x03\x04"):
                return _read_npz(path)
            if start.startswith(b"\x80"):  # the PROTO instruction, first in protocol 2 and later
                return read_pickle(stream, str(path))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); {_EXPECTED}.") from error
    raise CheckpointError(f"{path} {_describe(start)}; {_EXPECTED}: fetch it again.")


def _describe(start: bytes) -> str:
    if not start:
        return "is empty"
    if start.lstrip().startswith(b"<"):
        return "is a web page, not weights, such as a server sends for an error or a login"
    return f"is not a checkpoint, it begins with {start[:16]!r}"


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if not all(name.endswith(".npy") for name in names):
            raise CheckpointError(
                f"{path} is a zip archive with {names[0]!r}, such as PyTorch's .pth files; {_EXPECTED} or a .npz file."
            )
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError) as error:  # RuntimeError: encrypted
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is a damaged or unsafe .npz file ({error}); {_EXPECTED}.") from error


def _count_classes(arrays: dict[str, NDArray[Any]]) -> int:
    heatmap = arrays.get(HEATMAP_WEIGHT)
    if heatmap is None or heatmap.ndim != 4 or heatmap.shape[0] < 1:
        return 1  # `_check_shapes` then says what is wrong with it
    return int(heatmap.shape[0])


def _check_shapes(arrays: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]], path: Path) -> None:
    wrong = [name for name, shape in shapes.items() if name not in arrays or arrays[name].shape != shape]
    if not wrong:
        return
    name = wrong[0]
    got = f"has shape {arrays[name].shape}" if name in arrays else "is missing"
    others = f" {len(wrong) - 1} more of {len(shapes)} arrays are missing or misshapen." if len(wrong) > 1 else ""
    raise CheckpointError(
        f"{path}: array {name} {got}; expected shape {shapes[name]}, as PaddleDetection's FairMOT DLA-34 has.{others} "
        "Use a checkpoint of a fairmot_dla34 configuration."
    )


def _to_float32(array: NDArray[Any], name: str, path: Path) -> NDArray[np.float32]:
    if array.dtype.kind != "f":
        raise CheckpointError(f"{path}: array {name} has type {array.dtype}; expected float16, float32 or float64.")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported below
        converted = np.array(array, dtype=np.float32, order="C")
    bad = converted.size - int(np.count_nonzero(np.isfinite(converted)))
    if bad:
        raise CheckpointError(
            f"{path}: array {name} has {bad} of {converted.size} numbers that are NaN or infinite; expected finite "
            "numbers: the file is damaged or its training diverged, use another."
        )
    return converted
