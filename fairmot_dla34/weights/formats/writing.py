"""Writers of checkpoint files, chosen by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from numpy.typing import ArrayLike

from ...config import shown
from ...errors import InvalidInputError
from .ckpt_writing import write_ckpt
from .npz_writing import write_npz
from .pdparams_writing import write_pdparams
from .pth_writing import write_pth

Writer = Callable[[Path, Mapping[str, ArrayLike]], None]

WRITERS: Mapping[str, Writer] = {
    ".pdparams": write_pdparams,
    ".npz": write_npz,
    ".pth": write_pth,
    ".ckpt": write_ckpt,
}


def writable_suffix(path: Path) -> str:
    """Return the suffix of a checkpoint file to write, in lower case.

    Raises:
        InvalidInputError: No format has this suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        found = f"the suffix {shown(path.suffix)}" if suffix else "no suffix"
        raise InvalidInputError(
            f"File {shown(path.name)} has {found}; expected one of {', '.join(WRITERS)}, which decides the format."
        )
    return suffix


def write_arrays(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a checkpoint file in the format of its suffix.

    The file is replaced as a whole: an interrupted write or a full disk leaves the earlier file. The same arrays give
    the same bytes.

    Args:
        path: File to write, with the suffix ``.pdparams``, ``.npz`` or ``.ckpt``; its folder is created.
        arrays: Arrays by the names that the file shall have.

    Raises:
        InvalidInputError: No format has this suffix.
        OutputError: The file cannot be written. An earlier file of that name is unchanged.
    """
    WRITERS[writable_suffix(path)](path, arrays)
