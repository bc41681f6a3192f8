"""HRNet and YOLOv5s of ifzhang/FairMOT: the graph gives what the original code gave, and files are recognised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import write_checkpoint
from numpy.typing import NDArray
from seeded_network import CELLS, SIZES, golden_outputs, run_graph, seeded_arrays

from fairmot_dla34.architectures import Architecture, find_architecture, identify_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.peaks import NOT_A_PEAK
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights import load_checkpoint
from fairmot_dla34.weights.naming import ifzhang

PARAMETERS = {"hrnet_18": 12_086_299, "hrnet_32": 33_764_935, "yolov5s": 5_013_703}  # of the original code


@pytest.fixture(scope="module", params=sorted(SIZES))
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return find_architecture(request.param)


@pytest.fixture(scope="module")
def arrays(architecture: Architecture) -> Arrays:
    return seeded_arrays(architecture)


def test_the_graph_computes_what_the_original_code_computed(architecture: Architecture, arrays: Arrays) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: these tests run the graph in it")
    golden, raw = golden_outputs(architecture.name), run_graph(architecture, arrays)
    assert len(raw.cells) == golden["heatmap"].size  # a small map: all its cells are returned, peaks first
    peaks = raw.logits > NOT_A_PEAK / 2
    assert set(raw.cells[peaks]) == local_maxima(golden["heatmap"])
    np.testing.assert_allclose(raw.logits[peaks], golden["heatmap"].flat[raw.cells[peaks]], atol=5e-5)
    rows = np.argsort(raw.cells)[CELLS]
    for output, name in ((raw.sizes, "size"), (raw.offsets, "offset"), (raw.embeddings, "embedding")):
        tolerance = 2e-5 * np.abs(golden[name]).max()
        np.testing.assert_allclose(output[rows], golden[name], atol=tolerance, rtol=0, err_msg=name)


def test_the_number_of_parameters_is_that_of_the_original_code(architecture: Architecture, arrays: Arrays) -> None:
    trained = [array.size for name, array in arrays.items() if not name.endswith(("_mean", "_variance"))]
    assert sum(trained) == PARAMETERS[architecture.name]


def test_a_file_with_the_original_names_is_recognised_and_read_exactly(
    architecture: Architecture, arrays: Arrays, tmp_path: Path
) -> None:
    """hrnet_18 and hrnet_32 have the same names; their shapes decide."""
    renamed = ifzhang.from_canonical(arrays, architecture)
    assert len(renamed) == len(arrays)
    renamed["hm.counter.num_batches_tracked"] = np.zeros(1, np.float32)  # training only
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "ifzhang.npz", renamed))
    assert checkpoint.architecture is architecture
    assert checkpoint.sizes == SIZES[architecture.name]
    assert checkpoint.arrays.keys() == arrays.keys()
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(array, arrays[name])


def test_a_network_with_a_missing_array_is_not_taken_for_another(
    architecture: Architecture, arrays: Arrays, tmp_path: Path
) -> None:
    lost = next(name for name in reversed(list(arrays)) if "backbone" in name)
    damaged = {name: array for name, array in arrays.items() if name != lost}
    assert identify_architecture({name: array.shape for name, array in damaged.items()}) is architecture
    with pytest.raises(CheckpointError, match=f"array {lost} is missing"):
        load_checkpoint(write_checkpoint(tmp_path / "damaged.npz", damaged))


@pytest.mark.parametrize("size", [InputSize(32, 64), InputSize(160, 96)], ids=str)
def test_the_graph_is_valid_onnx_at_any_multiple_of_32(
    architecture: Architecture, arrays: Arrays, size: InputSize
) -> None:
    model = architecture.build_onnx(arrays, size)
    onnx.checker.check_model(model, full_check=True)


def local_maxima(heatmap: NDArray[np.float32]) -> set[int]:
    padded = np.pad(heatmap, 1, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max(axis=(2, 3))
    return set(np.flatnonzero(heatmap == highest))
