"""The verb ``train``: wrong usage, a missing PyTorch, and the input size that trained weights state."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_dataset import make_small_dataset

from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.commands.main import main
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError, TrainingUnavailableError
from fairmot_dla34.training import TrainingConfig, train
from fairmot_dla34.weights import resolve_network, write_pdparams
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME, stored_input_size

WRONG = {
    "no data": [],
    "epochs": ["--epochs", "0"],
    "epochs, fraction": ["--epochs", "1.5"],
    "epochs, huge": ["--epochs", "100001"],
    "minutes": ["--minutes", "0"],
    "minutes, nan": ["--minutes", "nan"],
    "minutes, infinite": ["--minutes", "inf"],
    "minutes, negative": ["--minutes", "-1"],
    "both": ["--epochs", "1", "--minutes", "1"],
    "batch": ["--batch-size", "0"],
    "lr": ["--lr", "0"],
    "lr, negative": ["--lr", "-1e-4"],
    "lr, text": ["--lr", "high"],
    "seed": ["--seed", "-1"],
    "val every": ["--val-every", "0"],
    "best": ["--best", "loss"],
    "threads": ["--threads", "0"],
    "precision": ["--precision", "fp16"],
    "loss": ["--loss", "l2"],
    "loss, one of two": ["--loss", "giou,l2"],
    "freeze": ["--freeze", "neck"],
    "arch": ["--arch", "resnet"],
    "input size": ["--input-size", "100x100"],
    "input size, text": ["--input-size", "large"],
    "engine": ["--engine", "jax"],
    "resume and overwrite": ["--resume", "--overwrite"],
    "data twice": ["--data", "."],
    "a word": ["more"],
    "an option": ["--epoch-count", "3"],
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_line_and_exit_code_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = [] if name == "no data" else ["--data", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main(["train", *data, *WRONG[name]])
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("fairmot_dla34 train: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.train
@pytest.mark.parametrize(
    ("device", "code", "words"),
    [("gpu", 2, "--device is 'gpu'; expected auto, cpu, cuda or cuda:N"), ("cuda:99", 1, "cuda:99")],
)
def test_devices(device: str, code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    try:
        ended = main(["train", "--data", str(tmp_path), "--device", device])
    except SystemExit as request:
        ended = request.code  # type: ignore[assignment]
    assert ended == code
    assert words in capsys.readouterr().err


@pytest.mark.train
def test_a_folder_that_is_not_prepared_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(["train", "--data", str(tmp_path), "--output-dir", str(tmp_path / "run")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path) in line
    assert "prepare" in line
    assert not (tmp_path / "run").exists()


def test_without_pytorch_the_pip_command_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_small_dataset(tmp_path, sequences=1, frames=1, size=(96, 64), people=2)
    monkeypatch.setitem(sys.modules, "torch", None)  # an import then fails
    with pytest.raises(TrainingUnavailableError, match=r"not installed; install it with pip install .*train"):
        train(TrainingConfig(data=(data,), output_dir=tmp_path / "run"))
    assert main(["train", "--data", str(data), "--output-dir", str(tmp_path / "run")]) == 1
    assert "pip install" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return random_checkpoint(0).arrays


def write_with_size(path: Path, arrays: Arrays, size: object) -> Path:
    write_pdparams(path, {**arrays, INPUT_SIZE_NAME: np.array(size, np.float32)})
    return path


def test_networks_have_the_input_size_of_trained_weights(arrays: Arrays, tmp_path: Path) -> None:
    weights = write_with_size(tmp_path / "trained.pdparams", arrays, (160, 96))
    assert resolve_network(weights).input_size == InputSize(160, 96)
    assert resolve_network(weights, "128x96").input_size == InputSize(128, 96)
    out = tmp_path / "out"
    assert main(["export", "--format", "onnx", "--weights", str(weights), "--output-dir", str(out)]) == 0
    import onnx

    (file,) = out.rglob("*.onnx")
    shape = onnx.load(file).graph.input[0].type.tensor_type.shape
    assert [side.dim_value for side in shape.dim] == [1, 96, 160, 3]


@pytest.mark.parametrize(
    "size", [(0, 96), (-160, 96), (161, 96), (np.nan, 96), (np.inf, 96), (1e30, 1e30), (160, 96.5), (1e6, 1e6)]
)
def test_an_impossible_input_size_in_a_file_is_refused(
    arrays: Arrays, tmp_path: Path, size: tuple[float, float]
) -> None:
    weights = write_with_size(tmp_path / "hostile.pdparams", arrays, size)
    with pytest.raises(CheckpointError, match="states its input size"):
        stored_input_size(weights)
    with pytest.raises(CheckpointError, match="states its input size"):
        resolve_network(weights)
    assert resolve_network(weights, "128x96").input_size == InputSize(128, 96)


@pytest.mark.parametrize("size", [160.0, [160.0], [160.0, 96.0, 3.0], [[160.0, 96.0]], np.empty((0, 2))])
def test_another_shape_is_no_input_size(arrays: Arrays, tmp_path: Path, size: object) -> None:
    assert (
        stored_input_size(write_with_size(tmp_path / "other.pdparams", {"a": arrays[next(iter(arrays))]}, size)) is None
    )
