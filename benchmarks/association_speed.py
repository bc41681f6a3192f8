"""Time of the association alone, compared with PaddleDetection's JDETracker if that is installed.

    python benchmarks/association_speed.py [--method auto|jde|byte] [--people 20 100 ...] [--frames 40] [--json FILE]

The network detects up to 500 people in a frame; larger numbers show how the time grows, and ``--people 10000`` is more
than a tracker uses of one frame (2,000). Both trackers process each frame in turn, in one process, so that a busy
machine slows both. The times are medians, and the slowest frame of all.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from fairmot_dla34.association import Tracker, TrackerConfig, method_names
from fairmot_dla34.values import Detections

WARM_UP_FRAMES = 10
EMBEDDING_SIZE = 128
JDE_TRACKER_METHODS = ("jde", "byte")


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        people: Number of people in the scene.
        ours_ms: Median milliseconds of ``Tracker.update``.
        slowest_ms: Milliseconds of the slowest ``Tracker.update``, warm-up frames included.
        reference_ms: Median milliseconds of ``JDETracker.update``; None without JDETracker.
        same_ids: Whether both returned the same tracks in every frame, with ids mapped one to one; None without
            JDETracker.
        absent: Reason for a missing reference.
    """

    people: int
    ours_ms: float
    slowest_ms: float
    reference_ms: float | None = None
    same_ids: bool | None = None
    absent: str = "not installed"

    def __str__(self) -> str:
        if self.reference_ms is None:
            return f"| {self.people} | {self.ours_ms:.2f} | {self.slowest_ms:.2f} | {self.absent} | | |"
        ratio = self.reference_ms / self.ours_ms
        equal = "equal" if self.same_ids else "DIFFERENT"
        ours = f"{self.ours_ms:.2f} | {self.slowest_ms:.2f}"
        return f"| {self.people} | {ours} | {self.reference_ms:.2f} | {ratio:.1f} | {equal} |"


def scene(people: int, frames: int, seed: int = 0) -> Iterator[Detections]:
    """Yield detections of people who walk at the density of a busy street; one in twenty is missed in each frame."""
    rng = np.random.default_rng(seed)
    extent = np.array([1920, 1080]) * max(1.0, (people / 60) ** 0.5)
    centre = rng.uniform(0, extent, (people, 2))
    velocity = rng.normal(0, 2, (people, 2))
    size = np.column_stack([rng.uniform(30, 60, people), rng.uniform(90, 160, people)])
    look = rng.normal(size=(people, EMBEDDING_SIZE))
    for _ in range(frames):
        centre = (centre + velocity) % extent
        seen = np.flatnonzero(rng.random(people) > 0.05)
        half = size[seen] * rng.normal(1, 0.02, (len(seen), 2)) / 2
        middle = centre[seen] + rng.normal(0, 1, (len(seen), 2))
        embeddings = look[seen] + rng.normal(0, 0.4, (len(seen), EMBEDDING_SIZE))
        boxes = np.hstack([middle - half, middle + half])
        scores = rng.uniform(0.15, 1, len(seen)) ** 0.3
        yield Detections(boxes.astype(np.float32), scores.astype(np.float32), embeddings.astype(np.float32))


def reference_tracker(method: str) -> Callable[[Detections], list[int]] | None:
    """Return JDETracker with the same settings, as a function from detections to ids; None if it is not available."""
    if method not in JDE_TRACKER_METHODS:
        return None
    try:
        from ppdet.modeling.mot.tracker import JDETracker
    except ImportError:
        return None
    config = TrackerConfig(method=method)
    tracker = JDETracker(
        use_byte=method == "byte",
        conf_thres=config.score_thresholds[0],
        tracked_thresh=config.tracked_thresh,
        metric_type="cosine",
    )
    tracker.max_time_lost = 30

    def update(detections: Detections) -> list[int]:
        rows = np.column_stack([np.zeros(len(detections)), detections.scores, detections.boxes]).astype(np.float32)
        embeddings = None if detections.embeddings is None else detections.embeddings.copy()
        return [track.track_id for track in tracker.update(rows, embeddings)[0]]

    return update


def measure(method: str, people: int, frames: int) -> Row:
    """Measure both trackers on one scene, which process each frame in turn."""
    tracker = Tracker(TrackerConfig(method=method, min_box_area=0, vertical_ratio=0))
    reference = reference_tracker(method)
    ours_ms, reference_ms, same, renamed = [], [], True, dict[int, int]()
    for detections in scene(people, frames + WARM_UP_FRAMES):
        if method == "byte":
            detections = replace(detections, embeddings=None)  # noqa: PLW2901
        start = time.perf_counter()
        tracks = tracker.update(detections)
        ours_ms.append((time.perf_counter() - start) * 1e3)
        if reference is not None:
            start = time.perf_counter()
            ids = reference(detections)
            reference_ms.append((time.perf_counter() - start) * 1e3)
            own = [track.track_id for track in tracks]
            same &= len(ids) == len(own) and own == [renamed.setdefault(*pair) for pair in zip(ids, own, strict=True)]
    same &= len(set(renamed.values())) == len(renamed)
    median_ms, slowest_ms = statistics.median(ours_ms[WARM_UP_FRAMES:]), max(ours_ms)
    if reference is None:
        absent = "not installed" if method in JDE_TRACKER_METHODS else "no such method"
        return Row(people, median_ms, slowest_ms, absent=absent)
    return Row(people, median_ms, slowest_ms, statistics.median(reference_ms[WARM_UP_FRAMES:]), same)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--method", choices=method_names(), default="auto")
    parser.add_argument("--people", type=int, nargs="+", default=[20, 100, 200, 500, 1000, 2000])
    parser.add_argument("--frames", type=int, default=40, help="measured frames, after 10 warm-up frames")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the times to this file")
    arguments = parser.parse_args()
    print(f"method {arguments.method}, {arguments.frames} frames, milliseconds a frame")
    print("| people | Tracker | slowest frame | JDETracker | times faster | ids |\n|---|---|---|---|---|---|")
    rows = []
    for people in arguments.people:
        rows.append(measure(arguments.method, people, arguments.frames))
        print(rows[-1], flush=True)
    if arguments.json:
        record = {
            "benchmark": "association",
            "method": arguments.method,
            "frames": arguments.frames,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "rows": [asdict(row) for row in rows],
        }
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
