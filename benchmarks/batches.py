"""Compares ways of running several images at once: batches of 1, 2 and 4, and one image per core.

    python benchmarks/batches.py [--weights W] [--sizes WxH ...] [--precision bf16] [--turns 7]

The network is measured up to the heatmap, which is nearly all of its arithmetic. Times are per image, medians over
turns.
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
from fairmot_dla34.architectures.dla34.structure import HEADS, features
from fairmot_dla34.architectures.graph_builder import GraphBuilder
from fairmot_dla34.backends.openvino.graph import read_onnx
from fairmot_dla34.backends.openvino.telemetry import no_telemetry
from fairmot_dla34.weights import load_checkpoint, resolve_weights

BATCHES = (1, 2, 4)
HINTS = {"fp32": "f32", "bf16": "bf16"}


def heatmap_onnx(weights: str, size: InputSize, batch: int) -> bytes:
    """Build the network up to its heatmap, for a batch of images."""
    builder = GraphBuilder(load_checkpoint(resolve_weights(weights)).arrays)
    below = features(builder, "image")
    hidden = builder.relu(builder.conv_bias(below, f"{HEADS.heatmap}.0.conv"))
    builder.node("Identity", builder.conv_bias(hidden, f"{HEADS.heatmap}.2.conv"), name="heatmap")
    rows, columns = size.height // HEADS.stride, size.width // HEADS.stride
    inputs = {"image": (np.uint8, (batch, size.height, size.width, 3))}
    model = builder.model(inputs, {"heatmap": (np.float32, (batch, 1, rows, columns))}, {})
    return bytes(model.SerializeToString())


def compile_variants(weights: str, size: InputSize, precision: str) -> dict[str, Callable[[], float]]:
    """Compile every variant; return, by name, functions that run it once and return seconds per image."""
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
            start = time.perf_counter()
            for _ in range(max(BATCHES) // batch):
                request.infer({"image": images}, share_inputs=True)
            return (time.perf_counter() - start) / max(BATCHES)

        return run

    def one_image_per_core() -> Callable[[], float]:
        cores = os.cpu_count() or 1
        compiled = compile_for(1, NUM_STREAMS=str(cores), INFERENCE_NUM_THREADS=str(cores))
        queue = openvino.AsyncInferQueue(compiled, cores)
        image = rng.integers(0, 256, (1, size.height, size.width, 3), np.uint8)
        count = max(*BATCHES, 2 * cores)

        def run() -> float:
            start = time.perf_counter()
            for _ in range(count):
                queue.start_async({"image": image}, share_inputs=True)
            queue.wait_all()
            return (time.perf_counter() - start) / count

        return run

    return {**{f"batch of {batch}": batched(batch) for batch in BATCHES}, "one image per core": one_image_per_core()}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--sizes", nargs="+", default=["1088x608", "576x320"], metavar="WxH")
    parser.add_argument("--precision", choices=tuple(HINTS), default="fp32")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    print("| input | images at once | ms per image, median (min to max) | ratio to one |\n|---|---|---|---|")
    for size in arguments.sizes:
        variants = compile_variants(arguments.weights, InputSize.parse(size), arguments.precision)
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for turn in range(arguments.turns + 1):
            for name, run in variants.items():
                per_image = run()
                if turn:  # turn 0 is a warm-up
                    seconds[name].append(per_image)
        single = next(iter(seconds.values()))
        for name, values in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(values, single, strict=True))
            median, low, high = (1e3 * statistic(values) for statistic in (statistics.median, min, max))
            print(f"| {size} | {name} | {median:.1f} ({low:.1f} to {high:.1f}) | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
