"""Evaluation as an aligned text table and as JSON."""

from __future__ import annotations

import dataclasses
import json

from ..config import shown
from ..errors import InvalidInputError
from .scores import Evaluation, Scores

_COLUMNS = {
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "MOTA": "mota",
    "MOTP": "motp",
    "IDF1": "idf1",
    "IDSW": "id_switches",
    "FP": "false_positives",
    "FN": "false_negatives",
    "MT": "mostly_tracked",
    "ML": "mostly_lost",
    "Frag": "fragmentations",
}


def scores_table(evaluation: Evaluation) -> str:
    """Return a table of aligned columns, with one row per sequence and one of all together.

    Raises:
        InvalidInputError: The argument is not an `Evaluation`.
    """
    _check(evaluation)
    rows = [["sequence", *_COLUMNS]]
    rows += [_row(name, scores) for name, scores in evaluation.sequences.items()]
    rows.append(_row("COMBINED", evaluation.combined))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def evaluation_json(evaluation: Evaluation) -> str:
    """Return all scores, unrounded, as a JSON object with the keys ``sequences`` and ``combined``.

    Raises:
        InvalidInputError: The argument is not an `Evaluation`.
    """
    _check(evaluation)
    return json.dumps(dataclasses.asdict(evaluation), indent=2, ensure_ascii=False)


def _check(evaluation: object) -> None:
    if not isinstance(evaluation, Evaluation):
        raise InvalidInputError(f"evaluation is {shown(evaluation)}; expected the result of evaluate().")


def _row(name: str, scores: Scores) -> list[str]:
    values = [getattr(scores, field) for field in _COLUMNS.values()]
    return [name, *(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)]
