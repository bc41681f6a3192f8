"""Sequences whose detections are simulated: worlds that only exist as boxes, and the ground truth of real videos.

No seed is one that a number of ``auto`` was chosen with: those were below 1,000 for worlds, and below 100,000 for
detectors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
from association_sequences import ScoredSequence, every_nth_row, padded
from mot17 import read_sequences
from numpy.typing import NDArray
from parts import RealPart
from simulated_detector import DetectorConfig, detect
from simulated_world import TruthFrame, WorldConfig, simulate

FIRST_WORLD, FIRST_DETECTOR = 1_000, 500_000  # seeds
LEAST_PEOPLE = 3  # worlds with fewer say nothing about ids
PERSON = 1  # class of MOT17


def worlds(cameras: Collection[str], number: int) -> Iterator[ScoredSequence]:
    """Yield the first worlds of some cameras, each with another detector."""
    return islice(_worlds(cameras), number)


def _worlds(cameras: Collection[str]) -> Iterator[ScoredSequence]:
    for seed in count(FIRST_WORLD):
        world = WorldConfig.random(seed)
        if world.camera not in cameras:
            continue
        frames = simulate(world)
        truth = rows_of(frames)
        if len(np.unique(truth[:, 1])) >= LEAST_PEOPLE:
            name = f"world {seed}: {world.camera}, {world.people} people, {world.frame_rate:g} frames/s"
            size = (world.width, world.height)
            yield _detected(name, world.frame_rate, size, truth, frames, FIRST_DETECTOR + seed)


def mot17_truth(data: Path, step: int) -> Iterator[ScoredSequence]:
    """Yield the ground truth of MOT17's sequences at every ``step``-th frame, each with another detector."""
    for number, sequence in enumerate(read_sequences(data / "MOT17")):
        rows = np.loadtxt(data / "MOT17" / "gt" / f"{sequence.name}.txt", delimiter=",")
        rows = every_nth_row(rows[(rows[:, 6] == 1) & (rows[:, 7] == PERSON)], step)
        frames = truth_frames(rows, len(sequence.frames[::step]), rows[:, 8])
        name = sequence.name if step == 1 else f"{sequence.name}, every frame of {step}"
        seed = FIRST_DETECTOR + 10_000 * step + number
        yield _detected(name, sequence.frame_rate / step, sequence.size, padded(rows), frames, seed)


def part_truth(parts: dict[RealPart, tuple[int, int]], detectors: int) -> Iterator[ScoredSequence]:
    """Yield the ground truth of real sequences, given with the sizes of their images, with several detectors each."""
    for number, (part, size) in enumerate(parts.items()):
        rows = padded(np.loadtxt(part.truth().splitlines(), delimiter=","))
        frames = truth_frames(rows, part.length)
        for detector in range(detectors):
            seed = FIRST_DETECTOR + 50_000 + 100 * number + detector
            name = f"{part.name}, detector {detector + 1}"
            yield _detected(name, part.frame_rate(), size, rows, frames, seed)


def rows_of(frames: list[TruthFrame]) -> NDArray[np.float64]:
    """Return simulated people as rows of ground truth."""
    rows = []
    for number, frame in enumerate(frames, 1):
        first, size = frame.boxes[:, :2], frame.boxes[:, 2:] - frame.boxes[:, :2]
        rows.append(np.column_stack([np.full(len(frame.ids), number), frame.ids, first, size]))
    return padded(np.concatenate(rows))


def truth_frames(
    rows: NDArray[np.float64], length: int, visibility: NDArray[np.float64] | None = None
) -> list[TruthFrame]:
    """Return rows of ground truth as the people of every frame.

    Whoever has the lower feet is nearer, and hides those behind.

    Args:
        rows: ``(N, 9)`` rows of a MOT file.
        length: Number of frames.
        visibility: ``(N,)`` visible share of each box; None: it follows from the boxes.
    """
    frames = []
    for number in range(1, length + 1):
        own = rows[:, 0] == number
        boxes = rows[own, 2:6].copy()
        boxes[:, 2:] += boxes[:, :2]
        covered = _covered(boxes)
        hidden_by = np.where(covered.any(axis=1), covered.argmax(axis=1), -1) if len(boxes) else np.zeros(0, int)
        seen = 1 - covered.sum(axis=1).clip(0, 1) if visibility is None else visibility[own].clip(0, 1)
        frames.append(TruthFrame(rows[own, 1].astype(int), boxes, seen, hidden_by, np.ones(len(boxes), bool)))
    return frames


def _covered(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each box (row) that each nearer box (column) covers."""
    corners = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    areas = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1.0)
    nearer = boxes[None, :, 3] > boxes[:, None, 3]
    shares: NDArray[np.float64] = corners.clip(0).prod(axis=2) * nearer / areas[:, None]
    return shares


def _detected(
    name: str,
    frame_rate: float,
    size: tuple[int, int],
    truth: NDArray[np.float64],
    frames: list[TruthFrame],
    seed: int,
) -> ScoredSequence:
    found = detect(frames, frame_rate, size, DetectorConfig.random(seed, embeddings=True))
    return ScoredSequence(name, frame_rate, size, found, truth)
