"""Files whose boxes are width and height: they run, are converted, and give the boxes of ifzhang/FairMOT's code.

Older checkpoints of ifzhang/FairMOT and those trained without ``ltrb`` have 2 channels in their head ``wh``. The golden
files hold what the original networks compute; the boxes are decoded here as ``mot_decode`` does with ``ltrb=False``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from seeded_network import CELLS, INPUT_SIZE, SIZES, golden_outputs, run_graph, seeded_arrays
from videos import write_walking_boxes

from fairmot_dla34.architectures import Architecture, HeadSizes, find_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.commands.main import main
from fairmot_dla34.evaluation import compare_networks
from fairmot_dla34.weights import Conversion, convert, load_checkpoint, verify_file, write_arrays
from fairmot_dla34.weights.conversion import NAMES
from fairmot_dla34.weights.formats import open_arrays
from fairmot_dla34.weights.formats.pth_writing import write_pth
from fairmot_dla34.weights.naming import ifzhang

STRIDE = 4  # network px per cell


def write_centred(path: Path, arrays: Arrays, architecture: Architecture) -> Path:
    """Write a network with the first two channels of its size head, by ifzhang's names."""
    renamed = ifzhang.from_canonical(arrays, architecture)
    write_pth(path, {name: array[:2] if name.startswith("wh.2.") else array for name, array in renamed.items()})
    return path


def centred_boxes(name: str) -> NDArray[np.float64]:
    """Decode the golden outputs at `CELLS`: centre -/+ half of width and height, in network px."""
    golden = golden_outputs(name)
    columns = golden["heatmap"].shape[1]
    boxes = []
    for cell, size, offset in zip(CELLS, golden["size"], golden["offset"], strict=True):
        x, y = cell % columns + float(offset[0]), cell // columns + float(offset[1])
        width, height = float(size[0]), float(size[1])
        boxes.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    return STRIDE * np.array(boxes)


def boxes_of(path: Path) -> NDArray[np.float32]:
    """Return the boxes at `CELLS`; every cell counts as a peak."""
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: these tests run the graph in it")
    checkpoint = load_checkpoint(path)
    raw = run_graph(checkpoint.architecture, checkpoint.arrays)
    peaks = checkpoint.architecture.decode(raw._replace(logits=np.zeros_like(raw.logits)), INPUT_SIZE)
    return np.asarray(peaks.boxes[np.argsort(raw.cells)[CELLS]])


@pytest.mark.parametrize("name", ["hrnet_18", "yolov5s"])
def test_boxes_are_those_of_the_original_network(name: str, tmp_path: Path) -> None:
    architecture, expected = find_architecture(name), centred_boxes(name)
    path = write_centred(tmp_path / "centred.pth", seeded_arrays(architecture), architecture)
    assert load_checkpoint(path).sizes == SIZES[name]._replace(size_channels=2)
    np.testing.assert_allclose(boxes_of(path), expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


def test_every_format_gives_the_same_boxes(tmp_path: Path) -> None:
    architecture = find_architecture("yolov5s")
    path = write_centred(tmp_path / "centred.pth", seeded_arrays(architecture), architecture)
    before = boxes_of(path)
    for suffix in (".pth", ".npz", ".pdparams"):
        report = convert(path, tmp_path / f"made{suffix}")
        np.testing.assert_array_equal(boxes_of(report.path), before)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.pth`` file of DLA-34 with width and height, which MindSpore can hold too: without offsets."""
    random = random_checkpoint().arrays
    arrays = {name: np.zeros_like(array) if ".conv_offset." in name else array for name, array in random.items()}
    return write_centred(tmp_path_factory.mktemp("centred") / "centred.pth", arrays, DLA34)


@pytest.fixture(scope="module")
def made(plain: Path) -> dict[str, Conversion]:
    return {suffix: convert(plain, plain.with_name(f"made{suffix}")) for suffix in NAMES}


def test_channels_are_kept_or_become_four_with_a_note(plain: Path, made: dict[str, Conversion]) -> None:
    """ifzhang's default and MindSpore's networks have distances to the four sides."""
    sizes = {suffix: load_checkpoint(report.path).sizes.size_channels for suffix, report in made.items()}
    assert sizes == {".pth": 4, ".ckpt": 4, ".npz": 2, ".pdparams": 2}
    assert verify_file(plain).arrays == 347
    assert all("width and height" in made[suffix].notes[0] for suffix in NAMES)
    assert "regress_ltrb: False" in made[".pdparams"].notes[0]


def test_nothing_is_rounded_on_the_way(plain: Path, made: dict[str, Conversion]) -> None:
    wanted = load_checkpoint(plain).arrays
    for suffix in (".npz", ".pdparams"):
        found = load_checkpoint(made[suffix].path).arrays
        assert found.keys() == wanted.keys()
        assert all(np.array_equal(found[name], array) for name, array in wanted.items())
    head = "detector.head.size.2.conv.weight"
    np.testing.assert_array_equal(load_checkpoint(made[".pth"].path).arrays[head][:2], wanted[head] / 2)
    np.testing.assert_array_equal(load_checkpoint(made[".ckpt"].path).arrays[head][2:], wanted[head] / 2)


def test_mindspore_files_of_width_and_height_are_read(plain: Path, made: dict[str, Conversion], tmp_path: Path) -> None:
    with open_arrays(made[".ckpt"].path) as stored:
        arrays = {name: array.read() for name, array in stored.items()}
    write_arrays(tmp_path / "two.ckpt", {n: 2 * a[:2] if n.startswith("wh_fc.2.") else a for n, a in arrays.items()})
    found, wanted = load_checkpoint(tmp_path / "two.ckpt"), load_checkpoint(plain)
    assert found.sizes == wanted.sizes == HeadSizes(size_channels=2)
    for name in ("detector.head.size.2.conv.weight", "detector.head.size.2.conv.bias"):
        np.testing.assert_array_equal(found.arrays[name], wanted.arrays[name])


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_walking_boxes(tmp_path_factory.mktemp("street"), 3, 160, 160)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt"])
def test_four_distances_track_the_same_people(
    suffix: str, plain: Path, made: dict[str, Conversion], street: Path
) -> None:
    found = compare_networks(plain, made[suffix].path, video=street, input_size="64x64", progress=False)
    assert found.detections > 10
    assert found.agrees, found.excess


def test_the_file_tracks_as_it_is(plain: Path, street: Path, tmp_path: Path) -> None:
    words = ["--weights", str(plain), "--input-size", "64x64", "--output-dir", str(tmp_path), "--formats", "mot"]
    assert main(["track", str(street), *words]) == 0
    assert (tmp_path / "mot_results").is_dir()
