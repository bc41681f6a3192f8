"""From what a user calls weights to a file."""

from __future__ import annotations

import difflib
from os import PathLike
from pathlib import Path

from ..config import InputSize
from ..errors import DownloadError, UnknownWeightsError
from .fetch.download import download
from .locate import OFFLINE_VARIABLE, SAMPLE_REMEDY, is_offline, kept_path, source_of
from .registry import WeightsEntry, registered


def resolve_weights(weights: str | PathLike[str], *, offline: bool | None = None, progress: bool = True) -> Path:
    """Return the file of ``weights``, downloading it on first use.

    Args:
        weights: A registered name, or the path of a file, which is returned as it is. A name wins over a file of
            the same name in the working directory; ``./NAME`` is that file.
        offline: True never opens a connection; None or False leave it to ``$FAIRMOT_DLA34_OFFLINE``.
        progress: Show a bar on stderr while downloading.

    Raises:
        UnknownWeightsError: It is neither a registered name nor a file.
        DownloadError: The file is not in the cache, and cannot be fetched or offline mode forbids it.
        IntegrityError: What was fetched is not usable; it was deleted.
    """
    entry = find_entry(weights) if isinstance(weights, str) else None
    if entry is None:
        return _existing_file(weights)
    path = kept_path(entry)
    if _is_file(path):
        return path
    if offline or is_offline():
        raise DownloadError(
            f"{entry.name} is not in the cache and offline mode forbids downloading it. Put the file from "
            f"{source_of(entry).url} at {path}, allow the download (offline=False, ${OFFLINE_VARIABLE} unset), "
            f"{SAMPLE_REMEDY}."
        )
    return download(entry, path, progress=progress)


def input_size_for(entry: WeightsEntry | None, asked: InputSize | str | None) -> InputSize:
    """Return the network input: the one asked for, else the one the weights were trained for, else 1088x608.

    Args:
        entry: The registered checkpoint, or None for a file.
        asked: What the user says; None: nothing.

    Raises:
        InvalidInputError: What was asked for is no input size.
    """
    if asked is not None:
        return InputSize.parse(asked)
    return entry.input_size if entry else InputSize()


def find_entry(name: str) -> WeightsEntry | None:
    """Return the registered checkpoint of this name, or None."""
    return next((entry for entry in registered() if entry.name == name), None)


def _existing_file(weights: str | PathLike[str]) -> Path:
    path = Path(weights).expanduser()
    if _is_file(path):
        return path
    names = [entry.name for entry in registered()]
    close = difflib.get_close_matches(str(weights), names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    what = "is a folder" if path.is_dir() else "is neither a registered name nor an existing file"
    raise UnknownWeightsError(
        f"Weights {str(weights)!r}: it {what}; expected the path of a file or one of {', '.join(names)}.{hint}"
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a folder above it may not be entered, or the text is no path
        return False
