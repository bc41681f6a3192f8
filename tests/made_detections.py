"""Detections files for tests: random detections in frames of any number, and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fairmot_dla34 import Detections
from fairmot_dla34.backends.base import BackendInfo
from fairmot_dla34.detections import DetectionsFile, DetectionsWriter, Header, SourceFacts, read_detections

HEADER = Header(
    "2.0.0",
    SourceFacts("street", "street.mp4", "0123"),
    30.0,
    1,
    0.1,
    "sample",
    "4567",
    BackendInfo("openvino", "1", "CPU", "fp32", threads=2),
    (320, 192),
)


def random_detections(rng: np.random.Generator, count: int, embedding_size: int = 16) -> Detections:
    """Return detections with scores from 0 to 1."""
    corners = rng.uniform(0, 200, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 80, (count, 2))], axis=1)
    return Detections(boxes, rng.random(count), rng.normal(size=(count, embedding_size)), rng.integers(0, 3, count))


def frames_of(count: int, seed: int = 0, people: int = 6) -> list[Detections]:
    """Return detections of frames; every fifth frame is empty."""
    rng = np.random.default_rng(seed)
    return [random_detections(rng, int(rng.integers(1, people)) if n % 5 else 0) for n in range(count)]


def write_detections(
    path: Path, frames: Sequence[Detections], *, header: Header = HEADER, first: int = 0, last: int | None = None
) -> DetectionsFile:
    """Write frames as a file, or as the part of one from ``first`` to ``last``; return it."""
    with DetectionsWriter(path, replace(header, first_frame=first, last_frame=last)) as writer:
        for index in range(first, len(frames) if last is None else last):
            writer.write(index, index / 30, (320, 192), frames[index])
        writer.finish(frames_skipped=1, stage_seconds={"network": 0.5})
    return read_detections(path)
