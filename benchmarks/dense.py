"""Builds the network with dense heads, computed at every cell as in PaddleDetection, for ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.architectures.dla34.graph import add_backbone, add_neck
from fairmot_dla34.architectures.graph_builder import FLOAT, UINT8, GraphBuilder
from fairmot_dla34.architectures.heads import PEAK_HEADS
from fairmot_dla34.architectures.peaks import STRIDE

HEADS = {"heatmap": "detector.head.heatmap", **PEAK_HEADS}


def build_dense_onnx(arrays: Mapping[str, NDArray[np.float32]], input_size: InputSize) -> onnx.ModelProto:
    """Build the network with dense heads.

    Args:
        arrays: Checkpoint arrays by canonical name, as `fairmot_dla34.weights.load_arrays` returns them.
        input_size: Size of the network input.

    Returns:
        ONNX model with the input ``image`` of `build_onnx` and the outputs ``heatmap``, ``sizes``, ``offsets`` and
        ``embeddings``, each ``(1, channels, height / 4, width / 4)``.
    """
    builder = GraphBuilder(arrays)
    features = add_neck(builder, add_backbone(builder, "image"))
    outputs = {}
    for name, prefix in HEADS.items():
        hidden = builder.relu(builder.conv_bias(features, f"{prefix}.0.conv"))
        builder.node("Identity", builder.conv_bias(hidden, f"{prefix}.2.conv"), name=name)
        channels = len(arrays[f"{prefix}.2.conv.bias"])
        outputs[name] = (FLOAT, (1, channels, input_size.height // STRIDE, input_size.width // STRIDE))
    return builder.model({"image": (UINT8, (1, input_size.height, input_size.width, 3))}, outputs, {})
