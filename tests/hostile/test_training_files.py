"""Hostile trials of the verb ``train`` without PyTorch: odd options and settings, and input sizes in weights files."""

from __future__ import annotations

import contextlib
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import Trials

from fairmot_dla34.commands.main import main
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError, InvalidInputError
from fairmot_dla34.training import TrainingConfig
from fairmot_dla34.weights import write_pdparams
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME, stored_input_size

OPTIONS = (
    "--weights", "--arch", "--input-size", "--freeze", "--loss", "--epochs", "--minutes", "--batch-size", "--lr",
    "--seed", "--val-every", "--best", "--device", "--precision", "--threads", "--engine", "--val", "--output-dir",
)  # fmt: skip
VALUES = [
    "",
    " ",
    "0",
    "-1",
    "nan",
    "inf",
    "1e400",
    "9" * 400,
    "1,",
    ",",
    "none",
    "\x00",
    "\ud800",
    "x\ny",
    "64x",
    "🚶",
]
SETTINGS: dict[str, Any] = {
    "data": "people", "val": "people", "arch": 7, "input_size": "64by64", "epochs": 1.5, "minutes": "5",
    "batch_size": True, "lr": float("nan"), "plain_neck": 2, "freeze": "norms", "loss": "giou", "resume": None,
    "device": 0, "precision": None, "seed": 2**32, "threads": "4", "output_dir": None, "best": 1, "val_every": 0.5,
    "overwrite": "yes",
}  # fmt: skip


def test_odd_values_of_options(
    trials: Trials, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data is no dataset, so that every command ends before it trains."""
    monkeypatch.chdir(tmp_path)
    for option, value in itertools.product(OPTIONS, VALUES):
        with trials("train, odd option", f"{option} {value[:20]!r}"):
            code = _exit_code(option, value, tmp_path)
            lines = capsys.readouterr().err.splitlines()
            assert code in {1, 2}
            assert len(lines) == 1, lines
            assert lines[0].startswith("fairmot_dla34")
            assert len(lines[0]) <= 340
            assert not list(tmp_path.iterdir())


def _exit_code(option: str, value: str, folder: Path) -> object:
    try:
        return main(["train", "--data", str(folder / "absent"), option, value])
    except SystemExit as request:
        return request.code


def test_odd_settings_from_python(trials: Trials) -> None:
    odd = [None, 0, -1, 1.5, float("nan"), "", "x", b"x", (), [], {}, object(), True, 10**400]
    for name, wrong in SETTINGS.items():
        with trials("train, odd setting", name), pytest.raises(InvalidInputError, match=_in_words(name)):
            _configured(name, wrong)
        for value in odd:
            with trials("train, odd setting", f"{name} {value!r:.20}"), contextlib.suppress(InvalidInputError):
                _configured(name, value)


def _configured(name: str, value: object) -> None:
    settings: dict[str, Any] = {"data": (Path("people"),), name: value}
    TrainingConfig(**settings)


def _in_words(name: str) -> str:
    return f"(?i){name.replace('_', '[ _]')} "


def test_odd_input_sizes_in_weights(trials: Trials, tmp_path: Path) -> None:
    generator = random.Random(21)  # noqa: S311 (not for cryptography)
    values = [0.0, -32.0, 31.0, 32.0, 64.5, 1088.0, 16384.0, 16416.0, 1e9, 3e38, np.nan, np.inf, -np.inf, 1e-40]
    for number in range(100):
        shape = generator.choice([(2,), (2,), (2,), (1,), (3,), (1, 2), (0,)])
        array = np.array([generator.choice(values) for _ in range(int(np.prod(shape)))], np.float32).reshape(shape)
        path = tmp_path / "hostile.pdparams"
        write_pdparams(path, {INPUT_SIZE_NAME: array, "a": [1.0]})
        with trials("trained weights, odd input size", f"{number} {array}"):
            sides = array.ravel().tolist()
            if shape != (2,):
                assert stored_input_size(path) is None
            elif all(side in {32.0, 1088.0, 16384.0} for side in sides):
                assert stored_input_size(path) == InputSize(int(sides[0]), int(sides[1]))
            else:
                with pytest.raises(CheckpointError, match="states its input size"):
                    stored_input_size(path)
