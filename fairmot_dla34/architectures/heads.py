"""The heads: a dense heatmap, its peaks, and the other heads computed only there.

A head is a 3x3 convolution, a ReLU and a 1x1 convolution. Only the heatmap is needed everywhere; size, offset and
embedding are read at no more than 500 cells, so their 3x3 neighbourhoods are gathered and the convolutions become
matrix products: 40 of the network's 180 GFLOP at 1088x608 are saved, with equal results.
"""

from __future__ import annotations

import numpy as np

from ..config import InputSize
from .graph_builder import GraphBuilder
from .peaks import NOT_A_PEAK, STRIDE

MAX_PEAKS = 500  # max_per_img in fairmot_dla34.yml
PEAK_HEADS = {
    "sizes": "detector.head.size",
    "offsets": "detector.head.offset",
    "embeddings": "reid.reid",
}


def add_heads(b: GraphBuilder, features: str, input_size: InputSize, num_classes: int, peaks: int) -> None:
    """Append the heads; they write the graph's outputs.

    Args:
        b: The graph.
        features: The neck's map ``(1, 64, height / 4, width / 4)``.
        input_size: The network input.
        num_classes: Channels of the heatmap.
        peaks: K, the number of peaks to return.
    """
    rows, columns = input_size.height // STRIDE, input_size.width // STRIDE
    hidden = b.relu(b.conv_bias(features, "detector.head.heatmap.0.conv"))
    heatmap = b.conv_bias(hidden, "detector.head.heatmap.2.conv")  # (1, C, h, w) logits
    highest = b.node("MaxPool", heatmap, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    # A peak equals the highest of its 3x3 neighbourhood. Logits order as their sigmoids do, but in bf16 they keep
    # neighbours apart that a sigmoid near 0.5 would round together.
    is_peak = b.node("Equal", heatmap, highest)
    masked = b.node("Where", is_peak, heatmap, b.constant(np.array(NOT_A_PEAK, np.float32)))
    flat = b.node("Reshape", masked, b.ints(-1))  # (C * h * w,)
    top = b.node("TopK", flat, b.ints(peaks), outputs=2, axis=0, largest=1, sorted=1)
    b.node("Identity", top, name="logits")
    cells = b.node("Identity", f"{top}.1", name="cells")
    if num_classes > 1:
        cells = b.node("Mod", cells, b.ints(rows * columns))
    neighbourhoods = _neighbourhoods(b, features, cells, columns)
    for output, prefix in PEAK_HEADS.items():
        _add_peak_head(b, neighbourhoods, prefix, output)


def _neighbourhoods(b: GraphBuilder, features: str, cells: str, columns: int) -> str:
    """Gather ``(K, 9 * 64)``: the zero-padded 3x3 neighbourhood of each cell, taps in row-major order."""
    padded = b.node("Pad", features, b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.constant(np.array(0, np.float32)))
    by_cell = b.node("Reshape", b.node("Transpose", padded, perm=[0, 2, 3, 1]), b.ints(-1, 64))  # ((h+2)(w+2), 64)
    # Cell y * w + x lies at (y + 1) * (w + 2) + x + 1 in the padded map; its first tap at y * (w + 2) + x.
    row = b.node("Div", cells, b.ints(columns))
    first_tap = b.node("Add", cells, b.node("Mul", row, b.ints(2)))
    taps = [dy * (columns + 2) + dx for dy in range(3) for dx in range(3)]
    index = b.node("Add", b.node("Unsqueeze", first_tap, b.ints(1)), b.ints(*taps))  # (K, 9)
    return b.node("Reshape", b.node("Gather", by_cell, index, axis=0), b.ints(-1, 9 * 64))


def _add_peak_head(b: GraphBuilder, neighbourhoods: str, prefix: str, output: str) -> None:
    weight = b.arrays[f"{prefix}.0.conv.weight"]  # (256, 64, 3, 3)
    matrix = weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))  # (9 * 64, 256)
    hidden = b.node("MatMul", neighbourhoods, b.constant(matrix), name=f"{prefix}.0.conv")
    hidden = b.relu(b.node("Add", hidden, b.constant(b.arrays[f"{prefix}.0.conv.bias"])))  # (K, 256)
    last = b.arrays[f"{prefix}.2.conv.weight"][:, :, 0, 0].T  # (256, channels)
    product = b.node("MatMul", hidden, b.constant(last), name=f"{prefix}.2.conv")
    b.node("Add", product, b.constant(b.arrays[f"{prefix}.2.conv.bias"]), name=output)
