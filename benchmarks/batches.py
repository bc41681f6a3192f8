"""Does the network gain from several pictures at once? Batches of 1, 2 and 4, and a picture on each core, side by side.

    python benchmarks/batches.py [--weights W] [--sizes WxH ...] [--precision bf16] [--turns 7]

Measured is everything up to the heatmap, nearly all of the arithmetic. Seconds are a picture's, medians over turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fairmot_dla34 import InputSize
from fairmot_dla34.backends.openvino.graph import read_onnx
from fairmot_dla34.architectures.dla34.graph import add_backbone, add_neck
from fairmot_dla34.architectures.graph_builder import FLOAT, UINT8, GraphBuilder
from fairmot_dla34.architectures.peaks import STRIDE
from fairmot_dla34.backends.openvino.telemetry import no_telemetry
from fairmot_dla34.weights import load_arrays, resolve_weights

BATCHES = (1, 2, 4)
HINTS = {"fp32": "f32", "bf16": "bf16"}


def heatmap_onnx(weights: str, size: InputSize, batch: int) -> bytes:
    """Build the network up to its heatmap, for several pictures."""
    builder = GraphBuilder(load_arrays(resolve_weights(weights)))
    features = add_neck(builder, add_backbone(builder, "image"))
    hidden = builder.relu(builder.conv_bias(features, "detector.head.heatmap.0.conv"))
    builder.node("Identity", builder.conv_bias(hidden, "detector.head.heatmap.2.conv"), name="heatmap")
    rows, columns = size.height // STRIDE, size.width // STRIDE
    inputs = {"image": (UINT8, (batch, size.height, size.width, 3))}
    model = builder.model(inputs, {"heatmap": (FLOAT, (batch, 1, rows, columns))}, {})
    return bytes(model.SerializeToString())


def contestants(weights: str, size: InputSize, precision: str) -> dict[str, Callable[[], float]]:
    """Compile each; a run gives seconds a picture."""
    with no_telemetry():
        import openvino
    rng = np.random.default_rng(0)

    def compile_for(batch: int, **options: str) -> Any:
        core = openvino.Core()
        model = read_onnx(core, heatmap_onnx(weights, size, batch), for_bf16=precision == "bf16")
        return core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": HINTS[precision], **options})

    def batched(batch: int) -> Callable[[], float]:
        request = compile_for(batch, PERFORMANCE_HINT="LATENCY").create_infer_request()
        images = rng.integers(0, 256, (batch, size.height, size.width, 3), np.uint8)

        def run() -> float:
            begin = time.perf_counter()
            for _ in range(max(BATCHES) // batch):
                request.infer({"image": images}, share_inputs=True)
            return (time.perf_counter() - begin) / max(BATCHES)

        return run

    def a_core_each() -> Callable[[], float]:
        cores = os.cpu_count() or 1
        compiled = compile_for(1, NUM_STREAMS=str(cores), INFERENCE_NUM_THREADS=str(cores))
        queue = openvino.AsyncInferQueue(compiled, cores)
        image = rng.integers(0, 256, (1, size.height, size.width, 3), np.uint8)
        pictures = max(*BATCHES, 2 * cores)

        def run() -> float:
            begin = time.perf_counter()
            for _ in range(pictures):
                queue.start_async({"image": image}, share_inputs=True)
            queue.wait_all()
            return (time.perf_counter() - begin) / pictures

        return run

    return {**{f"batch of {batch}": batched(batch) for batch in BATCHES}, "a picture on each core": a_core_each()}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--sizes", nargs="+", default=["1088x608", "576x320"], metavar="WxH")
    parser.add_argument("--precision", choices=tuple(HINTS), default="fp32")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    print("| input | pictures at once | ms a picture, median (min to max) | against one |\n|---|---|---|---|")
    for size in arguments.sizes:
        runs = contestants(arguments.weights, InputSize.parse(size), arguments.precision)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(arguments.turns + 1):
            for name, run in runs.items():
                found = run()
                if turn:  # the first warms up
                    seconds[name].append(found)
        alone = next(iter(seconds.values()))
        for name, values in seconds.items():
            against = statistics.median(a / b for a, b in zip(values, alone, strict=True))
            middle, low, high = (1e3 * of(values) for of in (statistics.median, min, max))
            print(f"| {size} | {name} | {middle:.1f} ({low:.1f} to {high:.1f}) | {against:.2f} |", flush=True)


if __name__ == "__main__":
    main()
