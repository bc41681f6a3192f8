"""Resident memory along one long run, drawn video included: it must not grow with the video.

    python benchmarks/memory.py --video V --weights W.pdparams [--input-size 576x320] [--frames 5000]

The video is played again and again until there are enough frames.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import Module
from fairmot_dla34.video import open_source

MARKS = (1, 100, 300, 1000, 2000, 3000, 4000, 5000, 7500, 10000)


def resident_mb() -> float:
    """Return this process's resident set in MB (Linux)."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


def endless(video: Path, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of the video, over and over; print the memory at the marks."""
    count = 0
    for _ in itertools.count():
        with open_source(video) as source:
            for frame in source:
                if count in MARKS:
                    print(f"frame {count}: {resident_mb():.1f} MB", flush=True)
                if count == frames:
                    return
                count += 1
                yield frame.image


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--input-size", default="1088x608")
    parser.add_argument("--frames", type=int, default=5000)
    arguments = parser.parse_args()
    module = Module(weights=arguments.weights, input_size=arguments.input_size)
    with tempfile.TemporaryDirectory() as folder:
        summary = module.tracking(
            endless(arguments.video, arguments.frames), folder, formats=("mot", "jsonl"), frame_rate=10, progress=False
        )
    print(f"{summary.frames} frames, {summary.track_ids} ids, {summary.frames_per_second:.2f} frames/s")


if __name__ == "__main__":
    main()
