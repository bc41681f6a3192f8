"""Builds the network with dense heads, computed at every cell as in PaddleDetection, for ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from fairmot_dla34.architectures.dla34.structure import HEADS, features
from fairmot_dla34.architectures.graph_builder import GraphBuilder
from fairmot_dla34.config import InputSize

OUTPUTS = {"heatmap": HEADS.heatmap, "sizes": HEADS.size, "offsets": HEADS.offset, "embeddings": HEADS.embedding}


def build_dense_onnx(arrays: Mapping[str, NDArray[np.float32]], input_size: InputSize) -> onnx.ModelProto:
    """Build the network with dense heads.

    Args:
        arrays: Arrays by canonical name of a `fairmot_dla34.architectures.Checkpoint`.
        input_size: Size of the network input.

    Returns:
        ONNX model with the input ``image`` of `build_onnx` and the outputs ``heatmap``, ``sizes``, ``offsets`` and
        ``embeddings``, each ``(1, channels, height / 4, width / 4)``.
    """
    builder = GraphBuilder(arrays)
    below = features(builder, "image")
    outputs = {}
    for name, prefix in OUTPUTS.items():
        hidden = builder.relu(builder.conv_bias(below, f"{prefix}.0.conv"))
        builder.node("Identity", builder.conv_bias(hidden, f"{prefix}.2.conv"), name=name)
        channels = len(arrays[f"{prefix}.2.conv.bias"])
        outputs[name] = (np.float32, (1, channels, input_size.height // HEADS.stride, input_size.width // HEADS.stride))
    return builder.model({"image": (np.uint8, (1, input_size.height, input_size.width, 3))}, outputs, {})
