"""Measures the speed of the network, of whole `track` runs and of the association, side by side in one run.

    python benchmarks/speed.py [--weights W] [--quick] [--json FILE] [--also PYTHON ...]

Every installed backend and precision is measured, PaddleDetection included. If PaddleDetection has a separate
environment (its pins hold half of the packages back), pass that environment's Python with --also. Each contestant runs
in its own process. The contestants take turns, so that drift of the machine's speed affects all alike. Figures are
medians over the turns with their spread; ratios are taken turn by turn. Loading is not counted.

The share of the limit is the network's arithmetic divided by the rate at which this machine computed plain 3x3
convolutions of that precision in the same turn. int8 is measured at the sizes for which `fairmot_dla34 quantize` was
run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from arithmetic import flops

from fairmot_dla34.backends.openvino.graph import build_model
from fairmot_dla34.backends.openvino.telemetry import no_telemetry
from fairmot_dla34.synth import SceneConfig, write_scene
from fairmot_dla34.weights import resolve_network

SIZES = ("1088x608", "864x480", "576x320")
PEOPLE = (20, 100, 200, 500)
MANY_PEOPLE = (1000, 2000)
WORKER = Path(__file__).with_name("speed_worker.py")
REFERENCE = "PaddleDetection"
CONTESTANTS: dict[str, dict[str, Any]] = {
    REFERENCE: {"backend": "paddledetection"},
    "ONNX Runtime, dense heads": {"backend": "dense"},
    "onnxruntime fp32": {"backend": "onnxruntime", "precision": "fp32"},
    "openvino fp32": {"backend": "openvino", "precision": "fp32"},
    "openvino bf16": {"backend": "openvino", "precision": "bf16"},
    "openvino int8": {"backend": "openvino", "precision": "int8"},
    "onnxruntime on a GPU": {"backend": "onnxruntime", "precision": "fp32", "use_gpu": True},
}


class Unavailable(Exception):  # noqa: N818 (not an error: it is reported, and the other contestants run)
    """Reason why a contestant cannot run."""


class Worker:
    """A contestant in a process of its own, which answers lines of JSON.

    Args:
        python: Interpreter of the contestant's environment.
        spec: Specification of the contestant, as the script takes it.
        script: Script that runs a contestant.

    Raises:
        Unavailable: The contestant cannot run.
    """

    def __init__(self, python: str, spec: dict[str, Any], script: Path = WORKER) -> None:
        self._process = subprocess.Popen(
            [python, str(script), json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # idle threads must not slow down the others' turns
        )
        self.facts = self.answer()
        if "unavailable" in self.facts:
            self.close()
            raise Unavailable(self.facts["unavailable"])

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer."""
        self.send(**request)
        return self.answer()

    def send(self, **request: Any) -> None:
        """Send a request; `answer` returns its answer."""
        assert self._process.stdin  # noqa: S101 (a pipe, by construction)
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer to a request."""
        assert self._process.stdout  # noqa: S101 (as above)
        line = self._process.stdout.readline()
        if not line:
            return {"unavailable": f"its process ended with exit code {self._process.wait()}"}
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Row:
    """Figures of one contestant at one size; lists have one value per turn.

    Attributes:
        name: Name in the table.
        size: Size of the network input.
        runs_on: Backend, device and precision, as reported by the contestant.
        network_s: Seconds per image, the network alone.
        limit_s: Seconds that the same arithmetic takes at the machine's rate in that turn.
        track_s: Seconds per frame, from a video to a MOT file.
        drawn_s: Seconds per frame, from a video to a MOT file and a drawn video.
        peak_mb: Peak resident set of the contestant's process.
    """

    name: str
    size: str
    runs_on: str
    network_s: list[float] = field(default_factory=list)
    limit_s: list[float] = field(default_factory=list)
    track_s: list[float] = field(default_factory=list)
    drawn_s: list[float] = field(default_factory=list)
    peak_mb: float = float("nan")


@dataclass(frozen=True)
class Plan:
    """Number and length of the turns.

    Attributes:
        turns: Turns of the network.
        track_turns: Turns of the whole `track` run.
        turn_s: Target length of a turn in seconds; a turn of one image may take longer.
    """

    turns: int
    track_turns: int
    turn_s: float


def measure_size(size: str, weights: str, video: Path, pythons: Sequence[str], plan: Plan) -> list[Row]:
    """Measure every contestant at one size; report on stderr those that cannot run."""
    workers: dict[str, Worker] = {}
    common = {"size": size, "weights": weights, "video": str(video), "precision": "fp32", "use_gpu": False}
    for name, spec in CONTESTANTS.items():
        try:
            workers[name] = _start(pythons, {**common, **spec})
        except Unavailable as reason:
            print(f"{size}: {name} is not measured: {reason}", file=sys.stderr)
    rates = {
        precision: Worker(pythons[0], {**common, "backend": "convolutions", "precision": precision})
        for precision in ("fp32", "bf16", "int8")
        if f"openvino {precision}" in workers
    }
    try:
        rows = {name: Row(name, size, worker.facts["runs on"]) for name, worker in workers.items()}
        _measure_network(rows, workers, rates, _flops(weights, size), plan)
        _measure_tracking(rows, workers, plan)
    finally:
        for worker in (*workers.values(), *rates.values()):
            worker.close()
    return list(rows.values())


def _start(pythons: Sequence[str], spec: dict[str, Any]) -> Worker:
    reasons = []
    for python in pythons:
        try:
            return Worker(python, spec)
        except Unavailable as error:
            reasons.append(error)
    raise reasons[0]


def _flops(weights: str, size: str) -> float:
    with no_telemetry():
        import openvino
    return flops(build_model(openvino.Core(), resolve_network(weights, size)))


def _measure_network(
    rows: dict[str, Row], workers: dict[str, Worker], rates: dict[str, Worker], work: float, plan: Plan
) -> None:
    frames = {}
    for name, worker in workers.items():  # warm-up
        frames[name] = max(1, round(plan.turn_s / worker.ask(action="network", frames=1)["seconds"]))
    for turn in range(plan.turns):
        limits = {precision: work / worker.ask()["rate"] for precision, worker in rates.items()}
        for name, worker in workers.items():
            answer = worker.ask(action="network", frames=frames[name])
            rows[name].network_s.append(answer["seconds"] / frames[name])
            backend, _, precision = name.partition(" ")
            if backend == "openvino":
                rows[name].limit_s.append(limits[precision])
        _report(f"{rows[name].size}: network, turn {turn + 1} of {plan.turns}")


def _measure_tracking(rows: dict[str, Row], workers: dict[str, Worker], plan: Plan) -> None:
    frames, can_track = {}, {}
    for name, worker in workers.items():
        frames[name] = max(2, round(plan.turn_s / min(rows[name].network_s)))
        can_track[name] = worker.ask(action="prepare", frames=frames[name], drawn=True)["tracks"]
    for turn in range(plan.track_turns):
        for drawn in (False, True):
            for name in (name for name in workers if can_track[name]):
                answer = workers[name].ask(action="track", drawn=drawn)
                (rows[name].drawn_s if drawn else rows[name].track_s).append(answer["seconds"] / frames[name])
                rows[name].peak_mb = answer["peak_mb"]
        _report(f"{rows[name].size}: track, turn {turn + 1} of {plan.track_turns}")


def _report(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def median_spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Return the median, with the minimum and the maximum in brackets."""
    if not values:
        return "–"
    return f"{form(statistics.median(values))} ({form(min(values))} to {form(max(values))})"


def ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    """Divide turn by turn; return an empty list if one of them was not measured."""
    return [a / b for a, b in zip(slow, fast, strict=True)] if slow and fast else []


def tables(rows: Sequence[Row]) -> str:
    """Return the figures as Markdown, one table for the network and one for whole runs."""
    references = {row.size: row for row in rows if row.name == REFERENCE}
    out = [
        "| network alone | input | ms per image | times PaddleDetection | share of the limit |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        reference = references.get(row.size)
        times = ratios(reference.network_s, row.network_s) if reference else []
        share = ratios(row.limit_s, row.network_s)
        out.append(
            f"| {row.name} | {row.size} | {median_spread(row.network_s, _milliseconds)} "
            f"| {median_spread(times, _times)} | {median_spread(share, '{:.0%}'.format)} |"
        )
    out += [
        "",
        "| track | input | frames/s | with drawn video | times PaddleDetection, both | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in (row for row in rows if row.track_s):
        reference = references.get(row.size)
        times = ratios(reference.track_s, row.track_s) if reference else []
        drawn = ratios(reference.drawn_s, row.drawn_s) if reference else []
        out.append(
            f"| {row.name} | {row.size} | {median_spread([1 / s for s in row.track_s], _rate)} "
            f"| {median_spread([1 / s for s in row.drawn_s], _rate)} "
            f"| {median_spread(times, _times)}, {median_spread(drawn, _times)} | {row.peak_mb:.0f} |"
        )
    return "\n".join(out)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f}" if seconds >= 0.1 else f"{seconds * 1e3:.1f}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}"


def _rate(frames_per_second: float) -> str:
    return f"{frames_per_second:.2f}"


def association(pythons: Sequence[str], people: Sequence[int]) -> str:
    """Run `association_speed.py` in the first environment with JDETracker, else in any; return its table."""
    script = str(Path(__file__).with_name("association_speed.py"))
    table = ""
    for python in pythons:
        arguments = [python, script, "--method", "jde", "--people", *map(str, people)]
        run = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        table = "\n".join(line for line in run.stdout.splitlines() if "|" in line)  # PaddleDetection prints hints
        if "not installed" not in table:
            break
    return table


def machine() -> dict[str, Any]:
    """Describe the processor, with the numbers that name its generation, and the Python."""
    processor = {"model name": platform.processor() or platform.machine(), "cpu family": "?", "model": "?"}
    if Path("/proc/cpuinfo").is_file():
        first = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")[0]
        pairs = (line.partition(":")[::2] for line in first.splitlines())
        processor |= {name.strip(): value.strip() for name, value in pairs}
    return {
        "cpu": processor["model name"],
        "family": processor["cpu family"],
        "model": processor["model"],
        "caches": caches() or "?",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def caches() -> str:
    """Return the sizes of the first core's caches, such as "L1 48K, L2 2048K, L3 32768K"; empty if unknown."""
    sizes = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((cache / name).read_text("ascii").strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            sizes[f"L{level}"] = size
    return ", ".join(f"{level} {size}" for level, size in sizes.items())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH")
    parser.add_argument("--video", type=Path, help="default: a rendered scene, 768x576")
    parser.add_argument("--also", nargs="+", default=[], metavar="PYTHON", help="interpreters of other environments")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns: under 15 minutes on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every turn to this file")
    arguments = parser.parse_args()
    plan = Plan(turns=5, track_turns=3, turn_s=1.0) if arguments.quick else Plan(turns=7, track_turns=5, turn_s=3.0)
    pythons = [sys.executable, *arguments.also]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # the workers are killed at the end and cannot remove their own files
        video = arguments.video
        if video is None:
            scene = SceneConfig.preset("calm", seed=1, width=768, height=576, frames=100, frame_rate=10.0)
            video = write_scene(scene, folder, progress=False).video
        for size in arguments.sizes:
            rows += measure_size(size, arguments.weights, video, pythons, plan)
        association_table = association(pythons, PEOPLE if arguments.quick else (*PEOPLE, *MANY_PEOPLE))
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"{facts}, weights {Path(arguments.weights).name}\n\n{tables(rows)}")
    print(f"\nassociation, ms per frame:\n\n{association_table}")
    if arguments.json:
        record = {
            "benchmark": "speed",
            "machine": machine(),
            "weights": Path(arguments.weights).name,
            "rows": [asdict(row) for row in rows],
            "association": association_table,
        }
        arguments.json.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
