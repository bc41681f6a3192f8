"""The light network: small, equal as PyTorch network and as ONNX graph, recognised, trained, exported and tracked."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import Request, write_checkpoint

from fairmot_dla34.architectures import HeadSizes, identify_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.light import LIGHT
from fairmot_dla34.architectures.light.structure import CHANNELS, EMBEDDING_SIZE, HEADS
from fairmot_dla34.commands.main import main
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights import load_checkpoint

SIZES = HeadSizes(1, EMBEDDING_SIZE)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in LIGHT.array_shapes(SIZES).items():
        if name.endswith(("norm.weight", "_variance")):
            values = np.ones(shape)
        elif len(shape) == 1:
            values = rng.uniform(-0.1, 0.1, shape)
        else:
            values = rng.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape)
        arrays[name] = values.astype(np.float32)
    return arrays


def test_the_fp16_file_of_the_network_has_at_most_12_mb() -> None:
    numbers = sum(math.prod(shape) for shape in LIGHT.array_shapes(SIZES).values())
    assert 1_500_000 <= numbers <= 4_000_000
    assert 2 * numbers <= 12e6


def test_channels_fill_the_registers_of_cpus() -> None:
    assert all(channels % 32 == 0 for channels in (*CHANNELS, HEADS.in_channels, HEADS.hidden_channels))


@pytest.mark.parametrize("size", [InputSize(32, 64), InputSize(160, 96)], ids=str)
def test_the_graph_is_valid_onnx_at_any_multiple_of_32(arrays: Arrays, size: InputSize) -> None:
    model = LIGHT.build_onnx(arrays, size)
    onnx.checker.check_model(model, full_check=True)
    assert model.graph.output[-1].type.tensor_type.shape.dim[1].dim_value == EMBEDDING_SIZE


def test_a_file_is_recognised_by_its_names(arrays: Arrays, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write_checkpoint(tmp_path / "light.npz", arrays))
    assert checkpoint.architecture is LIGHT
    assert checkpoint.sizes == SIZES
    damaged = {name: array for name, array in arrays.items() if name != "light.neck.top.conv.weight"}
    assert identify_architecture({name: array.shape for name, array in damaged.items()}) is LIGHT
    with pytest.raises(CheckpointError, match=r"array light\.neck\.top\.conv\.weight is missing"):
        load_checkpoint(write_checkpoint(tmp_path / "damaged.npz", damaged))


def test_a_stem_of_zeros_is_refused(arrays: Arrays, tmp_path: Path) -> None:
    dead = {**arrays, "light.backbone.stem.1.conv.weight": np.zeros_like(arrays["light.backbone.stem.1.conv.weight"])}
    with pytest.raises(CheckpointError, match="would not depend on the image"):
        load_checkpoint(write_checkpoint(tmp_path / "dead.npz", dead))


def test_the_network_is_exported(arrays: Arrays, tmp_path: Path) -> None:
    weights = write_checkpoint(tmp_path / "light.npz", arrays)
    words = ["--weights", str(weights), "--input-size", "96x64", "--output-dir", str(tmp_path / "exported")]
    assert main(["export", "--format", "onnx", *words]) == 0
    assert list((tmp_path / "exported").rglob("*.onnx"))


def test_layers_that_stay_in_floating_point_exist(arrays: Arrays) -> None:
    """A pattern that matches no layer would quantise one that must not be."""
    names = [node.name for node in LIGHT.build_onnx(arrays, InputSize(64, 64)).graph.node]
    for pattern in LIGHT.float_layers:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


@pytest.mark.train
def test_pytorch_and_the_graph_compute_the_same_peaks(arrays: Arrays, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from fairmot_dla34.training.network.fairmot import FairMOTNetwork
    from fairmot_dla34.training.validation.torch_backend import TorchBackend

    size = InputSize(160, 96)
    network = FairMOTNetwork(LIGHT, SIZES).eval()
    network.load_arrays(arrays)
    image = np.random.default_rng(1).integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)
    weights = write_checkpoint(tmp_path / "light.npz", arrays)
    with Request(weights, size, "fp32", keep_compiled=False).load("openvino") as backend:
        expected = backend.infer(image)
    with torch.no_grad(), TorchBackend(network, size) as backend:
        found = backend.infer(image)
    np.testing.assert_allclose(found.scores[:50], expected.scores[:50], atol=1e-4)


@pytest.mark.train
def test_a_training_run_from_random_numbers_writes_a_file_that_tracks(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from small_dataset import make_small_dataset

    data = make_small_dataset(tmp_path, sequences=1, frames=4, size=(128, 96), people=3)
    run = tmp_path / "run"
    words = ["--arch", "light", "--weights", "none", "--input-size", "64x64", "--epochs", "1", "--device", "cpu"]
    words += ["--precision", "fp32", "--threads", "1"]
    assert main(["train", "--data", str(data), "--output-dir", str(run), *words]) == 0
    checkpoint = load_checkpoint(run / "best.pdparams")
    assert (checkpoint.architecture, checkpoint.sizes) == (LIGHT, SIZES)
    images = next(path for path in (tmp_path / "source").rglob("img1"))
    words = ["--weights", str(run / "best.pdparams"), "--output-dir", str(tmp_path / "tracks")]
    assert main(["track", str(images), *words]) == 0
