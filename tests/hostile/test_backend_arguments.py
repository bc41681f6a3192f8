"""Backend settings of wrong types and sizes: every one is an error of the package, before anything is loaded."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import Trials

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends import BackendKind, BackendOptions, check_backend, create_backend, register_backend
from fairmot_dla34.backends.export import export
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.evaluation import compare_networks
from fairmot_dla34.quantization import quantize
from fairmot_dla34.weights import convert

WRONG: tuple[Any, ...] = (
    [],
    ["openvino"],
    {},
    {"openvino": 1},
    b"openvino",
    10**400,
    10**5000,
    -1,
    0.5,
    float("nan"),
    (),
    object(),
    np.zeros(3),
    np.array(["openvino", "fp32"]),
    "\0",
    "x" * 5000,
    "\ud800",
    lambda: None,
)
SETTINGS = ("backend", "precision", "threads", "streams", "use_gpu")


def test_settings_of_a_model(trials: Trials) -> None:
    values = dict.fromkeys(("backend", "precision", "threads", "streams"), (*WRONG, True)) | {"use_gpu": WRONG}
    for name, value in ((name, value) for name, many in values.items() for value in many):
        with trials("backend setting, wrong value", f"{name}, {type(value).__name__}"):
            refused(lambda name=name, value=value: FairMOT("sample", input_size="64x64", **{name: value}))


def test_settings_of_a_backend(trials: Trials) -> None:
    for name, value in itertools.product(("precision", "threads", "streams", "use_gpu"), WRONG):
        with trials("backend setting, wrong value", f"BackendOptions, {name}, {type(value).__name__}"):
            refused(lambda name=name, value=value: BackendOptions(**{name: value}))
    for value in WRONG:
        with trials("backend setting, wrong value", f"check_backend, {type(value).__name__}"):
            refused(lambda value=value: check_backend(value))
        with trials("backend setting, wrong value", f"create_backend, {type(value).__name__}"):
            refused(lambda value=value: create_backend("openvino", value))
        with trials("backend setting, wrong value", f"create_backend, options, {type(value).__name__}"):
            refused(lambda value=value: create_backend("openvino", None, value))  # type: ignore[arg-type]
        with trials("backend setting, wrong value", f"register_backend, {type(value).__name__}"):
            refused(lambda value=value: register_backend(value))
        with trials("backend setting, wrong value", f"BackendKind, {type(value).__name__}"):
            refused(lambda value=value: register_backend(BackendKind(value, lambda *_: None)))  # type: ignore[arg-type]


def test_settings_of_export_and_quantize(trials: Trials) -> None:
    for value in WRONG:
        with trials("export and quantize, wrong value", f"format, {type(value).__name__}"):
            refused(lambda value=value: export("sample", value, "."))
        with trials("export and quantize, wrong value", f"weights, {type(value).__name__}"):
            refused(lambda value=value: export(value, "onnx", "."))
        with trials("export and quantize, wrong value", f"input size, {type(value).__name__}"):
            refused(lambda value=value: export("sample", "onnx", ".", value))
        with trials("export and quantize, wrong value", f"calibration, {type(value).__name__}"):
            refused(lambda value=value: quantize("sample", calibration=value, input_size="64x64", progress=False))
    for value in ([], {}, b"out", 10**400, True, object(), "\0", "x" * 5000, "\ud800"):
        with trials("export and quantize, wrong value", f"output folder, {type(value).__name__}"):
            refused(lambda value=value: export("sample", "onnx", value, "64x64"))


def test_arguments_of_convert(tmp_path: Path, trials: Trials) -> None:
    out = tmp_path / "out.npz"
    for value in WRONG:
        kind = type(value).__name__
        with trials("convert, wrong value", f"weights, {kind}"):
            refused(lambda value=value: convert(value, out, progress=False))
        with trials("convert, wrong value", f"path, {kind}"):
            refused(lambda value=value: convert("sample", value))
        with trials("convert, wrong value", f"video, {kind}"):
            refused(lambda value=value: compare_networks("sample", "sample", video=value, input_size="64x64"))
        if value is not None:
            with trials("convert, wrong value", f"to, {kind}"):
                refused(lambda value=value: convert("sample", out, to=value))
            with trials("convert, wrong value", f"input size, {kind}"):
                refused(lambda value=value: convert("sample", out, input_size=value))
        if not isinstance(value, bool):
            with trials("convert, wrong value", f"float16, {kind}"):
                refused(lambda value=value: convert("sample", out, float16=value))
            with trials("convert, wrong value", f"overwrite, {kind}"):
                refused(lambda value=value: convert("sample", out, overwrite=value))
    assert not out.exists()


def refused(call: Any) -> None:
    with pytest.raises(FairMOTError) as caught:
        call()
    assert 20 <= len(str(caught.value)) <= 300
    assert str(caught.value).isprintable()
