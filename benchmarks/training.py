"""Measures the speed of training steps, beside PaddleDetection's, side by side in one run.

    python benchmarks/training.py [--input-size 576x320] [--batch-size 2] [--turns 5] [--threads 2] [--also PYTHON ...]

PyTorch (extra `train`) and PaddleDetection (extra `paddle`) may share an environment; if PaddleDetection has a separate
one, pass its Python with --also. Each contestant runs in its own process and trains on the same prepared dataset.
The contestants take turns, so that drift of the machine's speed affects all alike. Figures are medians over the turns
with their spread; ratios are taken turn by turn. Reading images is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from speed import Unavailable, Worker, machine, median_spread, ratios

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets.preparation.prepare import prepare
from fairmot_dla34.synth import SceneConfig, write_scene

WORKER = Path(__file__).with_name("training_worker.py")
REFERENCE = "PaddleDetection"
CONTESTANTS: dict[str, dict[str, Any]] = {
    REFERENCE: {"engine": "paddle", "precision": "fp32", "plain_neck": False},
    "deformable fp32": {"engine": "torch", "precision": "fp32", "plain_neck": False},
    "deformable bf16": {"engine": "torch", "precision": "bf16", "plain_neck": False},
    "plain neck fp32": {"engine": "torch", "precision": "fp32", "plain_neck": True},
    "plain neck bf16": {"engine": "torch", "precision": "bf16", "plain_neck": True},
}
TURN_S = 5.0  # target length of a turn; one step may take longer


@dataclass
class Row:
    """Figures of one contestant.

    Attributes:
        name: Name in the table.
        runs_on: Library and threads, as reported by the contestant.
        step_s: Seconds per step, one value per turn.
        peak_mb: Peak resident set of the process by batch size.
    """

    name: str
    runs_on: str = ""
    step_s: list[float] = field(default_factory=list)
    peak_mb: dict[int, float] = field(default_factory=dict)


def measure_steps(spec: dict[str, Any], pythons: Sequence[str], turns: int) -> list[Row]:
    """Measure every contestant; report on stderr those that cannot run."""
    rows: dict[str, Row] = {}
    workers: dict[str, Worker] = {}
    try:
        for name, contestant in CONTESTANTS.items():
            try:
                workers[name] = _start(pythons, {**spec, **contestant, "choose_threads": True})
            except Unavailable as reason:
                print(f"{name} is not measured: {reason}", file=sys.stderr)
                continue
            rows[name] = Row(name, workers[name].facts["runs on"])
        warm = {name: worker.ask(steps=1)["seconds"] for name, worker in workers.items()}
        for turn in range(turns):
            for name, worker in workers.items():
                answer = worker.ask(steps=max(1, round(TURN_S / warm[name])))
                rows[name].step_s.append(answer["seconds"])
                rows[name].peak_mb[spec["batch_size"]] = answer["peak_mb"]
            _report(f"turn {turn + 1} of {turns}")
    finally:
        for worker in workers.values():
            worker.close()
    return list(rows.values())


def measure_memory(rows: Sequence[Row], spec: dict[str, Any], pythons: Sequence[str], batch_size: int) -> None:
    """Add the peak memory of two steps at another batch size, one process after another."""
    for row in rows:
        try:
            worker = _start(
                pythons, {**spec, **CONTESTANTS[row.name], "batch_size": batch_size, "choose_threads": False}
            )
        except Unavailable as reason:
            _report(f"memory at batch {batch_size} is not measured: {row.name}: {reason}")
            continue
        try:
            answer = worker.ask(steps=2)
        finally:
            worker.close()
        if "peak_mb" in answer:
            row.peak_mb[batch_size] = answer["peak_mb"]
        _report(f"memory at batch {batch_size}: {row.name}: {answer}")


def _start(pythons: Sequence[str], spec: dict[str, Any]) -> Worker:
    reasons = []
    for python in pythons:
        try:
            return Worker(python, spec, WORKER)
        except Unavailable as error:
            reasons.append(error)
    raise reasons[0]


def _report(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def table(rows: Sequence[Row], batch_sizes: Sequence[int]) -> str:
    """Return the figures as Markdown."""
    reference = next((row.step_s for row in rows if row.name == REFERENCE), [])
    peaks = ", ".join(f"batch {size}" for size in batch_sizes)
    out = [
        f"| training | s per step | steps/s | times PaddleDetection | peak MB, {peaks} |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        memory = ", ".join(f"{row.peak_mb[size]:.0f}" if size in row.peak_mb else "–" for size in batch_sizes)
        out.append(
            f"| {row.name} | {median_spread(row.step_s, '{:.2f}'.format)} "
            f"| {median_spread([1 / seconds for seconds in row.step_s], '{:.3f}'.format)} "
            f"| {median_spread(ratios(reference, row.step_s), '{:.1f}'.format)} | {memory} |"
        )
    return "\n".join(out)


def prepare_scenes(folder: Path) -> Path:
    """Render three short scenes of walking people and prepare them; return the dataset."""
    for seed in range(3):
        scene = SceneConfig.preset("calm", seed=seed, width=768, height=576, frames=12, frame_rate=2.0)
        write_scene(scene, folder / "scenes", name=f"scene{seed}", progress=False)
    prepare("mot", folder / "scenes", folder / "dataset", progress=False)
    return folder / "dataset"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    parser.add_argument("--data", type=Path, help="dataset of fairmot_dla34 prepare; default: three rendered scenes")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--batch-size", type=int, default=2, metavar="N")
    parser.add_argument("--turns", type=int, default=5, metavar="N")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="CPU threads of each; default: %(default)s")
    parser.add_argument("--also", nargs="+", default=[], metavar="PYTHON", help="interpreters of other environments")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every turn to this file")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # of the workers
    pythons = [sys.executable, *arguments.also]
    batch_sizes = (arguments.batch_size, 2 * arguments.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # the workers are killed at the end and cannot remove their own files
        spec = {
            "data": str(arguments.data or prepare_scenes(Path(folder))),
            "size": str(arguments.input_size),
            "batch_size": arguments.batch_size,
            "threads": arguments.threads,
            "weights": arguments.weights,
        }
        rows = measure_steps(spec, pythons, arguments.turns)
        measure_memory(rows, spec, pythons, batch_sizes[1])
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"{facts}, weights {Path(arguments.weights).name}")
    print(f"input {arguments.input_size}, batch {arguments.batch_size}, {arguments.threads} threads")
    print("\n".join(f"{row.name}: {row.runs_on}" for row in rows))
    print(f"\n{table(rows, batch_sizes)}")
    if arguments.json:
        record = {"benchmark": "training", "machine": machine(), **spec, "rows": [asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
