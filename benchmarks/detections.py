"""Runs the network on a part and keeps its detections in a file: the slow step of every accuracy measurement."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from parts import Part

from fairmot_dla34 import Detections, FairMOT

LOWEST_SCORE = 0.05  # no association method uses lower scores


def detect(part: Part, load_model: Callable[[], FairMOT], cache_file: Path) -> list[Detections]:
    """Return the detections of every frame: read from ``cache_file`` if it exists, else computed and written there."""
    if not cache_file.is_file():
        model = load_model()
        detections = [model.detect(frame.image, min_score=0.0) for frame in part.frames()]
        _write(cache_file, [_above(frame, LOWEST_SCORE) for frame in detections])
    return _read(cache_file)


def _above(detections: Detections, score: float) -> Detections:
    keep = detections.scores > score
    embeddings = None if detections.embeddings is None else detections.embeddings[keep]
    return Detections(detections.boxes[keep], detections.scores[keep], embeddings)


def _write(path: Path, frames: list[Detections]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        temporary,
        counts=[len(one) for one in frames],
        boxes=np.concatenate([one.boxes for one in frames]),
        scores=np.concatenate([one.scores for one in frames]),
        embeddings=np.concatenate([one.embeddings for one in frames if one.embeddings is not None]),
    )
    temporary.replace(path)


def _read(path: Path) -> list[Detections]:
    with np.load(path) as arrays:
        edges = np.cumsum(arrays["counts"])[:-1]
        columns = [np.split(arrays[name], edges) for name in ("boxes", "scores", "embeddings")]
    return [Detections(*row) for row in zip(*columns, strict=True)]
