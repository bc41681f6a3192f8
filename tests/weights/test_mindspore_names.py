"""FairMOT for MindSpore in ``.ckpt`` files: computes what its own code computes, and is written without a change.

The golden file has what the networks of jingcjie/FairMOT-mindspore-jupyter and ZJUT-ERCISS/fairmot_mindspore give in
MindSpore 2.10 for the seeded arrays and the image: three heads, and every 16th channel of the embeddings.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures import HeadSizes, Network, find_architecture
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import CheckpointError, InvalidInputError
from fairmot_dla34.weights import convert, load_checkpoint
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME, stored_input_size
from fairmot_dla34.weights.formats import open_arrays
from fairmot_dla34.weights.formats.ckpt_writing import write_ckpt
from fairmot_dla34.weights.naming.mindspore import MINDSPORE, MINDSPORE_ZJUT, MindSporeNames

GOLDEN = Path(__file__).parent / "golden" / "mindspore.npz"
SIZE = InputSize(64, 64)
PROJECTS = (MINDSPORE, MINDSPORE_ZJUT)
# SHA-256 of the lines "name shape" of the real networks' parameters, and their number.
PARAMETERS = {
    "mindspore-jupyter": (299, "772d35ab3db6f01688ee56408632fb34e7e11fbedfa4e3aad297751b320cec19"),
    "mindspore-zjut": (315, "2a1b0705ba59a0edaefbbfe93639bddc316f2321f085254ae92a84a0c16bae07"),
}
LAYER = "detector.neck.ida_up.proj_2.0"
Arrays = dict[str, NDArray[Any]]


@cache
def random_arrays() -> Arrays:
    return dict(random_checkpoint().arrays)


def plain_arrays() -> Arrays:
    """Return arrays of DLA-34 with random numbers, without offsets."""
    random = random_arrays()
    return {name: np.zeros_like(array) if "conv_offset" in name else array.copy() for name, array in random.items()}


def seeded_arrays(project: MindSporeNames) -> Arrays:
    return {name: array.copy() for name, array in _seeded_arrays(project).items()}


@cache
def _seeded_arrays(project: MindSporeNames) -> Arrays:
    placeholders = {name: np.zeros(shape, np.float32) for name, shape in DLA34.array_shapes(HeadSizes()).items()}
    renamed = project.from_canonical(placeholders, DLA34)
    return {name: seeded(name, array.shape) for name, array in renamed.items()}


def seeded(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return numbers that follow from the name; convolutions keep the size of signals."""
    draw = np.random.default_rng(zlib.crc32(name.encode())).uniform(-1, 1, shape)
    if name.endswith("moving_variance"):
        draw = 1.25 + 0.75 * draw
    elif name.endswith("gamma"):
        draw = 1 + 0.3 * draw
    elif len(shape) == 1:
        draw = 0.3 * draw
    else:
        draw = draw * float(np.sqrt(6 / np.prod(shape[1:])))
    return draw.astype(np.float32)


def raw_peaks(path: Path) -> list[NDArray[Any]]:
    runtime = pytest.importorskip("onnxruntime")
    y, x = np.mgrid[: SIZE.height, : SIZE.width]
    image = np.stack([(x * 3 + y * 5) % 256, (x * y // 7) % 256, (x * x // 11 + y * 2) % 256], axis=2).astype(np.uint8)
    graph = Network(load_checkpoint(path), SIZE).serialized_onnx()
    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"image": image[None]}))


def expect_golden(path: Path, name: str, tolerance: float) -> None:
    """Compare the graph's outputs at its peaks with the golden maps, relative to the largest number of each map."""
    with np.load(GOLDEN) as golden:
        maps = {key.removeprefix(f"{name}."): golden[key] for key in golden if key.startswith(f"{name}.")}
    logits, cells, sizes, offsets, embeddings = raw_peaks(path)
    kept = logits > -1e3
    assert kept.sum() > 10
    found = {"hm": logits[:, None], "wh": sizes, "reg": offsets, "feature_id": embeddings[:, ::16]}
    for key, numbers in found.items():
        expected = maps[key].reshape(len(maps[key]), -1).T[cells[kept]]
        np.testing.assert_allclose(numbers[kept], expected, atol=tolerance * np.abs(maps[key]).max(), rtol=0)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.NAME)
def test_names_and_shapes_are_those_of_the_real_network(project: MindSporeNames) -> None:
    arrays = project.from_canonical(plain_arrays(), DLA34)
    lines = "".join(f"{name} {array.shape}\n" for name, array in sorted(arrays.items()))
    assert (len(arrays), hashlib.sha256(lines.encode()).hexdigest()) == PARAMETERS[project.NAME]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.NAME)
def test_outputs_are_those_of_the_original_code(project: MindSporeNames, tmp_path: Path) -> None:
    write_ckpt(tmp_path / "fairmot.ckpt", seeded_arrays(project))
    expect_golden(tmp_path / "fairmot.ckpt", project.NAME, 1e-5)


def test_a_bias_that_the_other_project_lacks_is_in_the_moving_mean(tmp_path: Path) -> None:
    write_ckpt(tmp_path / "zjut.ckpt", seeded_arrays(MINDSPORE_ZJUT))
    convert(tmp_path / "zjut.ckpt", tmp_path / "jingcjie.ckpt", to=MINDSPORE.NAME)
    with open_arrays(tmp_path / "jingcjie.ckpt") as found:
        assert len(found) == 299
    expect_golden(tmp_path / "jingcjie.ckpt", "mindspore-zjut", 1e-5)


@pytest.mark.parametrize(("project", "middle"), [(MINDSPORE, ".pth"), (MINDSPORE_ZJUT, ".npz")])
def test_a_round_trip_changes_no_bit(project: MindSporeNames, middle: str, tmp_path: Path) -> None:
    start, end = tmp_path / "start.ckpt", tmp_path / "end.ckpt"
    write_ckpt(start, seeded_arrays(project))
    report = convert(start, tmp_path / f"middle{middle}")
    assert report.left_out == ()
    convert(tmp_path / f"middle{middle}", end, to=project.NAME)
    assert end.read_bytes() == start.read_bytes()


def test_a_plain_network_of_ours_is_unchanged_after_a_round_trip(tmp_path: Path) -> None:
    start = tmp_path / "ours.npz"
    arrays = plain_arrays()
    np.savez(start, **dict[str, Any](arrays))
    convert(start, tmp_path / "theirs.ckpt", to=MINDSPORE_ZJUT.NAME)
    for name, array in load_checkpoint(tmp_path / "theirs.ckpt").arrays.items():
        np.testing.assert_array_equal(array, arrays[name], err_msg=name)


@pytest.mark.parametrize(("project", "prefix"), [(MINDSPORE, ""), (MINDSPORE, "backbone."), (MINDSPORE_ZJUT, "a.b.")])
def test_training_files_are_read(project: MindSporeNames, prefix: str, tmp_path: Path) -> None:
    """They have a wrapper's prefix, the optimiser's state with names of the same ends, and lone numbers."""
    path = tmp_path / "train.ckpt"
    arrays = seeded_arrays(project)
    moments = {f"moment{k}.{prefix}{name}": np.zeros(2, np.float32) for k in (1, 2) for name in arrays}
    named = {f"{prefix}{name}": array for name, array in arrays.items()}
    write_ckpt(path, {**moments, **named, "global_step": np.float32(7), "learning_rate": np.float32(1e-4)})
    write_ckpt(tmp_path / "plain.ckpt", arrays)
    expected = load_checkpoint(tmp_path / "plain.ckpt").arrays
    for name, array in load_checkpoint(path).arrays.items():
        np.testing.assert_array_equal(array, expected[name])


def test_a_file_made_of_ifzhangs_keeps_its_deformable_convolutions(tmp_path: Path) -> None:
    """``pth2ckpt.py`` of jingcjie renames all of ifzhang's arrays, and its network ignores the offsets."""
    arrays = random_arrays()
    renamed: Arrays = {
        name: np.zeros(3, np.float32) for name in ("base.fc.weight", "base.base_layer.1.num_batches_tracked")
    }
    for name, array in arrays.items():
        renamed[MINDSPORE.names()[name]] = array
    assert "ida_up.proj.1.conv.conv_offset_mask.weight" in renamed
    write_ckpt(tmp_path / "crowdhuman.ckpt", renamed)
    for name, array in load_checkpoint(tmp_path / "crowdhuman.ckpt").arrays.items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("code", ["<f2", "<f4", "<f8"])
def test_weights_are_doubled_in_a_type_that_holds_them(code: str, tmp_path: Path) -> None:
    arrays = seeded_arrays(MINDSPORE)
    weight = arrays["ida_up.proj.1.conv.weight"]
    weight[0, 0, 0] = [40_000, -65_504, 2**-14]
    write_ckpt(tmp_path / "half.ckpt", {name: array.astype(code) for name, array in arrays.items()})
    found = load_checkpoint(tmp_path / "half.ckpt").arrays[f"{LAYER}.conv.conv_dcn.weight"]
    half = np.float16 if code == "<f2" else np.float32
    np.testing.assert_array_equal(found, 2 * weight.astype(half).astype(np.float32))


def test_masks_that_do_not_depend_on_the_image_are_in_the_weight() -> None:
    arrays = plain_arrays()
    bias = arrays[f"{LAYER}.conv.conv_offset.bias"]
    bias[18:] = np.log([9, 3, 1, 1 / 3, 1 / 9, 1, 1, 1, 1])  # masks 0.9, 0.75, 0.5, 0.25, 0.1, 0.5, …
    found = MINDSPORE_ZJUT.from_canonical(arrays, DLA34)["backbone.ida_up.proj.1.conv.weight"]
    mask = np.array([0.9, 0.75, 0.5, 0.25, 0.1, 0.5, 0.5, 0.5, 0.5]).reshape(3, 3)
    np.testing.assert_allclose(found, arrays[f"{LAYER}.conv.conv_dcn.weight"] * mask, rtol=1e-6)


@pytest.mark.parametrize(("part", "index"), [("weight", (0, 3, 1, 1)), ("weight", (20, 0, 0, 0)), ("bias", (17,))])
@pytest.mark.parametrize("value", [1e-30, np.nan])
def test_offsets_are_refused_with_a_remedy(part: str, index: tuple[int, ...], value: float, tmp_path: Path) -> None:
    arrays = plain_arrays()
    arrays[f"{LAYER}.conv.conv_offset.{part}"][index] = value
    with pytest.raises(InvalidInputError, match=r"1 of the neck's 16 convolutions are deformable.*--plain-neck"):
        MINDSPORE.from_canonical(arrays, DLA34)
    assert not list(tmp_path.iterdir())


def test_convert_refuses_deformable_weights_and_writes_nothing(tmp_path: Path) -> None:
    arrays = {name: array + np.float32("conv_offset" in name) for name, array in random_arrays().items()}
    np.savez(tmp_path / "weights.npz", **dict[str, Any](arrays))
    with pytest.raises(InvalidInputError, match=r"16 of the neck's 16.*jingcjie.*Write another format"):
        convert(tmp_path / "weights.npz", tmp_path / "weights.ckpt")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_an_architecture_that_mindspore_lacks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="has no counterpart in ZJUT-ERCISS"):
        MINDSPORE_ZJUT.from_canonical({}, find_architecture("hrnet_18"))


def test_the_earlier_deformable_network_of_zjut_is_refused(tmp_path: Path) -> None:
    arrays = {
        name.replace(".conv.weight", ".conv.conv.weight") if "ida" in name else name: array
        for name, array in seeded_arrays(MINDSPORE_ZJUT).items()
    }
    arrays["backbone.ida_up.proj.0.conv.p_conv.weight"] = np.zeros((18, 128, 3, 3), np.float32)
    write_ckpt(tmp_path / "early.ckpt", arrays)
    with pytest.raises(CheckpointError, match=r"p_conv\.weight, that compute something other than DCNv2"):
        load_checkpoint(tmp_path / "early.ckpt")


@pytest.mark.parametrize(
    ("project", "missing", "canonical"),
    [
        (MINDSPORE, "ida_up.proj.1.conv.weight", f"{LAYER}.conv.conv_offset.weight"),
        (MINDSPORE, "ida_up.proj.1.actf.0.gamma", f"{LAYER}.norm.weight"),
        (MINDSPORE_ZJUT, "backbone.ida_up.proj.1.conv.bias", f"{LAYER}.conv.conv_dcn.bias"),
        (MINDSPORE_ZJUT, "head.wh_fc.fc.2.bias", "detector.head.size.2.conv.bias"),
    ],
)
def test_a_missing_array_is_named(project: MindSporeNames, missing: str, canonical: str, tmp_path: Path) -> None:
    arrays = seeded_arrays(project)
    del arrays[missing]
    write_ckpt(tmp_path / "part.ckpt", arrays)
    with pytest.raises(CheckpointError, match=f"{canonical} is missing"):
        load_checkpoint(tmp_path / "part.ckpt")


def test_classes_embedding_size_and_input_size_are_kept(tmp_path: Path) -> None:
    sizes = HeadSizes(num_classes=4, embedding_size=64)
    random = random_checkpoint(sizes=sizes).arrays
    arrays = {name: array * np.float32("conv_offset" not in name) for name, array in random.items()}
    stated = {INPUT_SIZE_NAME: np.array([576, 320], np.float32)}
    np.savez(tmp_path / "own.npz", **dict[str, Any]({**arrays, **stated}))
    convert(tmp_path / "own.npz", tmp_path / "own.ckpt")
    assert load_checkpoint(tmp_path / "own.ckpt").sizes == sizes
    assert str(stored_input_size(tmp_path / "own.ckpt")) == "576x320"
