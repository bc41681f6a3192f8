"""The ONNX graph: a file that others can run, of any size, for any number of classes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.architectures.dla34.structure import NECK
from fairmot_dla34.architectures.peaks import NOT_A_PEAK, OUTPUTS, RawPeaks
from fairmot_dla34.backends.selfcheck import random_checkpoint

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: the graph is run by it here")


@pytest.fixture(scope="module")
def arrays() -> dict[str, NDArray[np.float32]]:
    return dict(random_checkpoint().arrays)


def test_the_graph_is_valid_onnx(arrays: dict[str, NDArray[np.float32]]) -> None:
    model = DLA34.build_onnx(arrays, InputSize(320, 192))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 19
    assert deformable_layers(arrays) == 16
    assert not any(node.op_type == "BatchNormalization" for node in model.graph.node)


@pytest.mark.parametrize("size", [(32, 32), (96, 64), (64, 160)])
def test_any_multiple_of_32_runs(arrays: dict[str, NDArray[np.float32]], size: tuple[int, int]) -> None:
    outputs = run(arrays, InputSize(*size), picture(*size))
    assert len(outputs.logits) == min(500, size[0] * size[1] // 16)
    assert len(DLA34.decode(outputs, InputSize(*size))) > 0


def test_more_classes_than_one_keep_their_peaks_apart(arrays: dict[str, NDArray[np.float32]]) -> None:
    size = InputSize(96, 64)
    weight, bias = arrays["detector.head.heatmap.2.conv.weight"], arrays["detector.head.heatmap.2.conv.bias"]
    three = arrays | {
        "detector.head.heatmap.2.conv.weight": np.concatenate([weight, -weight, weight * 0]),
        "detector.head.heatmap.2.conv.bias": np.concatenate([bias, bias, np.full_like(bias, -50)]),
    }
    single = DLA34.decode(run(arrays, size, picture(96, 64)), size)
    peaks = DLA34.decode(run(three, size, picture(96, 64)), size)
    first = peaks.class_ids == 0
    assert set(peaks.class_ids) >= {0, 1}
    np.testing.assert_allclose(peaks.boxes[first], single.boxes[: first.sum()], atol=1e-4)
    np.testing.assert_allclose(peaks.scores[first], single.scores[: first.sum()], atol=1e-6)


def test_offsets_of_nothing_make_a_plain_convolution_with_equal_results(arrays: dict[str, NDArray[np.float32]]) -> None:
    """The weights that ship are such; a single number that is not 0 keeps the sampling."""
    size = InputSize(96, 64)
    plain = {name: array * 0 if "conv_offset" in name else array for name, array in arrays.items()}
    sampled = {name: array + np.float32(1e-20) if "offset.bias" in name else array for name, array in plain.items()}
    single = plain[f"{NECK}.ida_up.node_2.0.conv.conv_offset.weight"].copy()
    single[26, -1, 2, 2] = 1e-20
    assert deformable_layers(plain) == 0
    assert deformable_layers(plain | {f"{NECK}.ida_up.node_2.0.conv.conv_offset.weight": single}) == 1
    assert deformable_layers(sampled) == 16
    ours, theirs = (run(checkpoint, size, picture(96, 64)) for checkpoint in (plain, sampled))
    np.testing.assert_array_equal(ours.cells, theirs.cells)
    for output in OUTPUTS:
        np.testing.assert_allclose(getattr(ours, output), getattr(theirs, output), rtol=1e-4, atol=1e-4)


def test_a_peak_is_the_highest_of_its_neighbourhood(arrays: dict[str, NDArray[np.float32]]) -> None:
    """Two people must never be two cells of the same blob."""
    size = InputSize(96, 64)
    outputs = run(arrays, size, picture(96, 64))
    real = outputs.cells[outputs.logits > NOT_A_PEAK / 2]
    y, x = np.divmod(real, 96 // 4)
    distance = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x)) + 9 * np.eye(len(real), dtype=int)
    assert distance.min() >= 2


def test_decode_by_hand() -> None:
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
    np.testing.assert_allclose(peaks.embeddings, [[0.6, 0.8]])
    assert list(peaks.class_ids) == [1]


def deformable_layers(arrays: dict[str, NDArray[np.float32]]) -> int:
    nodes = DLA34.build_onnx(arrays, InputSize(96, 64)).graph.node
    return sum(node.op_type == "DeformConv" for node in nodes)


def run(arrays: dict[str, NDArray[np.float32]], size: InputSize, image: NDArray[np.uint8]) -> RawPeaks:
    session = onnxruntime.InferenceSession(
        DLA34.build_onnx(arrays, size).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return RawPeaks(**dict(zip(names, session.run(names, {"image": image[None]}), strict=True)))


def picture(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
