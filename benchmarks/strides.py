"""Scores of the tracks if frames are skipped: PETS09-S2L1 at every 1st, 2nd, 5th and 10th frame.

    python benchmarks/strides.py --data DATA --weights sample --detections "R/detections/PETS09-S2L1 561-795.npz"

The network runs once, on frames 561-795, which the sample weights were not trained on. Its detections are stored in a
file and read from it in later runs (``accuracy.py`` writes the same file). Each stride starts once at each of its
offsets, and all of these are scored together against the ground truth of the processed frames. "timed" passes the
source's frame rate and the time of each frame to the tracker, as `FairMOT.track` does; "counted" treats the processed
frames as consecutive frames of a slower video.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from detections import detect
from numpy.typing import NDArray
from parts import real_parts

from fairmot_dla34 import Detections, FairMOT, Tracker, TrackerConfig
from fairmot_dla34.evaluation import Scores, evaluate

FRAME_RATE = 10.0  # PETS09-S2L1
STRIDES = (1, 2, 5, 10)
VARIANTS = (("jde", True), ("byte", True), ("auto", True), ("byte", False), ("auto", False))


def track(frames: list[Detections], config: TrackerConfig, stride: int, offset: int, *, timed: bool) -> str:
    """Track every ``stride``-th frame from ``offset`` on; return MOT lines that number the processed frames from 1."""
    tracker = Tracker(config, frame_rate=FRAME_RATE if timed else FRAME_RATE / stride)
    lines = []
    for number, index in enumerate(range(offset, len(frames), stride), start=1):
        for tracked in tracker.update(frames[index], time_s=index / FRAME_RATE if timed else None):
            left, top, right, bottom = tracked.box
            lines.append(f"{number},{tracked.track_id},{left},{top},{right - left},{bottom - top},1,-1,-1,-1\n")
    return "".join(lines)


def truth_of(table: NDArray[np.float64], stride: int, offset: int) -> str:
    """Return the ground truth of the frames that `track` processes, with the same numbers."""
    index = table[:, 0].astype(int) - 1
    used = (index >= offset) & ((index - offset) % stride == 0)
    return "".join(
        f"{(frame - offset) // stride + 1},{int(row[1])},{row[2]},{row[3]},{row[4]},{row[5]},1,1,1\n"
        for frame, row in zip(index[used].tolist(), table[used], strict=True)
    )


def score(
    frames: list[Detections], table: NDArray[np.float64], config: TrackerConfig, stride: int, timed: bool
) -> Scores:
    """Score all offsets of one stride together."""
    with tempfile.TemporaryDirectory() as folder:
        gt, results = Path(folder, "gt"), Path(folder, "results")
        gt.mkdir()
        results.mkdir()
        for offset in range(stride):
            name = f"offset{offset}.txt"
            (gt / name).write_text(truth_of(table, stride, offset), encoding="utf-8")
            (results / name).write_text(track(frames, config, stride, offset, timed=timed), encoding="utf-8")
        return evaluate(gt, results).combined


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1")
    parser.add_argument("--weights", default="sample")
    parser.add_argument(
        "--detections", type=Path, required=True, metavar="FILE.npz", help="created if it does not exist"
    )
    arguments = parser.parse_args()
    part = real_parts(arguments.data)[0]
    frames = detect(part, lambda: FairMOT(arguments.weights, precision="fp32"), arguments.detections)
    table = np.loadtxt(part.truth().splitlines(), delimiter=",")
    print("MOTA / IDF1 / HOTA at every n-th frame")
    print(f"| method | frames are | {' | '.join(map(str, STRIDES))} |")
    print("|" + "---|" * (2 + len(STRIDES)))
    for method, embeddings in VARIANTS:
        inputs = frames if embeddings else [Detections(frame.boxes, frame.scores) for frame in frames]
        name = method if embeddings else f"{method}, boxes only"
        for timed in (False, True):
            cells = []
            for stride in STRIDES:
                found = score(inputs, table, TrackerConfig(method=method), stride, timed)
                cells.append(f"{found.mota:.1f} / {found.idf1:.1f} / {found.hota:.1f}")
            print(f"| {name} | {'timed' if timed else 'counted'} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
