"""FairMOT HRNetV2-W18: a valid graph, recognised arrays, and size heads of width and height."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fairmot_dla34.architectures import Checkpoint, HeadSizes, Network, identify_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.hrnetv2 import HRNETV2_W18
from fairmot_dla34.backends import BackendOptions, create_backend
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.values import Peaks

SIZE = InputSize(96, 64)
LAST_OF_SIZE = "detector.head.size.2.conv"


def random_arrays(sizes: HeadSizes | None = None) -> dict[str, NDArray[np.float32]]:
    """Return random arrays; the norms are small, so that residual sums do not grow."""
    checkpoint = random_checkpoint(architecture=HRNETV2_W18, sizes=sizes)
    return {name: a * np.float32(0.5) if name.endswith("norm.weight") else a for name, a in checkpoint.arrays.items()}


def infer(arrays: Arrays) -> Peaks:
    network = Network(Checkpoint(HRNETV2_W18, arrays), SIZE)
    image = np.random.default_rng(3).integers(0, 256, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
    with create_backend("openvino", network, BackendOptions("fp32", threads=1, keep_compiled=False)) as backend:
        return backend.infer(image)


def test_the_graph_is_valid_onnx_of_any_input_size() -> None:
    arrays = random_arrays()
    for size in (InputSize(32, 32), InputSize(64, 160)):
        model = HRNETV2_W18.build_onnx(arrays, size)
        onnx.checker.check_model(model, full_check=True)
        assert not any(node.op_type in {"BatchNormalization", "DeformConv"} for node in model.graph.node)


def test_arrays_are_recognised_and_counted() -> None:
    shapes = HRNETV2_W18.array_shapes(HeadSizes(num_classes=10, size_channels=2))
    assert identify_architecture(shapes) is HRNETV2_W18
    assert HRNETV2_W18.head_sizes(shapes) == HeadSizes(10, 128, 2)
    ours = HRNETV2_W18.array_shapes(HeadSizes())
    assert len(ours) == 1629
    assert sum(int(np.prod(shape)) for shape in ours.values()) == 10_063_807


def test_layers_in_floating_point_are_those_of_the_graph() -> None:
    """A pattern that matches nothing would quantise the layer without a word."""
    names = {node.name for node in HRNETV2_W18.build_onnx(random_arrays(), SIZE).graph.node}
    for pattern in HRNETV2_W18.float_layers:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


def test_a_size_head_of_width_and_height_gives_boxes_around_the_centre() -> None:
    """As PaddleDetection's multi-class networks have (``regress_ltrb: False``)."""
    two = random_arrays(HeadSizes(size_channels=2))
    weight, bias = two[f"{LAST_OF_SIZE}.weight"], two[f"{LAST_OF_SIZE}.bias"]
    half = {
        f"{LAST_OF_SIZE}.weight": np.concatenate([weight] * 2) * np.float32(0.5),
        f"{LAST_OF_SIZE}.bias": np.tile(bias, 2) * np.float32(0.5),
    }
    found, expected = infer(two), infer({**two, **half})
    assert len(found.scores) > 10
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    full = {f"{LAST_OF_SIZE}.weight": np.concatenate([weight] * 2), f"{LAST_OF_SIZE}.bias": np.tile(bias, 2)}
    doubled = infer({**two, **full}).boxes
    np.testing.assert_allclose(
        doubled[:, 2:] - doubled[:, :2], 2 * (found.boxes[:, 2:] - found.boxes[:, :2]), atol=1e-3
    )


def test_another_number_of_size_channels_is_refused() -> None:
    arrays = random_arrays()
    arrays[f"{LAST_OF_SIZE}.weight"] = arrays[f"{LAST_OF_SIZE}.weight"][:3]
    with pytest.raises(CheckpointError, match=r"size\.2\.conv\.weight has shape \(3, 256, 1, 1\); expected shape \(4,"):
        Checkpoint(HRNETV2_W18, arrays)
