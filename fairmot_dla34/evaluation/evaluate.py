"""Evaluation of a folder of results against a folder of ground truth."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import check_path, shown
from ..errors import EvaluationUnavailableError, InvalidInputError, OutOfMemoryError
from ..files import output_error
from ..messages import install_command
from .layout import find_sequences
from .scores import Evaluation
from .sequence import Sequence, read_sequence

if TYPE_CHECKING:
    from .scoring import Measures

_INSTALL = install_command("eval")


def evaluate(
    gt: str | os.PathLike[str],
    results: str | os.PathLike[str],
    *,
    plots: str | os.PathLike[str] | None = None,
    sequences: Iterable[str] | None = None,
) -> Evaluation:
    """Score results against ground truth, by the rules of MOT17 if the ground truth has its classes.

    Args:
        gt: A folder in MOTChallenge's layout or of ``<sequence>.txt`` files, one sequence's folder, or one file.
        results: A folder of ``<sequence>.txt`` files, the output directory of `track`, or, for one sequence, a file.
        plots: Folder for PNG plots, created if it does not exist; None: no plots.
        sequences: Names of the sequences to score; None: all of the ground truth.

    Returns:
        The scores of each sequence and of all together.

    Raises:
        InvalidInputError: An argument is not a path, or ``sequences`` are not names.
        TrackFileError: A file is missing, too large or has errors; nothing was scored.
        OutOfMemoryError: The process may not use as much memory as the scores need.
        EvaluationUnavailableError: TrackEval is not installed, or matplotlib if ``plots`` is given.
        OutputError: A plot cannot be written.
    """
    gt, results = _path("gt", gt), _path("results", results)
    plots = None if plots is None else _path("plots", plots)
    names = None if sequences is None else _names(sequences)
    try:
        found = [read_sequence(files) for files in find_sequences(gt, results, names)]
        _check_installed("trackeval")
        return _scored(found, None if plots is None else _plot_folder(plots))
    except MemoryError as error:
        if isinstance(error, OutOfMemoryError):
            raise
        raise OutOfMemoryError(
            f"Scoring {results} needs more memory than this process may use; score fewer sequences at a time, or allow "
            "it more memory."
        ) from error


def _scored(sequences: list[Sequence], folder: Path | None) -> Evaluation:
    """Score the sequences and draw the plots."""
    from .scoring import combine, measure, prepare, scores_of

    measures: dict[str, Measures] = {}
    for sequence in sequences:
        data = prepare(sequence)
        measures[sequence.name] = measure(data)
        if folder:
            from .plots import plot_sequence

            plot_sequence(sequence, data, folder)
    combined = combine(measures)
    if folder:
        from .plots import plot_alphas

        plot_alphas(measures, combined, folder)
    return Evaluation({name: scores_of(of_sequence) for name, of_sequence in measures.items()}, scores_of(combined))


def _path(name: str, value: object) -> Path:
    expected = "a file or folder"
    check_path(name, value, expected)
    try:
        path = Path(value)  # type: ignore[arg-type]  # checked above
        os.fsencode(path)
    except (TypeError, ValueError) as error:  # bytes of a path object; half a surrogate pair
        raise InvalidInputError(f"{name} is {shown(value)}; expected {expected}, as text or a path object.") from error
    if "\0" in str(path):
        raise InvalidInputError(f"{name} is {shown(value)}; expected {expected}, without NUL characters.")
    return path


def _names(sequences: object) -> list[str]:
    """Return the names of sequences, each once."""
    try:
        names = [] if isinstance(sequences, str) else list(sequences)  # type: ignore[call-overload]
    except TypeError:
        names = []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InvalidInputError(
            f"sequences is {shown(sequences)}; expected a list of at least one name, or None for all sequences."
        )
    return list(dict.fromkeys(names))


def _check_installed(package: str) -> None:
    """Check that a package of the extra ``eval`` is installed, without importing it."""
    if importlib.util.find_spec(package) is not None:
        return
    if sys.version_info < (3, 11):
        version = ".".join(map(str, sys.version_info[:2]))
        raise EvaluationUnavailableError(
            f"Scores need the package {package}, which needs Python 3.11 or newer; this is Python {version}. Create an "
            f"environment with a newer Python and install the package there: {_INSTALL}"
        )
    raise EvaluationUnavailableError(
        f"Scores need the package {package}, which is not installed; install it: {_INSTALL}"
    )


def _plot_folder(folder: Path) -> Path:
    """Create the folder of the plots, after a check that they can be drawn."""
    _check_installed("matplotlib")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    return folder
