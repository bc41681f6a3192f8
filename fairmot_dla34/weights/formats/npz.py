"""Reader of NumPy's ``.npz`` archives, without pickles."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CheckpointError
from . import EXPECTED


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of an archive.

    Args:
        path: A zip archive.

    Raises:
        CheckpointError: The archive holds something other than arrays, is damaged, or holds Python objects.
        OSError: The archive cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if not all(name.endswith(".npy") for name in names):
            raise CheckpointError(
                f"{path} is a zip archive with {names[0]!r}, such as PyTorch's .pth files; {EXPECTED}."
            )
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError) as error:  # RuntimeError: encrypted
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is a damaged or unsafe .npz file ({error}); {EXPECTED}.") from error
