"""FairMOT DLA-34 as an ONNX graph, straight from a checkpoint's named arrays.

Structure: ``DLA``, ``CenterNetDLAFPN``, ``CenterNetHead`` and ``FairMOTEmbeddingHead`` of PaddleDetection 2.6
(papers: DLA, arXiv 1707.06484; FairMOT, arXiv 2004.01888). Two differences, with equal results: the picture's
channel order and scale are folded into the first convolution, and the size, offset and embedding heads are computed
only at the peaks (see `heads`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from ...config import InputSize
from ..graph_builder import FLOAT, INT64, UINT8, GraphBuilder
from ..heads import MAX_PEAKS, add_heads
from ..peaks import OUTPUTS, STRIDE

BACKBONE = "detector.backbone"
NECK = "detector.neck"


def build_onnx(arrays: Mapping[str, NDArray[np.float32]], input_size: InputSize) -> onnx.ModelProto:
    """Build the network.

    Args:
        arrays: A checkpoint as `fairmot_dla34.weights.load_arrays` returns it: names and shapes are checked there.
        input_size: The network input.

    Returns:
        An ONNX model (opset 19). Input ``image``: ``(1, height, width, 3)`` uint8 BGR, letterboxed. Outputs, for the
        K best peaks of the heatmap, best first: ``logits (K,)``; ``cells (K,)`` int64, indices into the flattened
        ``(classes, height / 4, width / 4)`` heatmap; ``sizes (K, 4)``, distances left, top, right, bottom of the
        centre in cells; ``offsets (K, 2)``, x and y of the centre within its cell; ``embeddings (K, 128)``, not yet
        normalised. `network.peaks.decode` turns them into boxes.
    """
    builder = GraphBuilder(arrays)
    features = add_neck(builder, add_backbone(builder, "image"))
    num_classes = len(arrays["detector.head.heatmap.2.conv.bias"])
    peaks = min(MAX_PEAKS, num_classes * (input_size.height // STRIDE) * (input_size.width // STRIDE))
    add_heads(builder, features, input_size, num_classes, peaks)
    embedding_size = len(arrays["reid.reid.2.conv.bias"])
    specs = (
        (FLOAT, (peaks,)),
        (INT64, (peaks,)),
        (FLOAT, (peaks, 4)),
        (FLOAT, (peaks, 2)),
        (FLOAT, (peaks, embedding_size)),
    )
    return builder.model(
        inputs={"image": (UINT8, (1, input_size.height, input_size.width, 3))},
        outputs=dict(zip(OUTPUTS, specs, strict=True)),
        metadata={"stride": str(STRIDE), "classes": str(num_classes), "input": "uint8 BGR, letterboxed on grey 128"},
    )


def add_backbone(b: GraphBuilder, image: str) -> list[str]:
    """DLA-34: return its feature maps at strides 4, 8, 16 and 32 (64, 128, 256, 512 channels)."""
    weight, bias = b.folded(f"{BACKBONE}.base_layer.0.conv", f"{BACKBONE}.base_layer.0.norm")
    weight = np.ascontiguousarray(weight[:, ::-1] / np.float32(255))  # BGR 0..255 in, RGB 0..1 expected
    x = b.node("Transpose", b.node("Cast", image, to=FLOAT), perm=[0, 3, 1, 2])  # (1, 3, H, W)
    x = b.relu(b.conv(x, weight, bias, name=f"{BACKBONE}.base_layer.0"))  # (1, 16, H, W)
    x = b.relu(b.conv_norm(x, f"{BACKBONE}.level0.0"))
    x = b.relu(b.conv_norm(x, f"{BACKBONE}.level1.0", stride=2))  # (1, 32, H/2, W/2)
    level2 = _tree(b, x, f"{BACKBONE}.level2", depth=1, stride=2, level_root=False)  # (1, 64, H/4, W/4)
    level3 = _tree(b, level2, f"{BACKBONE}.level3", depth=2, stride=2, level_root=True)  # (1, 128, H/8, W/8)
    level4 = _tree(b, level3, f"{BACKBONE}.level4", depth=2, stride=2, level_root=True)  # (1, 256, H/16, W/16)
    level5 = _tree(b, level4, f"{BACKBONE}.level5", depth=1, stride=2, level_root=True)  # (1, 512, H/32, W/32)
    return [level2, level3, level4, level5]


def _tree(
    b: GraphBuilder,
    x: str,
    prefix: str,
    *,
    depth: int,
    stride: int,
    level_root: bool,
    children: tuple[str, ...] = (),
) -> str:
    """Hierarchical deep aggregation (arXiv 1707.06484, figure 3): two subtrees and a 1x1 root over all children."""
    bottom = b.node("MaxPool", x, kernel_shape=[stride] * 2, strides=[stride] * 2) if stride > 1 else x
    if level_root:
        children = (*children, bottom)
    if depth > 1:
        x1 = _tree(b, x, f"{prefix}.tree1", depth=depth - 1, stride=stride, level_root=False)
        return _tree(b, x1, f"{prefix}.tree2", depth=depth - 1, stride=1, level_root=False, children=(*children, x1))
    projected = f"{prefix}.project.conv.weight" in b.arrays
    residual = b.conv_norm(bottom, f"{prefix}.project") if projected else bottom
    x1 = _basic_block(b, x, residual, f"{prefix}.tree1", stride)
    x2 = _basic_block(b, x1, x1, f"{prefix}.tree2", 1)
    joined = b.node("Concat", x2, x1, *children, axis=1)
    return b.relu(b.conv_norm(joined, f"{prefix}.root.conv"))


def _basic_block(b: GraphBuilder, x: str, residual: str, prefix: str, stride: int) -> str:
    x = b.relu(b.conv_norm(x, f"{prefix}.conv1", stride))
    return b.relu(b.node("Add", b.conv_norm(x, f"{prefix}.conv2"), residual))


def add_neck(b: GraphBuilder, levels: list[str]) -> str:
    """CenterNetDLAFPN: merge the four levels into one map at stride 4 with 64 channels.

    First `DLAUp` merges the two deepest levels, then the three deepest, then all four; then one more `IDAUp` merges
    the results at strides 4, 8 and 16.
    """
    merged: list[str] = []
    for i in range(3):
        start = len(levels) - 2 - i
        levels = levels[:start] + _iterative_merge(b, levels[start:], f"{NECK}.dla_up.ida_{i}", strides=(2, 2, 2))
        merged.insert(0, levels[-1])
    return _iterative_merge(b, merged, f"{NECK}.ida_up", strides=(2, 4))[-1]


def _iterative_merge(b: GraphBuilder, levels: list[str], prefix: str, strides: tuple[int, ...]) -> list[str]:
    """IDAUp: bring each level to the size of the one before and add that one, from shallow to deep."""
    out = levels[:1]
    for i, level in enumerate(levels[1:], start=1):
        projected = b.deform_conv_norm_relu(level, f"{prefix}.proj_{i}.0")
        upsampled = b.upsample(projected, f"{prefix}.up_{i}", strides[i - 1])
        out.append(b.deform_conv_norm_relu(b.node("Add", upsampled, out[-1]), f"{prefix}.node_{i}.0"))
    return out
