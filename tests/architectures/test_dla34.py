"""The ONNX graph of DLA-34: valid, of any input size and number of classes, and decoded to the right boxes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.architectures.dla_fpn import NECK
from fairmot_dla34.architectures.peaks import NOT_A_PEAK, OUTPUTS, RawPeaks
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: these tests run the graph in it")


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return random_checkpoint().arrays


def test_the_graph_is_valid_onnx(arrays: Arrays) -> None:
    model = DLA34.build_onnx(arrays, InputSize(320, 192))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 19
    assert deformable_layers(arrays) == 16
    assert not any(node.op_type == "BatchNormalization" for node in model.graph.node)


@pytest.mark.parametrize("size", [InputSize(32, 32), InputSize(96, 64), InputSize(64, 160)], ids=str)
def test_an_input_size_of_any_multiples_of_32_runs(arrays: Arrays, size: InputSize) -> None:
    outputs = run(arrays, size, noise_image(size))
    assert len(outputs.logits) == min(500, size.width * size.height // 16)
    assert len(DLA34.decode(outputs, size)) > 0


def test_peaks_of_several_classes_are_kept_apart(arrays: Arrays) -> None:
    size = InputSize(96, 64)
    weight, bias = arrays["detector.head.heatmap.2.conv.weight"], arrays["detector.head.heatmap.2.conv.bias"]
    three = {
        **arrays,
        "detector.head.heatmap.2.conv.weight": np.concatenate([weight, -weight, weight * 0]),
        "detector.head.heatmap.2.conv.bias": np.concatenate([bias, bias, np.full_like(bias, -50)]),
    }
    single = DLA34.decode(run(arrays, size, noise_image(size)), size)
    peaks = DLA34.decode(run(three, size, noise_image(size)), size)
    assert peaks.class_ids is not None
    first = np.flatnonzero(peaks.class_ids == 0)
    assert set(peaks.class_ids) >= {0, 1}
    np.testing.assert_allclose(peaks.boxes[first], single.boxes[: len(first)], atol=1e-4)
    np.testing.assert_allclose(peaks.scores[first], single.scores[: len(first)], atol=1e-6)


def test_deformable_layers_without_offsets_become_plain_convolutions_with_equal_results(arrays: Arrays) -> None:
    """The sample weights have such layers; one number other than 0 keeps a layer deformable."""
    size = InputSize(96, 64)
    plain = {name: array * 0 if "conv_offset" in name else array for name, array in arrays.items()}
    sampled = {name: array + np.float32(1e-20) if "offset.bias" in name else array for name, array in plain.items()}
    single = plain[f"{NECK}.ida_up.node_2.0.conv.conv_offset.weight"].copy()
    single[26, -1, 2, 2] = 1e-20
    assert deformable_layers(plain) == 0
    assert deformable_layers(plain | {f"{NECK}.ida_up.node_2.0.conv.conv_offset.weight": single}) == 1
    assert deformable_layers(sampled) == 16
    replaced, deformable = (run(checkpoint, size, noise_image(size)) for checkpoint in (plain, sampled))
    np.testing.assert_array_equal(replaced.cells, deformable.cells)
    for output in OUTPUTS:
        np.testing.assert_allclose(getattr(replaced, output), getattr(deformable, output), rtol=1e-4, atol=1e-4)


def test_a_peak_is_the_highest_cell_of_its_neighbourhood(arrays: Arrays) -> None:
    """Otherwise one person gives several detections."""
    size = InputSize(96, 64)
    outputs = run(arrays, size, noise_image(size))
    real = outputs.cells[outputs.logits > NOT_A_PEAK / 2]
    y, x = np.divmod(real, 96 // 4)
    distance = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x)) + 9 * np.eye(len(real), dtype=int)
    assert distance.min() >= 2


def test_peaks_are_decoded_to_the_boxes_computed_by_hand() -> None:
    raw = RawPeaks(
        logits=np.array([0.0, NOT_A_PEAK], np.float32),
        cells=np.array([24 * 16 + 2 * 24 + 5, 0], np.int64),  # class 1, row 2, column 5 of a 24 x 16 map
        sizes=np.array([[1, 2, 3, 4], [0, 0, 0, 0]], np.float32),
        offsets=np.array([[0.5, 0.25], [0, 0]], np.float32),
        embeddings=np.array([[3, 4], [0, 0]], np.float32),
    )
    peaks = DLA34.decode(raw, InputSize(96, 64))
    np.testing.assert_allclose(peaks.boxes, [[18, 1, 34, 25]])
    np.testing.assert_allclose(peaks.scores, [0.5])
    assert peaks.embeddings is not None
    assert peaks.class_ids is not None
    np.testing.assert_allclose(peaks.embeddings, [[0.6, 0.8]])
    assert list(peaks.class_ids) == [1]


def deformable_layers(arrays: Arrays) -> int:
    nodes = DLA34.build_onnx(arrays, InputSize(96, 64)).graph.node
    return sum(node.op_type == "DeformConv" for node in nodes)


def run(arrays: Arrays, size: InputSize, image: NDArray[np.uint8]) -> RawPeaks:
    session = onnxruntime.InferenceSession(
        DLA34.build_onnx(arrays, size).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return RawPeaks(**dict(zip(names, session.run(names, {"image": image[None]}), strict=True)))


def noise_image(size: InputSize) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)
