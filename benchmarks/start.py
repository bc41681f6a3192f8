"""Seconds from the command to the first result, and the highest memory, with a cold and a warm cache.

    python benchmarks/start.py --video V --weights W.pdparams [--input-size 1088x608] [--precision bf16] [--rounds 5]

Every start is a fresh process of ``python -m fairmot_dla34 track``, cold and warm in turn: a cold one finds no compiled
network and builds it, a warm one finds what the cold one left. The cache is a folder of the benchmark's own. The first
result is there when the MOT file has its first line, or, where nobody is found, when the run ends: the video is cut to
a few frames.
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

from excerpts import cut

from fairmot_dla34.weights import resolve_weights

POLL_S = 0.002


def start(command: Sequence[str], text: Path, cache: Path) -> tuple[float, float]:
    """Run once; return seconds to the first line of ``text`` and the highest resident memory in MB (Linux)."""
    text.unlink(missing_ok=True)
    found: list[float] = []
    ended = threading.Event()
    environment = os.environ | {"FAIRMOT_DLA34_HOME": str(cache)}
    begin = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:

        def watch() -> None:
            while not ended.wait(POLL_S):
                if text.exists() and text.stat().st_size:
                    found.append(time.perf_counter() - begin)
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        errors = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        whole_s = time.perf_counter() - begin
        ended.set()
        watcher.join()
    if process.returncode:
        raise RuntimeError(errors)
    return (found or [whole_s])[0], usage.ru_maxrss / 1024


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
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place), Path(place) / "cache"
        video = cut(arguments.video, arguments.frames, folder / f"part{arguments.video.suffix}")
        command = [sys.executable, "-m", "fairmot_dla34", "track", str(video), "--output-dir", str(folder)]
        command += ["--weights", weights, "--input-size", arguments.input_size, "--precision", arguments.precision]
        text = folder / "mot_results" / "part.txt"
        runs: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
        for _ in range(arguments.rounds):
            shutil.rmtree(cache, ignore_errors=True)
            runs["cold"].append(start(command, text, cache))
            runs["warm"].append(start(command, text, cache))
    print(f"input {arguments.input_size}, {arguments.precision}, {arguments.rounds} rounds")
    print("| start | seconds to the first result, median (min to max) | highest memory, MB |\n|---|---|---|")
    for name, found in runs.items():
        seconds, memory = zip(*found, strict=True)
        spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| {name} | {statistics.median(seconds):.2f} {spread} | {max(memory):.0f} |")


if __name__ == "__main__":
    main()
