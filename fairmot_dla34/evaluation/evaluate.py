"""Evaluation of a folder of results against a folder of ground truth."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EvaluationUnavailableError
from ..files import output_error
from .layout import find_sequences
from .scores import Evaluation
from .sequence import read_sequence

if TYPE_CHECKING:
    from .scoring import Measures

_INSTALL = "pip install 'fairmot_dla34[eval]'"


def evaluate(gt: str | Path, results: str | Path, *, plots: str | Path | None = None) -> Evaluation:
    """Score results against ground truth, by the rules of MOT17 if the ground truth has its classes.

    Args:
        gt: A folder in MOTChallenge's layout or of ``<sequence>.txt`` files, one sequence's folder, or one file.
        results: A folder of ``<sequence>.txt`` files, the output directory of `track`, or, for one sequence, a file.
        plots: Folder for PNG plots, created if it does not exist; None: no plots.

    Returns:
        The scores of each sequence and of all together.

    Raises:
        TrackFileError: A file is missing or has errors; nothing was scored.
        EvaluationUnavailableError: TrackEval is not installed, or matplotlib if ``plots`` is given.
        OutputError: A plot cannot be written.
    """
    sequences = [read_sequence(files) for files in find_sequences(Path(gt), Path(results))]
    _check_installed("trackeval")
    from .scoring import combine, measure, prepare, scores_of

    folder = None if plots is None else _plot_folder(Path(plots))
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
