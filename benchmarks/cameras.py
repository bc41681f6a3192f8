"""Measures several cameras on one network beside one process for each camera: frame rates, memory, lag and fairness.

    python benchmarks/cameras.py [--video V] [--input-size 576x320] [--cameras 1 2 4 8] [--json FILE]

For each number of cameras, four runs take turns, so that drift of the machine's speed affects all alike:

- the network alone, with as many streams as `watch` uses;
- `watch` on video files of so high a frame rate that the network is never idle;
- `watch` on live streams of the frame rate --rate: MPEG transport streams over TCP from another process;
- one process of `track` for each of those video files, all at the same time.

Figures are medians over the turns; ratios are taken turn by turn. On a machine that is busy with other work, rates say
little: the processor time for a frame, over all threads, still does. The memory of `watch` is its resident set, that of
the processes the sum of their proportional sets (PSS), in which a page that several processes share counts once. The
lag is the time from the arrival of a decoded frame to its result. Choose the cores with ``taskset``.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from speed import Worker, machine, median_spread

from fairmot_dla34.synth import SceneConfig, write_scene

WORKER = Path(__file__).with_name("cameras_worker.py")
SERVER = Path(__file__).with_name("live_cameras.py")
FAST = 500  # frames per second of the files: more than any network here


def h264(video: Path, frames: int, rate: float, path: Path) -> Path:
    """Encode the first frames of a video, repeated if it is shorter, as cameras send them: H.264 without B-frames."""
    options = {"preset": "veryfast", "bf": "0", "g": "50"}
    done = 0
    with av.open(str(path), "w") as out:
        stream = None
        while done < frames:
            with av.open(str(video)) as source:
                for frame in source.decode(video=0):
                    if stream is None:
                        stream = out.add_stream("libx264", rate=round(rate), options=options)
                        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
                    frame.pts, frame.time_base = done, Fraction(1, round(rate))
                    out.mux(stream.encode(frame))
                    done += 1
                    if done == frames:
                        break
        assert stream  # noqa: S101 (a video has a frame)
        out.mux(stream.encode(None))
    return path


@dataclass
class Turns:
    """Answers for one number of cameras; lists have one entry per turn."""

    network: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    live: list[dict[str, Any]] = field(default_factory=list)
    processes: list[list[dict[str, Any]]] = field(default_factory=list)


class Cameras:
    """Live streams of a video, in a process of their own."""

    def __init__(self, video: Path, count: int) -> None:
        ports = [_free_port() for _ in range(count)]
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), str(video), *map(str, ports)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout  # noqa: S101 (a pipe)
        self._process.stdout.readline()
        self.urls = [f"tcp://127.0.0.1:{port}" for port in ports]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def measure(count: int, fast: Path, live: Path, arguments: argparse.Namespace) -> tuple[str, Turns]:
    """Measure one number of cameras."""
    common = {"cameras": count, "size": arguments.input_size}
    common |= {"weights": arguments.weights, "precision": arguments.precision}
    watch = Worker(sys.executable, {**common, "kind": "watch"}, WORKER)
    processes = [Worker(sys.executable, {**common, "kind": "track"}, WORKER) for _ in range(count)]
    cameras = Cameras(live, count)
    turns = Turns()
    seconds = arguments.seconds
    try:
        watch.ask(action="network", seconds=1.0)  # warm-up
        for turn in range(arguments.rounds):
            turns.network.append(watch.ask(action="network", seconds=seconds))
            turns.files.append(watch.ask(action="watch", sources=[str(fast)] * count, seconds=seconds))
            turns.network.append(watch.ask(action="network", seconds=seconds))
            turns.live.append(watch.ask(action="watch", sources=cameras.urls, seconds=seconds))
            for process in processes:
                process.send(action="track", sources=[str(fast)], seconds=seconds)
            turns.processes.append([process.answer() for process in processes])
            print(f"{count} cameras, turn {turn + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    finally:
        cameras.close()
        for worker in (watch, *processes):
            worker.close()
    return watch.facts["runs on"], turns


def rows(count: int, turns: Turns) -> list[str]:
    """Return the rows of one number of cameras for the three tables."""
    network = [(before["rate"] + after["rate"]) / 2 for before, after in zip(*_pairs(turns.network), strict=True)]
    alone_ms = statistics.median(turn["cpu_ms"] for turn in turns.network)
    watch_ms = statistics.median(turn["cpu_ms"] for turn in turns.files)
    files = [sum(turn["rates"]) for turn in turns.files]
    apart = [sum(answer["rates"][0] for answer in turn) for turn in turns.processes]
    shares = [min(turn["rates"]) / (sum(turn["rates"]) / count) for turn in turns.live]
    pass_s = statistics.median(turn["pass_s"] for turn in turns.network)
    bounds = []
    lags = []
    for turn in turns.live:
        for own, rate in zip(turn["lags"], turn["rates"], strict=True):
            lags += own
            bounds += [lag / (2 / max(rate, 1e-9) + pass_s) for lag in own]
    together = statistics.median(turn["memory"]["rss"] for turn in turns.files)
    live = statistics.median(turn["memory"]["rss"] for turn in turns.live)
    pss = statistics.median(sum(answer["memory"]["pss"] for answer in turn) for turn in turns.processes)
    return [
        (
            f"| {count} | {median_spread(network, _rate)} | {median_spread(files, _rate)} "
            f"| {median_spread(_ratios(files, network), _percent)} | {alone_ms:.1f} / {watch_ms:.1f} "
            f"| {median_spread(apart, _rate)} | {median_spread(_ratios(files, apart), '{:.2f}'.format)} |"
        ),
        f"| {count} | {together:.0f} | {live:.0f} | {pss:.0f} |",
        (
            f"| {count} | {median_spread([sum(turn['rates']) for turn in turns.live], _rate)} "
            f"| {statistics.median(turn['dropped'] for turn in turns.live):.1f} | {min(shares):.2f} "
            f"| {_milliseconds(statistics.median(lags))} | {_milliseconds(_percentile(lags, 0.99))} "
            f"| {_milliseconds(max(lags))} | {sum(bound <= 1 for bound in bounds) / len(bounds):.1%} |"
        ),
    ]


HEADS = (
    (
        "| cameras | network alone, frames/s | `watch`, frames/s | share of the network's rate | ms of processor time"
        " a frame, network / `watch` | one process each, frames/s | times as fast |"
    ),
    "| cameras | `watch`, files, MB | `watch`, live, MB | one process each, MB |",
    (
        "| cameras | live, frames/s | dropped/s | least share of a camera | lag, ms: median | 99% | longest"
        " | within 2 frames and a pass |"
    ),
)


def _pairs(turns: Sequence[dict[str, Any]]) -> tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]]]:
    return turns[::2], turns[1::2]


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _rate(value: float) -> str:
    return f"{value:.1f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="default: a rendered scene, 640x480")
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    parser.add_argument("--input-size", default="576x320")
    parser.add_argument("--precision", default="auto", help="fp32, bf16, int8 or auto; default: %(default)s")
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second of live cameras")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every turn to this file")
    arguments = parser.parse_args()
    tables: list[list[str]] = [[head, "|---" * (head.count("|") - 1) + "|"] for head in HEADS]
    record: dict[str, Any] = {"benchmark": "cameras", "machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video
        if video is None:
            scene = SceneConfig.preset("calm", seed=1, width=640, height=480, frames=200, frame_rate=10.0)
            video = write_scene(scene, folder, progress=False).video
        frames = round(100 * (arguments.seconds + 4))
        fast = h264(video, frames, FAST, Path(folder) / "fast.mp4")
        live = h264(video, round(20 * arguments.rate), arguments.rate, Path(folder) / "live.mp4")
        for count in arguments.cameras:
            runs_on, turns = measure(count, fast, live, arguments)
            print(f"{count} cameras: {runs_on}", file=sys.stderr)
            record[f"{count} cameras"] = vars(turns)
            for table, row in zip(tables, rows(count, turns), strict=True):
                table.append(row)
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"{facts}, weights {Path(arguments.weights).name}, input {arguments.input_size}\n")
    print("\n\n".join("\n".join(table) for table in tables))
    if arguments.json:
        arguments.json.write_text(json.dumps(record), "utf-8")


if __name__ == "__main__":
    main()
