"""Writer of ``.npz`` files: an uncompressed zip archive of NumPy's ``.npy`` files, without dates."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...files import output_error, replaced_file

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest of a zip archive: the same arrays give the same bytes at any time
_UNIX, _MODE = 3, 0o600 << 16  # system and permissions in the archive, on every system
_ZIP64_BYTES = 1 << 31  # from this length on, a member needs the larger fields of a zip archive


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a checkpoint that `load_checkpoint` and ``numpy.load`` read.

    The file is replaced as a whole: an interrupted write or a full disk leaves the earlier file.

    Args:
        path: File to write, with the suffix ``.npz``; its folder is created.
        arrays: Arrays by name, of any shape. float16 arrays stay float16, others are converted to float32. Their order
            does not matter.

    Raises:
        OutputError: The file cannot be written. An earlier file of that name is unchanged.
    """
    try:
        with replaced_file(path) as file, zipfile.ZipFile(file, "w") as archive:
            for name in sorted(arrays):
                given = np.asarray(arrays[name])
                array = np.asarray(given, "<f2" if given.dtype == np.float16 else "<f4", order="C")
                member = zipfile.ZipInfo(f"{name}.npy", _DATE)
                member.create_system, member.external_attr = _UNIX, _MODE
                with archive.open(member, "w", force_zip64=array.nbytes >= _ZIP64_BYTES) as content:
                    np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
    except OSError as error:
        raise output_error(path, error) from error
