"""ifzhang's DLA-34 in ``.pth`` files: recognised, renamed without a change, and computing what its own code computes.

The golden file has what ``pose_dla_dcn.py`` and ``mot_decode`` of ifzhang/FairMOT give for the seeded arrays and image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from weights.seeded_checkpoint import INPUT_SIZE, seeded_arrays, texture

from fairmot_dla34.architectures import HeadSizes, Network
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends import create_backend
from fairmot_dla34.backends.base import BackendOptions
from fairmot_dla34.errors import CheckpointError, InvalidInputError
from fairmot_dla34.weights import load_checkpoint, verify_file
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME, stored_input_size
from fairmot_dla34.weights.formats.pth_writing import write_pth
from fairmot_dla34.weights.naming import ifzhang

GOLDEN = Path(__file__).parent / "golden" / "ifzhang_dla34.npz"
Arrays = dict[str, NDArray[Any]]


def placeholders(sizes: HeadSizes) -> Arrays:
    return {name: np.ones(shape, np.float32) for name, shape in DLA34.array_shapes(sizes).items()}


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Seeded arrays by ifzhang's names."""
    renamed = ifzhang.from_canonical(placeholders(HeadSizes()), DLA34)
    return dict(seeded_arrays({name: array.shape for name, array in renamed.items()}))


@pytest.fixture(scope="module")
def path(arrays: Arrays, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File as a training on several GPUs writes it: with a prefix, and with arrays that the network does not use."""
    unused = {
        "base.base_layer.1.num_batches_tracked": np.float32(9),
        "base.fc.weight": np.ones((10, 512, 1, 1), np.float32),
        "classifier.weight": np.ones((14, 128), np.float32),
    }
    path = tmp_path_factory.mktemp("ifzhang") / "fairmot_dla34.pth"
    write_pth(path, {f"module.{name}": array for name, array in {**arrays, **unused}.items()})
    return path


def test_peaks_are_those_of_the_original_code(path: Path) -> None:
    with np.load(GOLDEN) as golden:
        expected = dict(golden)
    network = Network(load_checkpoint(path), INPUT_SIZE)
    with create_backend("openvino", network, BackendOptions("fp32", keep_compiled=False)) as backend:
        peaks = backend.infer(texture())
    assert peaks.embeddings is not None
    distance = np.abs(peaks.boxes[None] - expected["boxes"][:, None]).max(axis=2)
    nearest = distance.argmin(axis=1)  # scores that are equal up to rounding may change places
    assert sorted(nearest) == list(range(len(nearest)))
    np.testing.assert_allclose(peaks.boxes[nearest], expected["boxes"], atol=1e-3)  # px
    np.testing.assert_allclose(peaks.scores[nearest], expected["scores"], atol=5e-6)
    np.testing.assert_allclose(peaks.embeddings[nearest], expected["embeddings"], atol=1e-5)


def test_all_347_arrays_are_renamed_without_a_change_and_back(path: Path, arrays: Arrays) -> None:
    checkpoint = load_checkpoint(path)
    assert checkpoint.architecture is DLA34
    assert len(checkpoint.arrays) == len(arrays) == 347
    renamed = ifzhang.from_canonical(checkpoint.arrays, DLA34)
    assert renamed.keys() == arrays.keys()
    for name, array in renamed.items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    ("canonical", "original"),
    [
        ("detector.backbone.base_layer.0.norm._variance", "base.base_layer.1.running_var"),
        ("detector.backbone.level2.tree1.conv2.norm.weight", "base.level2.tree1.bn2.weight"),
        ("detector.backbone.level3.tree2.root.conv.norm._mean", "base.level3.tree2.root.bn.running_mean"),
        ("detector.backbone.level4.project.conv.weight", "base.level4.project.0.weight"),
        ("detector.neck.dla_up.ida_2.proj_3.0.conv.conv_dcn.bias", "dla_up.ida_2.proj_3.conv.bias"),
        ("detector.neck.ida_up.node_1.0.conv.conv_offset.weight", "ida_up.node_1.conv.conv_offset_mask.weight"),
        ("detector.neck.ida_up.node_1.0.norm.bias", "ida_up.node_1.actf.0.bias"),
        ("detector.neck.ida_up.up_2.weight", "ida_up.up_2.weight"),
        ("detector.head.size.2.conv.bias", "wh.2.bias"),
        ("reid.reid.0.conv.weight", "id.0.weight"),
    ],
)
def test_names_are_those_of_pose_dla_dcn(canonical: str, original: str) -> None:
    canonical_arrays = placeholders(HeadSizes())
    assert ifzhang.from_canonical(canonical_arrays, DLA34)[original] is canonical_arrays[canonical]


def test_classes_and_embedding_size_are_read_from_the_file(arrays: Arrays, tmp_path: Path) -> None:
    sizes = HeadSizes(num_classes=5, embedding_size=64)
    shapes = {"hm.2": (5, 256, 1, 1), "id.2": (64, 256, 1, 1)}
    other: Arrays = {f"{name}.weight": np.full(shape, 0.01, np.float32) for name, shape in shapes.items()}
    other |= {f"{name}.bias": np.zeros(shape[0], np.float32) for name, shape in shapes.items()}
    write_pth(tmp_path / "classes.pth", {**arrays, **other})
    assert load_checkpoint(tmp_path / "classes.pth").sizes == sizes
    assert verify_file(tmp_path / "classes.pth").classes == 5


@pytest.mark.parametrize("channels", [1, 3, 6])  # 6: a width and a height for each of three classes, cat_spec_wh
def test_a_size_head_of_other_channels_is_refused(channels: int, arrays: Arrays, tmp_path: Path) -> None:
    head = {"wh.2.weight": np.ones((channels, 256, 1, 1), np.float32), "wh.2.bias": np.ones(channels, np.float32)}
    write_pth(tmp_path / "odd.pth", {**arrays, **head})
    with pytest.raises(CheckpointError, match=r"odd\.pth.*head\.size\.2\.conv\.(weight|bias).*expected"):
        load_checkpoint(tmp_path / "odd.pth")


def test_width_and_height_are_written_as_distances_to_the_sides(tmp_path: Path) -> None:
    renamed = ifzhang.from_canonical(placeholders(HeadSizes(size_channels=2)), DLA34)
    assert renamed["wh.2.weight"].shape == (4, 256, 1, 1)
    assert np.unique(renamed["wh.2.weight"]).tolist() == [0.5]
    write_pth(tmp_path / "own.pth", renamed)
    assert load_checkpoint(tmp_path / "own.pth").sizes == HeadSizes()


def test_a_network_without_deformable_convolutions_is_refused(arrays: Arrays, tmp_path: Path) -> None:
    """ifzhang's ``dlaconv`` has the same names otherwise."""
    write_pth(tmp_path / "plain.pth", {name: array for name, array in arrays.items() if "offset" not in name})
    with pytest.raises(CheckpointError, match=r"conv_offset\.(weight|bias) is missing"):
        load_checkpoint(tmp_path / "plain.pth")


def test_the_input_size_is_stated_by_files_of_this_package_only(path: Path, arrays: Arrays, tmp_path: Path) -> None:
    assert stored_input_size(path) is None
    write_pth(tmp_path / "own.pth", {**arrays, INPUT_SIZE_NAME: np.array([576, 320], np.float32)})
    assert str(stored_input_size(tmp_path / "own.pth")) == "576x320"
    assert len(load_checkpoint(tmp_path / "own.pth").arrays) == 347


def test_an_architecture_that_ifzhang_does_not_have_is_refused() -> None:
    class Other(type(DLA34)):  # type: ignore[misc]
        name = title = "other"

    with pytest.raises(InvalidInputError, match=r"other has no counterpart.*dla34"):
        ifzhang.from_canonical({}, Other())
