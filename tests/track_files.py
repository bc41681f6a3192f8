"""A small video whose frames encode their index, and results in it as `track` writes them, with gaps and odd boxes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from clips import write_clip

from fairmot_dla34 import Frame, FrameResult, Track
from fairmot_dla34.outputs.sink import Sink
from fairmot_dla34.outputs.text_formats import CsvSink, JsonlSink, MotSink

WIDTH, HEIGHT, RATE, FRAMES = 160, 96, 25, 20
LEAVES, SINGLE = 7, 9  # ids of the track that leaves the image at the left, and of the one that is seen once

Box = tuple[float, float, float, float]


def video(folder: Path, name: str = "street.mp4", frames: int = FRAMES) -> Path:
    return write_clip(folder / name, frames, rate=Fraction(RATE), size=(WIDTH, HEIGHT))


def boxes_of_frame(frame: int) -> dict[int, Box]:
    """Return xyxy by id in a frame, from 1. Nobody is in the last frame."""
    boxes: dict[int, Box] = {}
    if frame < FRAMES:
        boxes[1] = (10 + 2.0 * frame, 20, 40 + 2.0 * frame, 80)  # straight
    if frame in {*range(3, 9), *range(12, 16)}:
        boxes[2] = (90 + 5 * (frame % 2), 30, 110, 70.25 + 0.5 * frame * (frame % 3))  # jumps, with a gap
    if 4 <= frame <= 12:
        boxes[LEAVES] = (-8 - 2.0 * frame, 40, 22 - 2.0 * frame, 95)  # from frame 11 on wholly outside
    if frame == 10:
        boxes[SINGLE] = (120, 10, 150, 60)
    return boxes


TRUTH = {(frame, number): box for frame in range(1, FRAMES + 1) for number, box in boxes_of_frame(frame).items()}
OUTSIDE = {(frame, number) for (frame, number), box in TRUTH.items() if box[2] <= 0}


def clipped(box: Box) -> Box:
    x1, y1, x2, y2 = np.clip(box, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT)).tolist()
    return x1, y1, x2, y2


def write_results(folder: Path, suffix: str, class_id: int = 0) -> Path:
    """Write the results with the sink of a suffix: ``.txt``, ``.jsonl`` or ``.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"street{suffix}"
    kinds: dict[str, type[MotSink | JsonlSink | CsvSink]] = {".txt": MotSink, ".jsonl": JsonlSink, ".csv": CsvSink}
    sink: Sink = kinds[suffix](path)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for frame in range(1, FRAMES + 1):
        tracks = tuple(Track(number, box, 0.5, 0, class_id) for number, box in boxes_of_frame(frame).items())
        time_s = (frame - 1) / RATE
        sink.write(Frame(frame - 1, time_s, image), FrameResult(frame - 1, time_s, tracks))
    sink.close()
    return path
