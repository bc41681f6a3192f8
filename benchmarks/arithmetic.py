"""Estimates the speed limit of the network: its arithmetic, and this machine's rate of plain convolutions."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openvino

SHAPES = ((64, 152, 272), (128, 76, 136), (256, 38, 68))  # (channels, rows, columns) of the most costly layers
LAYERS = 6
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


def flops(model: openvino.Model) -> float:
    """Count the additions and multiplications of a network's convolutions and matrix products.

    Args:
        model: Network with static shapes; `GroupConvolution` must have one channel per group, as in this network.
    """
    return sum(_node_flops(node) for node in model.get_ordered_ops())


def _node_flops(node: Any) -> float:
    kind = node.get_type_name()
    if kind in {"Convolution", "DeformableConvolution", "GroupConvolution"}:
        weight = node.input(2 if kind == "DeformableConvolution" else 1).get_shape()
        per_cell = math.prod(weight[1:] if kind != "GroupConvolution" else weight[2:])
        return float(2 * per_cell * math.prod(node.output(0).get_shape()))
    if kind == "GroupConvolutionBackpropData":
        return float(2 * math.prod(node.input(1).get_shape()[2:]) * math.prod(node.input(0).get_shape()))
    if kind == "MatMul":
        return float(2 * node.input(0).get_shape()[-1] * math.prod(node.output(0).get_shape()))
    return 0.0


class ConvolutionRate:
    """Measures chains of 3x3 convolutions with a ReLU in OpenVINO.

    Args:
        precision: Precision of the convolutions: ``fp32``, ``bf16`` or ``int8``.
    """

    def __init__(self, precision: str) -> None:
        import openvino

        core = openvino.Core()
        options = {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
        self._requests = [
            core.compile_model(_chain(shape, quantised=precision == "int8"), "CPU", options).create_infer_request()
            for shape in SHAPES
        ]

    def measure(self, repeats: int = 3) -> float:
        """Return the highest rate over the shapes, in FLOP/s; each shape counts with its median."""
        return max(self._rate(index, repeats) for index in range(len(SHAPES)))

    def _rate(self, index: int, repeats: int) -> float:
        request, (channels, rows, columns) = self._requests[index], SHAPES[index]
        request.infer()
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            request.infer()
            seconds.append(time.perf_counter() - start)
        return LAYERS * 2 * 9 * channels**2 * rows * columns / statistics.median(seconds)


def _chain(shape: tuple[int, int, int], *, quantised: bool) -> openvino.Model:
    import openvino
    from openvino import opset8 as op

    rng = np.random.default_rng(0)
    channels = shape[0]
    image = op.parameter([1, *shape], np.float32)
    x = image
    for _ in range(LAYERS):
        weight = op.constant(rng.normal(0, (2 / channels / 9) ** 0.5, (channels, channels, 3, 3)).astype(np.float32))
        if quantised:
            x = _quantise(x, 0.0, 4.0, levels=256)
            weight = _quantise(weight, -0.2, 0.2, levels=255)
        x = op.relu(op.convolution(x, weight, [1, 1], [1, 1], [1, 1], [1, 1]))
    return openvino.Model([op.reduce_max(x, op.constant([2, 3]), keep_dims=True)], [image], "chain")


def _quantise(x: Any, low: float, high: float, *, levels: int) -> Any:
    from openvino import opset8 as op

    edges = [op.constant(np.float32(edge)) for edge in (low, high)]
    return op.fake_quantize(x, *edges, *edges, levels)
