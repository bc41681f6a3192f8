"""Program of the checkpoint trials: reads files in a process of its own and prints one JSON line for each."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from trials import run_python

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures import Architecture, HeadSizes, register_architecture
from fairmot_dla34.architectures.base import Arrays, Shape, Shapes
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.weights import load_checkpoint


class Fixed(Architecture):
    """Arrays of fixed shapes and no graph, so that checkpoints of a few kB or of 200 MB can be read."""

    graph_version = 1

    def __init__(self, name: str, shapes: Shapes) -> None:
        self.name = self.title = name
        self._shapes = shapes

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        return self._shapes

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        return HeadSizes()

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> NoReturn:
        raise NotImplementedError


TINY: Shapes = {"a.weight": (2, 3, 3, 3), "a.bias": (2,), "n._variance": (2,), "b.weight": (40, 2, 1, 1), "n.x": (3, 1)}
WIDE: Shapes = {"wide.weight": (50_000_000,)}


def tiny_arrays() -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(7)
    return {name: generator.uniform(0.1, 1, shape).astype(np.float32) for name, shape in TINY.items()}


@dataclass(frozen=True)
class Outcome:
    """What a file gave.

    Attributes:
        error: Name of the error, or "" if the file was read.
        message: Message of the error; if the file was read, the digest of its arrays.
        seconds: Time it took.
        peak_mb: Largest memory of the process so far in MB, with interpreter and NumPy.
    """

    error: str
    message: str
    seconds: float
    peak_mb: float


def write_all(folder: Path, contents: Iterable[bytes], suffix: str) -> list[Path]:
    """Write files with numbers as names, in order, and return their paths."""
    paths = []
    for index, content in enumerate(contents):
        paths.append(folder / f"{index}{suffix}")
        paths[-1].write_bytes(content)
    return paths


def read_all(paths: list[Path], timeout_s: float = 60, memory_bytes: int | None = None) -> dict[str, Outcome]:
    """Read files one after the other in one process; raises as `run_python` does."""
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}  # of the module `trials`
    ended = run_python(__file__, *paths, timeout_s=timeout_s, memory_bytes=memory_bytes, env=path)
    assert ended.code == 0, ended.stderr[-1500:]
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    return {path.name: Outcome(**row) for path, row in zip(paths, rows, strict=True)}


def main(paths: list[str]) -> None:
    register_architecture(Fixed("tiny", TINY))
    register_architecture(Fixed("wide", WIDE))
    for path in paths:
        start = time.monotonic()
        try:
            error, message = "", arrays_digest(load_checkpoint(path).arrays)
        except FairMOTError as caught:
            error, message = type(caught).__name__, str(caught)
        print(json.dumps(vars(Outcome(error, message, time.monotonic() - start, peak_mb()))), flush=True)


def arrays_digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape}".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()


def peak_mb() -> float:
    """Return the largest memory of this process so far; `trials.Ended.peak_bytes` covers all files together."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
