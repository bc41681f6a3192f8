"""Resolves registered names and paths to weights files, with a download on first use."""

from __future__ import annotations

import contextlib
import difflib
import logging
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from ..architectures import Network, find_architecture
from ..config import InputSize
from ..errors import CheckpointError, DownloadError, IntegrityError, InvalidInputError, UnknownWeightsError
from .cache import kept_path
from .checkpoint_file import CheckpointFile, load_checkpoint, stored_input_size
from .fetch.download import download
from .fetch.location import SAMPLE_REMEDY, download_location, is_offline
from .registry import WeightsEntry, registered
from .verify import verify_file

logger = logging.getLogger(__name__)


def resolve_weights(weights: str | PathLike[str], *, offline: bool | None = None, progress: bool = True) -> Path:
    """Return the path of ``weights``; registered weights are downloaded on first use.

    Args:
        weights: Registered name, or path of a file, which is returned unchanged. A name has priority over a file of
            the same name in the working directory; write ``./NAME`` or pass a path object for that file.
        offline: Never open a connection; None or False: only if ``$FAIRMOT_DLA34_OFFLINE`` is set.
        progress: Show a progress bar on stderr while downloading, if that is a terminal.

    Raises:
        InvalidInputError: ``weights`` is neither a text nor a path.
        UnknownWeightsError: ``weights`` is neither a registered name nor a file.
        DownloadError: The file is not in the cache, and the download failed or offline mode forbids it.
        IntegrityError: The downloaded file is not usable. It was deleted.
    """
    entry = find_entry(weights)
    if entry is None:
        return _existing_file(weights)
    path = kept_path(entry)
    if _holds(path.is_file):
        return path
    if offline or is_offline():
        raise DownloadError(
            f"{entry.name} is not in the cache, and offline mode forbids the download. Put "
            f"{download_location(entry).url} at {path}, {SAMPLE_REMEDY}."
        )
    architecture = find_architecture(entry.architecture)
    return download(entry, path, check=lambda file: load_checkpoint(file, architecture), progress=progress)


def download_weights(weights: str | PathLike[str], *, progress: bool = True) -> Path:
    """Return the path of sound weights: a file in the cache that does not verify is downloaded again.

    Args:
        weights: Registered name, or path of a file, which is checked.
        progress: Show the progress on stderr while downloading.

    Raises:
        IntegrityError, CheckpointError: A file that is not in the cache does not verify.
        WeightsError: One of the kinds listed for `resolve_weights`.
    """
    path = resolve_weights(weights, progress=progress)
    entry = find_entry(weights)
    architecture = find_architecture(entry.architecture) if entry else None
    try:
        verify_file(path, sha256=entry.sha256 if entry else None, architecture=architecture)
    except (IntegrityError, CheckpointError) as error:
        if entry is None or entry.url is None or is_offline():
            raise
        logger.warning("%s; it is downloaded again", str(error).rstrip("."))
        return download(
            entry, path, check=lambda file: load_checkpoint(file, architecture), progress=progress, replace=True
        )
    return path


def resolve_network(
    weights: str | PathLike[str],
    input_size: InputSize | str | None = None,
    *,
    offline: bool | None = None,
    progress: bool = True,
) -> Network:
    """Return the network of ``weights`` at an input size; registered weights are downloaded on first use.

    Args:
        weights: Registered name, or path of a file; see `resolve_weights`.
        input_size: Network input, such as ``"1088x608"``; None: the size the weights were trained for.
        offline: Never open a connection; see `resolve_weights`.
        progress: Show a progress bar on stderr while downloading.

    Raises:
        InvalidInputError: ``input_size`` is not an input size.
        CheckpointError: The file cannot be read or, at its first use, is not a sound checkpoint.
        WeightsError: One of the kinds listed for `resolve_weights`.
    """
    entry = find_entry(weights)
    asked = None if input_size is None else InputSize.parse(input_size)  # before a download
    path = resolve_weights(weights, offline=offline, progress=progress)
    size = input_size_for(entry, asked, path)
    return Network(CheckpointFile(path, find_architecture(entry.architecture) if entry else None), size)


def input_size_for(entry: WeightsEntry | None, asked: InputSize | str | None, path: Path | None = None) -> InputSize:
    """Return the network input size: ``asked`` if given, else that of the weights, else 1088x608.

    Args:
        entry: Registered weights, or None for a file.
        asked: Input size that the user gave, or None.
        path: File of the weights; one that `train` wrote has its input size.

    Raises:
        InvalidInputError: ``asked`` is not an input size.
        CheckpointError: The file cannot be read.
    """
    if asked is not None:
        return InputSize.parse(asked)
    if entry is not None:
        return entry.input_size
    return (stored_input_size(path) if path else None) or InputSize()


def find_entry(weights: str | PathLike[str]) -> WeightsEntry | None:
    """Return the registered weights with this name, or None. A path object is always a file, never a name.

    Raises:
        InvalidInputError: ``weights`` is neither a text nor a path.
    """
    if not isinstance(weights, (str, PathLike)):
        raise InvalidInputError(f"weights is a {type(weights).__name__}; expected a registered name or a file's path.")
    return next((entry for entry in registered() if entry.name == weights), None)


def _existing_file(weights: str | PathLike[str]) -> Path:
    path = Path(weights)
    with contextlib.suppress(RuntimeError, ValueError):  # ~ of an unknown user, or of text that is not a name
        path = path.expanduser()
    if _holds(path.is_file):
        return path
    names = [entry.name for entry in registered()]
    close = difflib.get_close_matches(str(weights), names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    problem = "is neither a registered name nor an existing file"
    if _holds(path.exists):
        problem = "is a folder" if _holds(path.is_dir) else "is a device or a pipe"
    raise UnknownWeightsError(
        f"Weights {str(weights)!r}: it {problem}; expected the path of a file or a registered name, such as {names[0]} "
        f"or sample. List them with fairmot_dla34 weights list.{hint}"
    )


def _holds(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except (OSError, ValueError):  # a parent folder without permission, or text that is not a path
        return False
