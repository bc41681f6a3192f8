"""What the network finds in a part, kept in a file: the slow step of every measurement of accuracy."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from parts import Part

from fairmot_dla34 import Detections, FairMOT

LOWEST_SCORE = 0.05  # no method of association looks below it


def detect(part: Part, load_model: Callable[[], FairMOT], kept: Path) -> list[Detections]:
    """Run the network on every frame of a part, or read ``kept`` where it exists."""
    if not kept.is_file():
        model = load_model()
        found = [model.detect(frame.image) for frame in part.frames()]
        _write(kept, [_above(one, LOWEST_SCORE) for one in found])
    return _read(kept)


def _above(found: Detections, score: float) -> Detections:
    keep = found.scores > score
    return Detections(
        found.boxes[keep], found.scores[keep], None if found.embeddings is None else found.embeddings[keep]
    )


def _write(path: Path, frames: list[Detections]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        half,
        counts=[len(one) for one in frames],
        boxes=np.concatenate([one.boxes for one in frames]),
        scores=np.concatenate([one.scores for one in frames]),
        embeddings=np.concatenate([one.embeddings for one in frames if one.embeddings is not None]),
    )
    half.replace(path)


def _read(path: Path) -> list[Detections]:
    with np.load(path) as arrays:
        edges = np.cumsum(arrays["counts"])[:-1]
        columns = [np.split(arrays[name], edges) for name in ("boxes", "scores", "embeddings")]
    return [Detections(*row) for row in zip(*columns, strict=True)]
