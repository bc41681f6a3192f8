"""Repetitions of a sequence that show how far its scores depend on chance: backwards, and with shaken detections."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from association_sequences import ScoredSequence

from fairmot_dla34 import Detections

JITTER = 0.01  # standard deviation of every side of a box, as a share of width or height
DROPPED = 0.03  # share of detections that are left out


class Run(NamedTuple):
    """One repetition.

    Attributes:
        backwards: Whether the last frame comes first.
        seed: Seed of the shaking; 0: the detections are plain.
    """

    backwards: bool
    seed: int

    def __str__(self) -> str:
        return f"{'backwards' if self.backwards else 'forwards'}, {f'shaken {self.seed}' if self.seed else 'plain'}"


def runs(seeds: int) -> tuple[Run, ...]:
    """Return the repetitions: plain and with shaken detections of every seed, each in both directions."""
    return tuple(Run(backwards, seed) for seed in range(seeds + 1) for backwards in (False, True))


def repeated(sequence: ScoredSequence, run: Run) -> ScoredSequence:
    """Return a sequence as it is in a repetition. All contestants get the same detections."""
    frames, truth = sequence.frames, sequence.truth
    if run.seed:
        rng = np.random.default_rng([run.seed, zlib.crc32(sequence.name.encode())])
        frames = [_shaken(frame, rng) for frame in frames]
    if run.backwards:
        frames, truth = frames[::-1], truth.copy()
        truth[:, 0] = len(frames) + 1 - truth[:, 0]
    return replace(sequence, frames=frames, truth=truth)


def _shaken(detections: Detections, rng: np.random.Generator) -> Detections:
    kept = rng.random(len(detections)) >= DROPPED
    boxes = detections.boxes[kept].astype(np.float64)
    boxes += rng.normal(0, JITTER, boxes.shape) * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    embeddings = None if detections.embeddings is None else detections.embeddings[kept]
    return Detections(boxes.astype(np.float32), detections.scores[kept], embeddings)
