"""Measures seconds from the command to the first result, and peak memory, with a cold and a warm cache.

    python benchmarks/start.py --video V --weights W.pdparams [--input-size 1088x608] [--precision bf16] [--rounds 5]

Every run is a new process of ``python -m fairmot_dla34 track``, cold and warm in turn. A cold run finds no compiled
network and compiles it; a warm run finds the network that the cold run compiled. The benchmark uses its own cache
folder. The first result is the first line of the MOT file or, if no person is found, the end of the run; the video is
shortened to a few frames.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from excerpts import copy_excerpt
from process_usage import wait_for_usage

from fairmot_dla34.weights import resolve_weights

POLL_S = 0.002


def run_once(command: Sequence[str], mot_file: Path, cache: Path) -> tuple[float, float]:
    """Run the command; return seconds to the first line of ``mot_file`` and the peak resident memory in MB (Linux)."""
    mot_file.unlink(missing_ok=True)
    first_result_s: list[float] = []
    ended = threading.Event()
    environment = os.environ | {"FAIRMOT_DLA34_HOME": str(cache)}
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:

        def watch() -> None:
            while not ended.wait(POLL_S):
                if mot_file.exists() and mot_file.stat().st_size:
                    first_result_s.append(time.perf_counter() - start)
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            usage = wait_for_usage(process)
        finally:
            whole_s = time.perf_counter() - start
            ended.set()
            watcher.join()
    return (first_result_s or [whole_s])[0], usage.ru_maxrss / 1024


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--input-size", default="1088x608")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    weights = str(resolve_weights(arguments.weights))  # a download is not counted
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary), Path(temporary) / "cache"
        video = copy_excerpt(arguments.video, arguments.frames, folder / f"part{arguments.video.suffix}")
        command = [sys.executable, "-m", "fairmot_dla34", "track", str(video), "--output-dir", str(folder)]
        command += ["--weights", weights, "--input-size", arguments.input_size, "--precision", arguments.precision]
        mot_file = folder / "mot_results" / "part.txt"
        runs: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
        for _ in range(arguments.rounds):
            shutil.rmtree(cache, ignore_errors=True)
            runs["cold"].append(run_once(command, mot_file, cache))
            runs["warm"].append(run_once(command, mot_file, cache))
    print(f"input {arguments.input_size}, {arguments.precision}, {arguments.rounds} rounds")
    print("| cache | seconds to the first result, median (min to max) | peak memory, MB |\n|---|---|---|")
    for name, measured in runs.items():
        seconds, memory = zip(*measured, strict=True)
        spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| {name} | {statistics.median(seconds):.2f} {spread} | {max(memory):.0f} |")


if __name__ == "__main__":
    main()
