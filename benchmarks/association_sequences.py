"""Detections and ground truth of one sequence in memory, and the files that keep them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mot17 import Sequence
from numpy.typing import NDArray

from fairmot_dla34 import Detections

CLASS = 7  # column, from 0


@dataclass(frozen=True, eq=False)
class ScoredSequence(Sequence):
    """Detections of one sequence and its ground truth.

    Attributes:
        truth: ``(N, 9)`` rows of a MOT file; frames count from 1.
        has_classes: Whether column 8 of the ground truth has MOT17's classes.
    """

    truth: NDArray[np.float64]
    has_classes: bool = False


def every_nth(sequence: ScoredSequence, step: int) -> ScoredSequence:
    """Return every ``step``-th frame, from the first on, as a sequence of a lower frame rate."""
    truth = every_nth_row(sequence.truth, step)
    return ScoredSequence(
        f"{sequence.name}, every frame of {step}",
        sequence.frame_rate / step,
        sequence.size,
        sequence.frames[::step],
        truth,
        sequence.has_classes,
    )


def every_nth_row(truth: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Return the rows of every ``step``-th frame; frames count from 1 again."""
    rows: NDArray[np.float64] = truth[(truth[:, 0] - 1) % step == 0]
    rows[:, 0] = (rows[:, 0] - 1) // step + 1
    return rows


def padded(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes of people without classes as rows of ground truth; only the first six columns are used."""
    return np.column_stack([rows[:, :6], np.ones(len(rows)), np.full((len(rows), 2), -1.0)])


def scored_rows(text: str) -> tuple[NDArray[np.float64], bool]:
    """Return MOT text as rows of ground truth, and whether they have classes.

    With classes, as in rendered scenes, column 7 states which people are scored; it is 0 for those who are hidden.
    """
    rows: NDArray[np.float64] = np.loadtxt(text.splitlines(), delimiter=",", ndmin=2)
    if rows.shape[1] > CLASS and rows[:, CLASS].max() >= 1:
        return rows[:, :9], True
    return padded(rows), False


def keep(folder: Path, sequences: Iterable[ScoredSequence]) -> None:
    """Write sequences to a folder, which is there only if it is complete."""
    temporary = folder.with_name(f"{folder.name}.{os.getpid()}")
    temporary.mkdir(parents=True)
    for number, sequence in enumerate(sequences):
        frames = sequence.frames
        embeddings = [frame.embeddings for frame in frames if frame.embeddings is not None and len(frame)]
        arrays: dict[str, Any] = {
            "name": sequence.name,
            "frame_rate": sequence.frame_rate,
            "size": sequence.size,
            "counts": [len(frame) for frame in frames],
            "boxes": np.concatenate([frame.boxes for frame in frames]),
            "scores": np.concatenate([frame.scores for frame in frames]),
            "truth": sequence.truth,
            "has_classes": sequence.has_classes,
        }
        if embeddings:
            arrays["embeddings"] = np.concatenate(embeddings)
        np.savez(temporary / f"{number:03}.npz", **arrays)
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster
            raise
        shutil.rmtree(temporary)


def kept(folder: Path) -> list[ScoredSequence]:
    """Return the sequences that `keep` wrote."""
    return [_read(path) for path in sorted(folder.glob("*.npz"))]


def _read(path: Path) -> ScoredSequence:
    with np.load(path) as arrays:
        edges = np.cumsum(arrays["counts"])[:-1]
        names = [name for name in ("boxes", "scores", "embeddings") if name in arrays]
        columns = [np.split(arrays[name], edges) for name in names]
        width, height = arrays["size"].tolist()
        return ScoredSequence(
            str(arrays["name"]),
            float(arrays["frame_rate"]),
            (width, height),
            [Detections(*row) for row in zip(*columns, strict=True)],
            arrays["truth"],
            bool(arrays["has_classes"]),
        )
