"""Measures time and peak memory of `convert` for each pair of checkpoint formats (Linux).

    python benchmarks/convert.py [--weights sample] [--formats .npz .pth .pdparams .ckpt] [--rounds 5]

The weights are first written as float32 in each format. Then every pair is converted in a process of its own, all pairs
in turn, and that as often as there are rounds. Time and memory are those of the whole command, with the start of the
interpreter. CPU time is that of all threads, in the program and in the system; the rest of the wall time is waiting,
for the disk or for other programs. `python -m fairmot_dla34 --help` is measured too: what a command needs at least.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from process_usage import wait_for_usage

# This process imports and reads nothing large: Linux counts its memory as that of each process it starts.
COMMAND = [sys.executable, "-m", "fairmot_dla34"]
FORMATS = (".npz", ".pth", ".pdparams", ".ckpt")


class Cost(NamedTuple):
    """Cost of one process: wall time and CPU time in seconds, peak resident memory in MB."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def run_once(command: Sequence[str]) -> Cost:
    """Run a command to its end and return what it cost.

    Raises:
        RuntimeError: The command fails.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        usage = wait_for_usage(process)
        wall_s = time.perf_counter() - start
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def row(name: str, costs: Sequence[Cost]) -> str:
    """Return a row of the table: medians, and the range of the wall time."""
    wall, cpu, memory = (statistics.median(values) for values in zip(*costs, strict=True))
    low, high = min(cost.wall_s for cost in costs), max(cost.wall_s for cost in costs)
    return f"| {name} | {wall:.2f} ({low:.2f} to {high:.2f}) | {cpu:.2f} | {memory:.0f} |"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = {suffix: folder / f"from{suffix}" for suffix in arguments.formats}
        for file in files.values():
            run_once([*COMMAND, "convert", arguments.weights, str(file)])
        commands = {"nothing, `--help`": [*COMMAND, "--help"]}
        for one, other in itertools.permutations(files, 2):
            words = ["convert", str(files[one]), str(folder / f"to{other}"), "--overwrite"]
            commands[f"`{one}` -> `{other}`"] = [*COMMAND, *words]
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                costs[name].append(run_once(command))
        sizes = ", ".join(f"{suffix} {file.stat().st_size / 1e6:.1f} MB" for suffix, file in files.items())
    print(f"{arguments.weights}: {sizes}; {arguments.rounds} rounds")
    print("| direction | wall time, s, median (min to max) | CPU time, s | peak memory, MB |\n|---|---|---|---|")
    for name, found in costs.items():
        print(row(name, found))


if __name__ == "__main__":
    main()
