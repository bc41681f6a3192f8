"""Compares `batch --engine ray` with independent `track` processes, kills workers meanwhile, and splits one video.

    taskset -c 0,1 python benchmarks/cluster.py [--clips 8] [--frames 150] [--input-size 576x320] [--rounds 3]

It needs the extra ``cluster``. The contestants take turns on the same clips and cores: one `track` process for each
core, `batch --engine local` and `batch --engine ray` with as many workers. One more run of each engine has a worker
killed with SIGKILL at random, three times. Then all clips, joined to one video, are tracked whole and in parts.
Wall times are those of whole commands, with the start of Ray; the results of all runs are compared byte for byte.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from fairmot_dla34.backends.cpus import usable_cpus
from fairmot_dla34.synth import SceneConfig, write_scene

_KILL_S = 5.0  # time between two kills
_KEY_FRAME_S = 2  # distance of the key frames of the long video


def main() -> None:
    """Make the clips, run all contestants in turns, and print two tables."""
    arguments = _arguments()
    cores = usable_cpus()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = _clips(folder / "clips", arguments)
        common = ["--weights", "sample", "--input-size", arguments.input_size, "--no-visualization"]
        contestants = {
            "independent processes": [
                _command("track", clips[number::cores], folder / "out", [*common, "--threads", "1"])
                for number in range(cores)
            ],
            **{
                f"batch --engine {engine}": [
                    _command("batch", clips, folder / "out", [*_workers(engine, cores), *common])
                ]
                for engine in ("local", "ray")
            },
        }
        if arguments.rounds:
            _compare(contestants, folder / "out", arguments)
        _kill(contestants, folder / "out", arguments)
        _split(clips, folder, common, cores)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=150, help="frames of each clip")
    parser.add_argument("--input-size", default="576x320")
    parser.add_argument("--rounds", type=int, default=3, help="0: only kills and the split video")
    parser.add_argument("--kills", type=int, default=3, help="workers to kill in one run, at most 3: more end a video")
    return parser.parse_args()


def _clips(folder: Path, arguments: argparse.Namespace) -> list[Path]:
    video = write_scene(SceneConfig(frames=arguments.frames, frame_rate=25, seed=7), folder / "scene").video
    clips = [folder / f"clip{number:02d}{video.suffix}" for number in range(arguments.clips)]
    for clip in clips:
        shutil.copy(video, clip)
    return clips


def _command(verb: str, videos: Sequence[Path], out: Path, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "fairmot_dla34", verb, *map(str, videos), "--output-dir", str(out), *options]


def _workers(engine: str, cores: int) -> list[str]:
    return ["--engine", engine, "--workers", str(cores), "--threads", "1"]


def _compare(contestants: dict[str, list[list[str]]], out: Path, arguments: argparse.Namespace) -> None:
    times: dict[str, list[float]] = {}
    for turn in range(arguments.rounds + 1):
        for contestant, commands in contestants.items():
            seconds, _ = _run(commands, out)
            if turn:  # the first one fills the cache of compiled networks
                times.setdefault(contestant, []).append(seconds)
            print(f"turn {turn}: {contestant}: {seconds:.1f} s", file=sys.stderr)
    reference, frames = times["independent processes"], arguments.clips * arguments.frames
    print("| command | seconds | frames/s | rate beside independent processes (range) |\n|---|---|---|---|")
    for contestant, seconds_of in times.items():
        ratios = [theirs / own for own, theirs in zip(seconds_of, reference, strict=True)]
        median = statistics.median(seconds_of)
        shown = f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        print(f"| {contestant} | {median:.1f} | {frames / median:.1f} | {shown} |")


def _kill(contestants: dict[str, list[list[str]]], out: Path, arguments: argparse.Namespace) -> None:
    """Run each engine with kills of its workers, and compare the results with those of independent processes."""
    _run(contestants.pop("independent processes"), out)
    expected = _results(out)
    for contestant, commands in contestants.items():
        seconds, kills = _run(commands, out, most_kills=arguments.kills)
        same = "equal" if _results(out) == expected else "DIFFERENT"
        print(f"{contestant}: {kills} workers killed, {seconds:.1f} s, results {same}")


def _split(clips: Sequence[Path], folder: Path, common: Sequence[str], cores: int) -> None:
    long = folder / "long.mp4"
    _join(clips, long)
    found, times = [], []
    for options in (["--workers", "1", "--threads", str(cores)], [*_workers("local", cores), "--split", "10"]):
        seconds, _ = _run([_command("batch", [long], folder / "out", [*options, *common])], folder / "out")
        found.append(_results(folder / "out"))
        times.append(seconds)
    same = "equal" if found[0] == found[1] else "DIFFERENT"
    print(f"one video: whole with {cores} threads {times[0]:.1f} s, in parts of 10 s {times[1]:.1f} s, results {same}")


def _join(clips: Sequence[Path], path: Path) -> None:
    """Encode all frames of the clips as one video, with a key frame every two seconds."""
    with av.open(str(path), "w") as out:
        count = 0
        stream = out.add_stream("libx264", rate=25, options={"g": str(25 * _KEY_FRAME_S), "preset": "ultrafast"})
        for clip in clips:
            with av.open(str(clip)) as source:
                if not stream.codec_context.is_open:
                    size = source.streams.video[0]
                    stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
                for frame in source.decode(video=0):
                    frame.pts, frame.time_base = count, Fraction(1, 25)
                    count += 1
                    out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _run(commands: Sequence[Sequence[str]], out: Path, *, most_kills: int = 0) -> tuple[float, int]:
    """Run commands at the same time; return the seconds until the last one has ended, and the workers killed."""
    shutil.rmtree(out, ignore_errors=True)
    start_s, kills = time.perf_counter(), 0
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for command in commands]
    choose = random.Random(0)  # noqa: S311 (which worker is killed is no secret)
    next_s = start_s + 2 * _KILL_S
    while kills < most_kills and running[0].poll() is None:
        time.sleep(0.1)
        workers = _descendants(running[0].pid)
        if workers and time.perf_counter() > next_s:
            os.kill(choose.choice(workers), signal.SIGKILL)
            kills, next_s = kills + 1, time.perf_counter() + _KILL_S
    for process in running:
        errors = process.communicate()[1]
        if process.returncode:
            raise RuntimeError(errors.decode())
    return time.perf_counter() - start_s, kills


def _descendants(ancestor: int) -> list[int]:
    """Return the processes below another one that run jobs."""
    parents, names = {}, {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = status.read_text().rpartition(")")
            pid = int(status.parent.name)
            parents[pid] = int(after.split()[1])
            names[pid] = (status.parent / "cmdline").read_bytes() + before.encode()
        except (OSError, ValueError):
            continue
    found = []
    for pid, name in names.items():
        above = pid
        while above in parents and above != ancestor:
            above = parents[above]
        is_worker = b"ray::fairmot_dla34" in name or b"spawn_main" in name
        if above == ancestor and is_worker:
            found.append(pid)
    return found


def _results(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "mot_results").iterdir()}


if __name__ == "__main__":
    main()
