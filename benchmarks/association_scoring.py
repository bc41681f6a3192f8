"""Tracks sequences in memory and scores the tracks with TrackEval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from association_sequences import ScoredSequence
from association_shaking import Run, repeated
from contestant import Start
from numpy.typing import NDArray

from fairmot_dla34.evaluation import Scores, scoring
from fairmot_dla34.evaluation.mot_rows import MotRows
from fairmot_dla34.evaluation.sequence import Sequence as TrackedSequence

FIGURES = ("hota", "mota", "idf1", "id_switches")
COMBINED = "combined"  # all boxes of a set together

Figures = dict[str, float]  # by the names in `FIGURES`


def score_run(sequences: Sequence[ScoredSequence], start: Start, run: Run) -> dict[str, Figures]:
    """Track every sequence of a set in one repetition; return the figures of each, and those of all together.

    Raises:
        ValueError: A tracker returned a box that is not finite.
    """
    measures = {}
    for sequence in sequences:
        shown = repeated(sequence, run)
        pair = TrackedSequence(
            shown.name, len(shown.frames), _rows(shown.truth), _tracked(shown, start), shown.has_classes
        )
        measures[shown.name] = scoring.measure(scoring.prepare(pair))
    together = scoring.combine(measures)
    return {name: _figures(scoring.scores_of(one)) for name, one in {**measures, COMBINED: together}.items()}


def _tracked(sequence: ScoredSequence, start: Start) -> MotRows:
    update = start(sequence.frame_rate, sequence.size)
    rows = [
        (number, track_id, left, top, right - left, bottom - top, 1.0, -1.0, -1.0)
        for number, detections in enumerate(sequence.frames, 1)
        for track_id, left, top, right, bottom in update(detections)
    ]
    table = np.array(rows, np.float64).reshape(-1, 9)
    if not np.isfinite(table).all():
        raise ValueError(f"A track in {sequence.name} has a box that is not finite; such tracks cannot be scored.")
    return _rows(table)


def _rows(values: NDArray[np.float64]) -> MotRows:
    return MotRows(Path("memory"), np.arange(1, len(values) + 1), values)


def _figures(scores: Scores) -> Figures:
    return {name: getattr(scores, name) for name in FIGURES}
