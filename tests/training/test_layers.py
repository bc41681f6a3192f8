"""Layers of networks: each computes the same on PyTorch tensors and in the ONNX graph."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from fairmot_dla34.architectures.graph_builder import GraphBuilder
from fairmot_dla34.architectures.layers import Layers, ShapeRecorder
from fairmot_dla34.backends.openvino.runtime import start_runtime
from fairmot_dla34.training.network.layers import TensorLayers
from fairmot_dla34.training.network.norms import frozen_norm

pytestmark = pytest.mark.train

T = TypeVar("T")
EPSILON = 1e-3


def plain_start(layers: Layers[T], image: T) -> T:
    return layers.image_conv_norm(image, "stem", 8, 3, 2)


def focus_start(layers: Layers[T], image: T) -> T:
    return layers.image_focus_conv_norm(image, "stem", 8, 3)


def every_layer(layers: Layers[T], x: T) -> T:
    x = layers.activate(x, "hard_swish")
    x = layers.activate(layers.conv_norm(x, "groups", 12, 3, groups=4), "silu")
    y = layers.activate(layers.norm(layers.plain_conv(x, "joined.conv", 12, 1), "joined"), "leaky_relu")
    pooled = layers.max_pool(y, 5, 1)
    small = layers.relu(layers.conv_norm(y, "down", 12, 3, stride=2))
    large = layers.concat(layers.resize(small, 2), layers.resize(small, 2, "bilinear"), pooled)
    return layers.upsample(layers.conv_norm(large, "up.conv", 6, 1), "up", 2)


@pytest.mark.parametrize("start", [plain_start, focus_start])
def test_tensors_and_onnx_agree(start) -> None:  # type: ignore[no-untyped-def]  # a generic function
    recorder = ShapeRecorder()
    every_layer(recorder, start(recorder, 3))
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in recorder.shapes.items()}
    arrays |= {name: np.abs(array) for name, array in arrays.items() if name.endswith("_variance")}
    image = rng.integers(0, 256, (1, 64, 96, 3)).astype(np.uint8)

    layers = TensorLayers(
        {name: torch.from_numpy(array) for name, array in arrays.items()},
        lambda _: frozen_norm,
        plain_neck=False,
        norm_epsilon=EPSILON,
    )
    tensor = torch.from_numpy(image[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    expected = every_layer(layers, start(layers, tensor)).numpy()

    builder = GraphBuilder(arrays, EPSILON)
    builder.node("Identity", every_layer(builder, start(builder, "image")), name="out")
    model = builder.model({"image": (np.uint8, image.shape)}, {"out": (np.float32, expected.shape)}, {})
    core = start_runtime()
    compiled = core.compile_model(
        core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    found = compiled([image])[0]
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())
