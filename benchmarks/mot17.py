"""Public detections of MOT17's seven training sequences, and result files for them."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from contestant import Size, Update

from fairmot_dla34.values import Detections


@dataclass(frozen=True, eq=False)
class Sequence:
    """Public detections of one sequence.

    Attributes:
        name: Name of its files, such as ``MOT17-02``.
        frame_rate: Frames per second.
        size: Width and height of the images, px.
        frames: Detections of every frame.
    """

    name: str
    frame_rate: float
    size: Size
    frames: list[Detections]


def read_sequences(data: Path) -> list[Sequence]:
    """Read ``det/<name>.txt`` and ``seqinfo/<name>.ini`` below ``data``."""
    return [_read(data, path.stem) for path in sorted((data / "seqinfo").glob("*.ini"))]


def _read(data: Path, name: str) -> Sequence:
    info = configparser.ConfigParser()
    info.read(data / "seqinfo" / f"{name}.ini")
    table = np.loadtxt(data / "det" / f"{name}.txt", delimiter=",")
    boxes = table[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    masks = [table[:, 0] == frame for frame in range(1, int(info["Sequence"]["seqLength"]) + 1)]
    frames = [Detections(boxes[mask], table[mask, 6]) for mask in masks]
    size = int(info["Sequence"]["imWidth"]), int(info["Sequence"]["imHeight"])
    return Sequence(name, float(info["Sequence"]["frameRate"]), size, frames)


def write_results(sequence: Sequence, update: Update, folder: Path) -> None:
    """Track a sequence and write ``<folder>/<name>.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{sequence.name}.txt").open("w", encoding="utf-8") as file:
        for number, detections in enumerate(sequence.frames, start=1):
            for track_id, x1, y1, x2, y2 in update(detections):
                file.write(f"{number},{track_id},{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f},1,-1,-1,-1\n")
