"""What is left of the tracks when frames are left out: PETS09-S2L1 at every 1st, 2nd, 5th and 10th frame.

    python benchmarks/strides.py --data DATA --weights W [--cache FILE.npz]

The network runs once, on frames 561-795, which the sample weights never saw; ``--cache`` keeps what it found, and reads
it where the file exists. Each stride begins once at each of its offsets, and all of these are scored together, against
the ground truth of the frames that were used. "Timed" is told the source's frame rate and the time of each frame, as
`FairMOT.track` does; "counted" takes the frames that come as consecutive ones of a slower video.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT, Tracker, TrackerConfig
from fairmot_dla34.evaluation import Scores, evaluate
from fairmot_dla34.values import Detections
from fairmot_dla34.video import open_source

FIRST, LAST = 561, 795  # frames of PETS09-S2L1, from 1
FRAME_RATE = 10.0
STRIDES = (1, 2, 5, 10)
LOWEST_SCORE = 0.05  # no method looks below it
VARIANTS = (("jde", True), ("byte", True), ("steady", True), ("byte", False), ("steady", False))


def detect(data: Path, weights: str, cache: Path | None) -> list[Detections]:
    """What the network finds in every frame."""
    if cache is not None and cache.is_file():
        return _read(cache)
    model = FairMOT(weights, backend="openvino", precision="fp32")
    with open_source(data / "PETS09-S2L1" / "vtest_480x360.avi") as source:
        found = [model.detect(frame.image) for frame in islice(source, FIRST - 1, LAST)]
    model.close()
    kept = [one.scores > LOWEST_SCORE for one in found]
    found = [
        Detections(one.boxes[keep], one.scores[keep], None if one.embeddings is None else one.embeddings[keep])
        for one, keep in zip(found, kept, strict=True)
    ]
    if cache is not None:
        names = ("boxes", "scores", "embeddings")
        columns: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in found]) for name in names}
        np.savez(cache, counts=[len(one) for one in found], **columns)
    return found


def _read(cache: Path) -> list[Detections]:
    with np.load(cache) as arrays:
        edges = np.cumsum(arrays["counts"])[:-1]
        columns = [np.split(arrays[name], edges) for name in ("boxes", "scores", "embeddings")]
    return [Detections(*row) for row in zip(*columns, strict=True)]


def track(frames: list[Detections], config: TrackerConfig, stride: int, offset: int, *, timed: bool) -> str:
    """Track every ``stride``-th frame from ``offset`` on; return MOT lines that count the used frames from 1."""
    tracker = Tracker(config, frame_rate=FRAME_RATE if timed else FRAME_RATE / stride)
    lines = []
    for number, index in enumerate(range(offset, len(frames), stride), start=1):
        for one in tracker.update(frames[index], time_s=index / FRAME_RATE if timed else None):
            left, top, right, bottom = one.box
            lines.append(f"{number},{one.track_id},{left},{top},{right - left},{bottom - top},1,-1,-1,-1\n")
    return "".join(lines)


def truth_of(table: NDArray[np.float64], stride: int, offset: int) -> str:
    """The ground truth of the same frames, counted alike."""
    index = table[:, 0] - FIRST
    used = table[(index >= offset) & (table[:, 0] <= LAST) & ((index - offset) % stride == 0)]
    return "".join(
        f"{int(row[0] - FIRST - offset) // stride + 1},{int(row[1])},{row[2]},{row[3]},{row[4]},{row[5]},1,1,1\n"
        for row in used
    )


def score(
    frames: list[Detections], table: NDArray[np.float64], config: TrackerConfig, stride: int, timed: bool
) -> Scores:
    """All offsets of one stride together."""
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
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1")
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz")
    arguments = parser.parse_args()
    frames = detect(arguments.data, arguments.weights, arguments.cache)
    table = np.loadtxt(arguments.data / "PETS09-S2L1" / "gt_480x360.txt", delimiter=",")
    print("MOTA / IDF1 / HOTA at every n-th frame")
    print(f"| method | frames are | {' | '.join(map(str, STRIDES))} |")
    print("|" + "---|" * (2 + len(STRIDES)))
    for method, embeddings in VARIANTS:
        used = frames if embeddings else [Detections(one.boxes, one.scores) for one in frames]
        name = method if embeddings else f"{method}, boxes only"
        for timed in (False, True):
            cells = []
            for stride in STRIDES:
                found = score(used, table, TrackerConfig(method=method), stride, timed)
                cells.append(f"{found.mota:.1f} / {found.idf1:.1f} / {found.hota:.1f}")
            print(f"| {name} | {'timed' if timed else 'counted'} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
