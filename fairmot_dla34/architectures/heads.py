"""The four heads of FairMOT as an ONNX graph: a dense heatmap, and the other heads at its peaks only.

A head is a 3x3 convolution, a ReLU or another activation, and a 1x1 convolution (``CenterNetHead`` and
``FairMOTEmbeddingHead`` of PaddleDetection). Only the heatmap is needed everywhere. Size, offset and embedding are read
at no more than 500 cells: their 3x3 neighbourhoods are gathered, and the convolutions become matrix products. This
saves 40 of DLA-34's 180 GFLOP at 1088x608, with equal results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..config import InputSize
from .base import Arrays, HeadSizes, Shape, Shapes
from .layers import Activation
from .peaks import NOT_A_PEAK, OUTPUTS

if TYPE_CHECKING:
    import onnx

    from .graph_builder import GraphBuilder

MAX_PEAKS = 500  # max_per_img in fairmot_dla34.yml
SIZE_CHANNELS, OFFSET_CHANNELS = 4, 2  # ltrb distances; x and y within a cell
WIDTH_AND_HEIGHT = 2  # channels of a size head without ltrb distances


@dataclass(frozen=True)
class Heads:
    """Names and shapes of the heads of a network.

    Attributes:
        heatmap: Prefix of the heatmap's arrays.
        size: Prefix of the arrays of the distances to the box's sides.
        offset: Prefix of the arrays of the centre's offset.
        embedding: Prefix of the embedding's arrays.
        in_channels: Channels of the feature map below the heads.
        hidden_channels: Channels between the two convolutions.
        stride: Network px per cell of the feature map.
        activation: Activation between the two convolutions.
    """

    heatmap: str
    size: str
    offset: str
    embedding: str
    in_channels: int
    hidden_channels: int
    stride: int
    activation: Activation = "relu"

    def channels(self, sizes: HeadSizes) -> dict[str, int]:
        """Return the output channels of each head, by the prefix of its arrays."""
        return {
            self.heatmap: sizes.num_classes,
            self.size: sizes.size_channels,
            self.offset: OFFSET_CHANNELS,
            self.embedding: sizes.embedding_size,
        }

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the heads' arrays."""
        shapes: Shapes = {}
        for prefix, channels in self.channels(sizes).items():
            shapes |= {
                f"{prefix}.0.conv.weight": (self.hidden_channels, self.in_channels, 3, 3),
                f"{prefix}.0.conv.bias": (self.hidden_channels,),
                f"{prefix}.2.conv.weight": (channels, self.hidden_channels, 1, 1),
                f"{prefix}.2.conv.bias": (channels,),
            }
        return shapes

    def sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from a checkpoint's shapes; a default for each that cannot be read."""
        found = {}
        for field, prefix in (("num_classes", self.heatmap), ("embedding_size", self.embedding)):
            shape = shapes.get(f"{prefix}.2.conv.weight", ())
            if len(shape) == 4 and shape[0] >= 1:
                found[field] = shape[0]
        if shapes.get(f"{self.size}.2.conv.weight", ())[:1] == (WIDTH_AND_HEIGHT,):
            found["size_channels"] = WIDTH_AND_HEIGHT
        return HeadSizes(**found)

    def with_ltrb_sizes(self, arrays: Arrays) -> Arrays:
        """Return arrays whose size head gives ltrb distances: half the width and half the height, each twice."""
        last = f"{self.size}.2.conv"
        if len(arrays[f"{last}.bias"]) == SIZE_CHANNELS:
            return arrays
        halves = {f"{last}.{part}": arrays[f"{last}.{part}"] * np.float32(0.5) for part in ("weight", "bias")}
        return {**arrays, **{name: np.concatenate([half, half]) for name, half in halves.items()}}


def peaks_onnx(
    b: GraphBuilder, features: str, heads: Heads, input_size: InputSize, sizes: HeadSizes
) -> onnx.ModelProto:
    """Append the heads and close the graph.

    Args:
        b: Builder with the graph up to the feature map; nothing can be added to it afterwards.
        features: The feature map, ``(1, in_channels, height / stride, width / stride)``.
        heads: Names and shapes of the heads.
        input_size: Network input in px.
        sizes: Classes and embedding size.

    Returns:
        The model. Input ``image``: ``(1, height, width, 3)`` uint8 BGR, letterboxed. Outputs: those of
        `fairmot_dla34.architectures.peaks.RawPeaks` for the K best peaks of the heatmap, K at most 500.
    """
    cells = (input_size.height // heads.stride) * (input_size.width // heads.stride)
    peaks = min(MAX_PEAKS, sizes.num_classes * cells)
    _add_heads(b, features, heads, columns=input_size.width // heads.stride, cells=cells, peaks=peaks)
    shapes = ((peaks,), (peaks,), (peaks, SIZE_CHANNELS), (peaks, OFFSET_CHANNELS), (peaks, sizes.embedding_size))
    types = (np.float32, np.int64, np.float32, np.float32, np.float32)
    return b.model(
        inputs={"image": (np.uint8, (1, input_size.height, input_size.width, 3))},
        outputs=dict(zip(OUTPUTS, zip(types, shapes, strict=True), strict=True)),
        metadata={
            "stride": str(heads.stride),
            "classes": str(sizes.num_classes),
            "input": "uint8 BGR, letterboxed on grey 128",
        },
    )


def maps_onnx(b: GraphBuilder, features: str, heads: Heads, input_size: InputSize, sizes: HeadSizes) -> onnx.ModelProto:
    """Append the heatmap and close the graph; arguments and input are those of `peaks_onnx`.

    Returns:
        The model. Outputs: ``features``, the feature map, and ``heatmap``, ``(1, classes, height / stride, width /
        stride)`` logits.
    """
    b.node("Identity", features, name="features")
    b.node("Identity", _heatmap(b, features, heads), name="heatmap")
    cells = (input_size.height // heads.stride, input_size.width // heads.stride)
    return b.model(
        inputs={"image": (np.uint8, (1, input_size.height, input_size.width, 3))},
        outputs={
            "features": (np.float32, (1, heads.in_channels, *cells)),
            "heatmap": (np.float32, (1, sizes.num_classes, *cells)),
        },
        metadata={},
    )


def _heatmap(b: GraphBuilder, features: str, heads: Heads) -> str:
    """Append the heatmap, ``(1, classes, h, w)`` logits."""
    hidden = b.activate(b.conv_bias(features, f"{heads.heatmap}.0.conv"), heads.activation)
    return b.conv_bias(hidden, f"{heads.heatmap}.2.conv")


def _add_heads(b: GraphBuilder, features: str, heads: Heads, *, columns: int, cells: int, peaks: int) -> None:
    heatmap = _heatmap(b, features, heads)
    highest = b.node("MaxPool", heatmap, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    # A peak equals the highest of its 3x3 neighbourhood. Logits order as their sigmoids do, but in bf16 they keep
    # neighbours apart that a sigmoid near 0.5 would round together.
    is_peak = b.node("Equal", heatmap, highest)
    masked = b.node("Where", is_peak, heatmap, b.constant(np.array(NOT_A_PEAK, np.float32)))
    flat = b.node("Reshape", masked, b.ints(-1))  # (classes * h * w,)
    top = b.node("TopK", flat, b.ints(peaks), outputs=2, axis=0, largest=1, sorted=1)
    b.node("Identity", top, name="logits")
    index = b.node("Identity", f"{top}.1", name="cells")
    if len(b.arrays[f"{heads.heatmap}.2.conv.bias"]) > 1:
        index = b.node("Mod", index, b.ints(cells))
    neighbourhoods = _neighbourhoods(b, features, index, columns, heads.in_channels)
    for output, prefix in (("sizes", heads.size), ("offsets", heads.offset), ("embeddings", heads.embedding)):
        _add_peak_head(b, heads, neighbourhoods, prefix, output)


def _neighbourhoods(b: GraphBuilder, features: str, cells: str, columns: int, channels: int) -> str:
    """Gather ``(K, 9 * channels)``: the zero-padded 3x3 neighbourhood of each cell, taps in row-major order."""
    padded = b.node("Pad", features, b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.constant(np.array(0, np.float32)))
    by_cell = b.node("Reshape", b.node("Transpose", padded, perm=[0, 2, 3, 1]), b.ints(-1, channels))
    # Cell y * w + x lies at (y + 1) * (w + 2) + x + 1 in the padded map; its first tap at y * (w + 2) + x.
    row = b.node("Div", cells, b.ints(columns))
    first_tap = b.node("Add", cells, b.node("Mul", row, b.ints(2)))
    taps = [dy * (columns + 2) + dx for dy in range(3) for dx in range(3)]
    index = b.node("Add", b.node("Unsqueeze", first_tap, b.ints(1)), b.ints(*taps))  # (K, 9)
    return b.node("Reshape", b.node("Gather", by_cell, index, axis=0), b.ints(-1, 9 * channels))


def _add_peak_head(b: GraphBuilder, heads: Heads, neighbourhoods: str, prefix: str, output: str) -> None:
    arrays = heads.with_ltrb_sizes(b.arrays)
    weight = arrays[f"{prefix}.0.conv.weight"]  # (hidden, C, 3, 3)
    matrix = weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))  # (9 * C, hidden)
    hidden = b.node("MatMul", neighbourhoods, b.constant(matrix), name=f"{prefix}.0.conv")
    hidden = b.node("Add", hidden, b.constant(arrays[f"{prefix}.0.conv.bias"]))
    hidden = b.activate(hidden, heads.activation)  # (K, hidden)
    last = arrays[f"{prefix}.2.conv.weight"][:, :, 0, 0].T  # (hidden, channels)
    product = b.node("MatMul", hidden, b.constant(last), name=f"{prefix}.2.conv")
    b.node("Add", product, b.constant(arrays[f"{prefix}.2.conv.bias"]), name=output)
