"""Measures what an hour of video costs in core-hours, by input size and precision, with and without drawn video.

    taskset -c 0,1 python benchmarks/cost.py [--sizes 576x320,864x480] [--precisions fp32,bf16]

Each figure is the CPU time of `track` with one thread, user and system, less that of a short run of the same settings:
loading is not counted. CPU time changes little while other programs use the machine; the wall time of a machine whose
cores are all busy with `batch` follows from it. Turns alternate between the settings; the table has medians.

A core-hour is an hour of CPU time of one logical processor. int8 needs `fairmot_dla34 quantize` at the size; settings
that cannot run are left out, with the reason on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from process_usage import wait_for_usage

from fairmot_dla34.synth import SceneConfig, write_scene

FRAME_RATE = 25
SHORT_FRAMES = 10


def main() -> None:
    """Draw the videos, measure all settings in turns, and print a table or JSON."""
    arguments = _arguments()
    times: dict[tuple[str, str, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = {
            frames: write_scene(_scene(arguments, frames), folder / f"{frames}").video
            for frames in (SHORT_FRAMES, arguments.frames)
        }
        for turn in range(arguments.rounds):
            for size in arguments.sizes.split(","):
                for precision in arguments.precisions.split(","):
                    for drawn in (False, True):
                        key = (size, precision, drawn)
                        try:
                            spent = [_cpu_s(video, key, folder / "out", arguments) for video in videos.values()]
                        except RuntimeError as error:
                            print(f"{size} {precision}: left out: {str(error).strip()[-200:]}", file=sys.stderr)
                            continue
                        per_frame = (spent[1] - spent[0]) / (arguments.frames - SHORT_FRAMES)
                        times.setdefault(key, []).append(per_frame)
                        print(f"turn {turn}: {key}: {per_frame * 1e3:.1f} ms", file=sys.stderr)
    rows = [_row(*key, seconds) for key, seconds in times.items()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"video of {arguments.size} px, {arguments.people} people, {FRAME_RATE} frames/s")
    print(
        "| input | precision | drawn video | CPU ms per frame | core-hours per hour of video |\n|---|---|---|---|---|"
    )
    for row in rows:
        shown = "yes" if row["drawn"] else "no"
        print(f"| {row['input_size']} | {row['precision']} | {shown} | {row['cpu_ms']:.0f} | {row['core_hours']:.2f} |")


def _row(size: str, precision: str, drawn: bool, seconds: list[float]) -> dict[str, object]:
    median = statistics.median(seconds)
    return {
        "input_size": size,
        "precision": precision,
        "drawn": drawn,
        "cpu_ms": median * 1e3,
        "range_ms": [min(seconds) * 1e3, max(seconds) * 1e3],
        "core_hours": median * FRAME_RATE,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=110)
    parser.add_argument("--size", default="1280x720", help="size of the drawn scene in px")
    parser.add_argument("--people", type=int, default=15)
    parser.add_argument("--sizes", default="576x320,864x480,1088x608")
    parser.add_argument("--precisions", default="fp32,bf16,int8")
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _scene(arguments: argparse.Namespace, frames: int) -> SceneConfig:
    width, height = map(int, arguments.size.split("x"))
    return SceneConfig(
        frames=frames, frame_rate=FRAME_RATE, width=width, height=height, people=arguments.people, seed=7
    )


def _cpu_s(video: Path, key: tuple[str, str, bool], out: Path, arguments: argparse.Namespace) -> float:
    """Return the CPU seconds of one `track` process.

    Raises:
        RuntimeError: It fails; the text is what it wrote to stderr.
    """
    size, precision, drawn = key
    command = [sys.executable, "-m", "fairmot_dla34", "track", str(video), "--output-dir", str(out), "--threads", "1"]
    command += ["--weights", arguments.weights, "--input-size", size, "--precision", precision, "--overwrite"]
    if not drawn:
        command.append("--no-visualization")
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    usage = wait_for_usage(process)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
