"""Compares `batch` with independent `track` processes on the same clips and cores.

    taskset -c 0-3 python benchmarks/batch.py [--clips 16] [--frames 150] [--input-size 576x320] [--rounds 3]

The reference is one `track` process for each core, with one thread each, started together; each has an equal share of
the clips. `batch` runs with one worker and one thread for each core, and with half as many workers of two threads. The
contestants take turns, so that drift of the machine's speed affects all alike; ratios are taken turn by turn. Wall
times are those of whole commands, with the start of Python and the loading of the network. The compiled network is in
the cache of all contestants.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairmot_dla34.backends.cpus import usable_cpus
from fairmot_dla34.synth import SceneConfig, write_scene

REFERENCE = "independent processes"


def main() -> None:
    """Make the clips, run all contestants in turns, and print a table or JSON."""
    arguments = _arguments()
    cores = usable_cpus()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [arguments.video] if arguments.video else []
        clips = _clips(folder / "clips", arguments.clips, arguments.frames, clips[0] if clips else None)
        common = ["--weights", arguments.weights, "--input-size", arguments.input_size]
        common += ["--precision", arguments.precision]
        times: dict[str, list[float]] = {}
        for turn in range(arguments.rounds + 1):
            for contestant, commands in _contestants(clips, folder / "out", common, cores).items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                seconds = _timed(commands)
                if turn:  # the first one fills the cache
                    times.setdefault(contestant, []).append(seconds)
                print(f"turn {turn}: {contestant}: {seconds:.1f} s", file=sys.stderr)
    frames = arguments.clips * arguments.frames
    rows = [_row(contestant, seconds, times[REFERENCE], frames) for contestant, seconds in times.items()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{arguments.clips} clips of {arguments.frames} frames, {arguments.input_size}, {cores} cores")
    print("| command | seconds | frames/s | rate beside independent processes (range) |\n|---|---|---|---|")
    for row in rows:
        low, high = row["range"]
        print(
            f"| {row['command']} | {row['seconds']:.1f} | {row['frames_per_second']:.1f} |"
            f" {row['ratio']:.3f} ({low:.3f} to {high:.3f}) |"
        )


def _row(contestant: str, seconds: Sequence[float], reference: Sequence[float], frames: int) -> dict[str, Any]:
    ratios = [theirs / own for own, theirs in zip(seconds, reference, strict=True)]
    median = statistics.median(seconds)
    return {
        "command": contestant,
        "seconds": median,
        "frames_per_second": frames / median,
        "ratio": statistics.median(ratios),
        "range": [min(ratios), max(ratios)],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=150, help="frames of each clip, if there is no --video")
    parser.add_argument("--video", type=Path, help="clip to use instead of a drawn scene; --frames states its length")
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--input-size", default="576x320")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _clips(folder: Path, count: int, frames: int, video: Path | None) -> list[Path]:
    folder.mkdir()
    if video is None:
        video = write_scene(SceneConfig(frames=frames, frame_rate=25, seed=7), folder / "scene").video
    clips = [folder / f"clip{number:02d}{video.suffix}" for number in range(count)]
    for clip in clips:
        shutil.copy(video, clip)
    return clips


def _contestants(clips: Sequence[Path], out: Path, common: Sequence[str], cores: int) -> dict[str, list[list[str]]]:
    """Return the commands of each contestant, which run at the same time."""
    shares = [clips[number::cores] for number in range(cores)]
    found = {
        REFERENCE: [
            _command("track", share, out / f"{number}", common, 1) for number, share in enumerate(shares) if share
        ],
        f"batch, {cores} workers with 1 thread": [[*_command("batch", clips, out, common, 1), "--workers", str(cores)]],
    }
    if cores > 1:
        name = f"batch, {cores // 2} workers with 2 threads"
        found[name] = [[*_command("batch", clips, out, common, 2), "--workers", str(cores // 2)]]
    return found


def _command(verb: str, clips: Sequence[Path], out: Path, common: Sequence[str], threads: int) -> list[str]:
    places = ["--output-dir", str(out), "--threads", str(threads)]
    return [sys.executable, "-m", "fairmot_dla34", verb, *map(str, clips), *places, *common]


def _timed(commands: Sequence[Sequence[str]]) -> float:
    """Run commands at the same time, and return the seconds until the last one has ended."""
    start_s = time.perf_counter()
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        for command in commands
    ]
    for process in running:
        errors = process.communicate()[1]
        if process.returncode:
            raise RuntimeError(errors.decode())
    return time.perf_counter() - start_s


if __name__ == "__main__":
    main()
