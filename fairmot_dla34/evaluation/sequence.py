"""Ground truth and results of one sequence, checked against each other, and the choice of the scoring rules."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import TrackFileError
from .layout import MAX_FRAMES, SequenceFiles, read_length
from .memory import check_memory
from .mot_rows import MotRows, line_error
from .reading import read_rows

logger = logging.getLogger(__name__)

_PERSON, _CLASSES = 1, 13  # classes of MOT16 (arXiv 1603.00831, table 2); 13 is the crowd class of MOT20


@dataclass(frozen=True)
class Sequence:
    """Ground truth and results of one sequence.

    Attributes:
        name: Name of the sequence.
        frames: Length in frames.
        truth: Rows of ground truth, at least one.
        results: Rows of results, possibly none.
        has_classes: Whether column 8 of the ground truth is MOT17's class. If so, only class 1 is scored, and results
            on persons on vehicles, static persons, distractors and reflections are ignored.
    """

    name: str
    frames: int
    truth: MotRows
    results: MotRows
    has_classes: bool

    @property
    def scored_truth(self) -> NDArray[np.bool_]:
        """``(N,)`` whether each row of ground truth is scored."""
        flagged = self.truth.flagged
        return flagged & (self.truth.column_8 == _PERSON) if self.has_classes else flagged


def read_sequence(files: SequenceFiles) -> Sequence:
    """Read and check both files of a sequence.

    Raises:
        TrackFileError: A file has errors, the two do not fit each other, or scoring them needs too much memory.
    """
    truth, results = read_rows(files.truth), read_rows(files.results)
    if not len(truth):
        raise TrackFileError(
            f"{files.truth} is empty; expected ground truth with one line per box, without which nothing can be scored."
        )
    if files.seqinfo:
        frames, source = read_length(files.seqinfo), str(files.seqinfo)
    else:
        frames, source = _last_frame(truth), f"the last frame of {files.truth}, because there is no seqinfo.ini"
        logger.info(
            "%s: length taken as %d frames, the last frame of %s (no seqinfo.ini)", files.name, frames, files.truth
        )
    for rows in (truth, results):
        _check_length(rows, frames, source)
    if not len(results):
        logger.warning("%s is empty: every person of %s counts as missed", files.results, files.name)
    sequence = Sequence(files.name, frames, truth, results, _has_classes(truth))
    _check_classes(sequence)
    check_memory(truth, results)
    return sequence


def _last_frame(truth: MotRows) -> int:
    row = int(truth.frames.argmax())
    frame = int(truth.frames[row])
    if frame > MAX_FRAMES:
        text = f"frame {frame}; expected at most {MAX_FRAMES} in a sequence without seqinfo.ini."
        raise line_error(truth.path, int(truth.lines[row]), text)
    return frame


def _check_length(rows: MotRows, frames: int, source: str) -> None:
    rows.require(
        rows.frames <= frames,
        lambda row: (
            f"frame {rows.frames[row]} is beyond the sequence's {frames} frames ({source}). Remove the line, or "
            "correct the length in seqinfo.ini."
        ),
    )


def _has_classes(truth: MotRows) -> bool:
    """Return whether column 8 has classes: whole numbers, not all -1 or 0. Other numbers are 3D coordinates."""
    column = truth.column_8
    return bool((column % 1 == 0).all() and column.max() >= _PERSON)


def _check_classes(sequence: Sequence) -> None:
    truth, results = sequence.truth, sequence.results
    if sequence.has_classes:
        truth.require(
            (truth.column_8 >= 1) & (truth.column_8 <= _CLASSES),
            lambda row: (
                f"class {truth.column_8[row]:g}; expected 1 (person) to {_CLASSES} as in MOT17, or -1 in every line."
            ),
        )
        results.require(
            results.column_8 <= _PERSON,
            lambda row: f"class {results.column_8[row]:g}; expected only people (1 or -1). Remove the other classes.",
        )
    if not sequence.scored_truth.any():
        raise TrackFileError(
            f"{truth.path} has no box to score; expected boxes with a confidence (column 7) other than 0"
            f"{' and class (column 8) 1' if sequence.has_classes else ''}."
        )
