"""Compares the registered architectures side by side in one run: size, arithmetic, and speed alone and in `track`.

    python benchmarks/architectures.py [--only NAMES] [--int8 NAMES] [--weights NAME=FILE ...] [--turns N] [--json FILE]

Speed depends on the structure of a network, not on its numbers: architectures without --weights get random weights,
and `dla34, plain neck` is `sample`, the reference. The rest of `track` (decoding, association, drawing, encoding) costs
more the more people are found. To give each architecture the same work, each network runs in full and its peaks are
replaced by those that `sample` finds in that frame. All take turns; figures are medians over the turns, ratios are
taken turn by turn. Limit the run to two cores with `taskset`, and quantise with the extra `quantize` installed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import openvino
from arithmetic import flops
from excerpts import copy_excerpt, decode_letterboxed
from numpy.typing import NDArray
from speed import machine

from fairmot_dla34 import Module, TrackerConfig
from fairmot_dla34.architectures import Architecture, HeadSizes, architecture_names, find_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.backends import Backend, BackendOptions, create_backend
from fairmot_dla34.backends.base import BackendInfo
from fairmot_dla34.backends.openvino.graph import build_model
from fairmot_dla34.config import InputSize
from fairmot_dla34.quantization import quantize
from fairmot_dla34.synth import SceneConfig, write_scene
from fairmot_dla34.values import Peaks
from fairmot_dla34.weights import load_checkpoint, resolve_network, resolve_weights

REFERENCE = "dla34, plain neck"
SIZE = InputSize(576, 320)
LARGE = "1088x608"
FRAMES = 100  # of the video; slow networks run on its first part
CALIBRATION_FRAMES = 20
TURN_S = 2.0  # target length of a turn


@dataclass
class Row:
    """Figures of one architecture in one precision; lists have one value per turn.

    Attributes:
        name: Name in the table.
        precision: ``bf16``, ``fp32`` or ``int8``.
        network_s: Seconds per image, the network alone.
        track_s: Seconds per frame, from a video to a MOT file and a drawn video.
    """

    name: str
    precision: str
    network_s: list[float] = field(default_factory=list)
    track_s: list[float] = field(default_factory=list)


class ReplayingBackend(Backend):
    """Runs a network and returns the given peaks of that frame, in the order of the video.

    Args:
        backend: The network to run.
        peaks: Peaks of each frame; used from the start again after the last one.
    """

    def __init__(self, backend: Backend, peaks: Sequence[Peaks]) -> None:
        super().__init__(BackendInfo("replay", "1", "CPU", backend.info.precision), backend.input_size)
        self._backend, self._peaks, self._count = backend, peaks, 0

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self._backend.infer(image)
        self._count += 1
        return self._peaks[(self._count - 1) % len(self._peaks)]

    def _release(self) -> None:
        """Leave the network open for the next turn."""


def random_arrays(architecture: Architecture) -> Arrays:
    """Return weights that keep the values of every layer in a sound range."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in architecture.array_shapes(HeadSizes(1, architecture.embedding_size)).items():
        if name.endswith("norm.weight"):
            values = np.full(shape, 0.7)  # sums of residual blocks double a variance
        elif name.endswith("_variance"):
            values = np.ones(shape)
        elif len(shape) == 1:
            values = rng.uniform(-0.1, 0.1, shape)
        else:
            values = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        arrays[name] = values.astype(np.float32)
    return arrays


def facts(weights: str) -> dict[str, float]:
    """Return parameters in millions, GFLOP at both sizes, and the size of the fp16 file in MB."""
    arrays = load_checkpoint(resolve_weights(weights)).arrays
    file = io.BytesIO()
    halves = {name: np.clip(array, -65504, 65504).astype(np.float16) for name, array in arrays.items()}
    np.savez(file, **halves)  # type: ignore[arg-type]  # no array is named allow_pickle
    trained = [array.size for name, array in arrays.items() if not name.endswith(("._mean", "._variance"))]
    core = openvino.Core()
    work = [flops(build_model(core, resolve_network(weights, size))) / 1e9 for size in (str(SIZE), LARGE)]
    return {
        "parameters": sum(trained) / 1e6,
        f"GFLOP at {SIZE}": work[0],
        f"GFLOP at {LARGE}": work[1],
        "MB in fp16": len(file.getvalue()) / 1e6,
    }


def measure(backends: dict[tuple[str, str], Backend], video: Path, folder: Path, turns: int) -> list[Row]:
    """Measure all networks in turn; the first turn is not counted."""
    images = decode_letterboxed(video, FRAMES, SIZE)
    with create_backend("openvino", resolve_network("sample", SIZE), BackendOptions("fp32")) as sample:
        peaks = [sample.infer(image) for image in images]
    rows = {key: Row(*key) for key in backends}
    clips: dict[tuple[str, str], tuple[int, Path]] = {}
    for key, backend in backends.items():
        seconds = min(_seconds(backend, images[:1]) for _ in range(3))
        frames = min(FRAMES, max(10, round(TURN_S / seconds)))
        clips[key] = frames, copy_excerpt(video, frames, folder / f"clip_{frames}{video.suffix}")
    tracker = TrackerConfig()
    for turn in range(turns + 1):
        for key, backend in backends.items():
            frames, clip = clips[key]
            network_s = _seconds(backend, images[:frames])
            module = Module.from_backend(ReplayingBackend(backend, peaks), tracker=tracker)
            start = time.perf_counter()
            module.tracking(str(clip), str(folder / "out"), visualization=True, progress=False)
            if turn:
                rows[key].network_s.append(network_s)
                rows[key].track_s.append((time.perf_counter() - start) / frames)
    return list(rows.values())


def _seconds(backend: Backend, images: Sequence[NDArray[np.uint8]]) -> float:
    start = time.perf_counter()
    for image in images:
        backend.infer(image)
    return (time.perf_counter() - start) / len(images)


def tables(sizes: dict[str, dict[str, float]], rows: Sequence[Row]) -> str:
    """Return the figures as Markdown."""
    columns = list(next(iter(sizes.values())))
    out = ["| architecture | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    out += [f"| {name} | " + " | ".join(f"{values[c]:.1f}" for c in columns) + " |" for name, values in sizes.items()]
    out += [
        "",
        "| architecture | precision | network, ms | times the reference | `track`, frames/s | times the reference |",
        "|---|---|---|---|---|---|",
    ]
    references = {row.precision: row for row in rows if row.name == REFERENCE}
    for row in rows:
        reference = references.get(row.precision)
        cells = [f"{statistics.median(row.network_s) * 1e3:.1f}", "–", f"{1 / statistics.median(row.track_s):.1f}", "–"]
        if reference:
            cells[1] = _ratio(reference.network_s, row.network_s)
            cells[3] = _ratio(reference.track_s, row.track_s)
        out.append(f"| {row.name} | {row.precision} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def _ratio(slow: Sequence[float], fast: Sequence[float]) -> str:
    values = [a / b for a, b in zip(slow, fast, strict=True)]
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def write_weights(names: Sequence[str], given: dict[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name in the table and the weights of each architecture, after writing random ones."""
    if "dla34" in names:
        yield REFERENCE, "sample"
    for name in names:
        path = folder / f"{name}.npz"
        if name not in given:
            np.savez(path, **random_arrays(find_architecture(name)))  # type: ignore[arg-type]  # as above
        yield name, given.get(name, str(path))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=architecture_names(), choices=architecture_names(), metavar="NAME")
    parser.add_argument("--int8", nargs="*", default=("dla34", "light"), metavar="NAME", help="default: dla34 light")
    parser.add_argument("--precisions", nargs="+", default=["bf16"], help="besides int8; default: bf16")
    parser.add_argument("--weights", nargs="+", default=[], metavar="NAME=FILE", help="trained weights to use")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every turn to this file")
    arguments = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in arguments.weights)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["FAIRMOT_DLA34_HOME"] = str(folder / "cache")  # the user's int8 networks stay as they are
        config = SceneConfig.preset("calm", seed=1, width=768, height=576, frames=FRAMES, frame_rate=10.0)
        video = Path(write_scene(config, folder, progress=False).video)
        calibration = copy_excerpt(video, CALIBRATION_FRAMES, folder / f"calibration{video.suffix}")
        weights = dict(write_weights(arguments.only, given, folder))
        backends: dict[tuple[str, str], Backend] = {}
        for row, file in weights.items():
            for precision in (*arguments.precisions, "int8"):
                if precision == "int8":
                    if row.partition(",")[0] not in arguments.int8 or (row == "dla34" and REFERENCE in weights):
                        continue  # with deformable layers, int8 is for the plain neck alone
                    quantize(file, calibration=calibration, input_size=SIZE, progress=False)
                options = BackendOptions(precision, keep_compiled=False)
                backends[row, precision] = create_backend("openvino", resolve_network(file, SIZE), options)
        sizes = {row: facts(file) for row, file in weights.items()}
        rows = measure(backends, video, folder, arguments.turns)
    print(f"{', '.join(f'{name} {value}' for name, value in machine().items())}\n\n{tables(sizes, rows)}")
    if arguments.json:
        record = {"machine": machine(), "sizes": sizes, "rows": [asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
