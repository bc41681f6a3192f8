"""Every backend: the same answers, the same errors; and what is particular to each."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from networks import Request

from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends import installed, registry
from fairmot_dla34.backends.openvino.graph import read_onnx
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import (
    BackendUnavailableError,
    CheckpointError,
    DeviceUnavailableError,
    InvalidInputError,
    StateError,
)
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, TOLERANCE, random_checkpoint, run_selfcheck, selfcheck_image
from fairmot_dla34.video import open_source
from fairmot_dla34.weights import cache_dir

HERE = [name for name, there in installed().items() if there and name != "paddledet"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.npz"
    np.savez(path, **random_checkpoint().arrays)
    return path


@pytest.mark.parametrize("name", HERE)
def test_the_known_best_peaks(name: str) -> None:
    assert run_selfcheck(name) < TOLERANCE


@pytest.mark.parametrize("name", HERE)
def test_peaks_are_well_formed(name: str, checkpoint: Path) -> None:
    peaks = Request(checkpoint, INPUT_SIZE, "fp32").load(name).infer(selfcheck_image())
    assert peaks.boxes.shape == (len(peaks), 4)
    assert peaks.boxes.dtype == peaks.scores.dtype == np.float32
    assert np.all(np.diff(peaks.scores) <= 0)
    assert peaks.scores.min() >= 0
    assert peaks.scores.max() <= 1
    assert peaks.embeddings is not None
    np.testing.assert_allclose(np.linalg.norm(peaks.embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", HERE)
def test_gpu_without_a_gpu_is_an_error_and_never_a_silent_cpu_run(name: str, checkpoint: Path) -> None:
    with pytest.raises(DeviceUnavailableError):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load(name)


def test_auto_with_gpu_says_why_none_of_them_can(checkpoint: Path) -> None:
    with pytest.raises(DeviceUnavailableError, match=r"openvino: .*use_gpu=False"):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load("auto")


def test_auto_is_openvino_and_is_logged_once(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="fairmot_dla34"):
        backend = Request(checkpoint, INPUT_SIZE).load("auto")
    lines = [record.getMessage() for record in caplog.records if "Network:" in record.getMessage()]
    assert backend.info.name == "openvino"
    assert len(lines) == 1
    for told in ("openvino", "CPU", backend.info.precision, "threads"):
        assert told in lines[0]


def test_a_missing_package_names_the_pip_line(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
    with pytest.raises(BackendUnavailableError, match=r"pip install 'fairmot_dla34\[onnxruntime\]'"):
        Request(checkpoint, INPUT_SIZE).load("onnxruntime")


@pytest.mark.parametrize(
    ("name", "precision"), [("tensorrt", "auto"), ("openvino", "int3"), ("OpenVINO", "auto"), ("auto", "int4")]
)
def test_unknown_names_list_what_there_is(name: str, precision: str, checkpoint: Path) -> None:
    with pytest.raises(InvalidInputError, match="expected one of"):
        Request(checkpoint, INPUT_SIZE, precision).load(name)


def test_a_precision_that_a_backend_lacks_names_those_it_has(checkpoint: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: it is the backend without bf16")
    with pytest.raises(InvalidInputError, match="fp32 only: use auto or fp32"):
        Request(checkpoint, INPUT_SIZE, "bf16").load("onnxruntime")


@pytest.mark.parametrize("name", HERE)
def test_a_checkpoint_with_a_misshapen_array_names_it(name: str, tmp_path: Path) -> None:
    arrays = dict(random_checkpoint().arrays)
    arrays["reid.reid.0.conv.bias"] = np.zeros(7, np.float32)
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(CheckpointError, match=r"reid\.reid\.0\.conv\.bias"):
        Request(path, INPUT_SIZE, "fp32").load(name)


def test_openvino_and_onnxruntime_agree_on_a_real_frame(pets_video: Path, real_weights: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: nothing to compare with")
    size = InputSize(576, 320)
    with open_source(pets_video) as source:
        image = Letterbox(480, 360, size).apply(next(iter(source)).image)
    request = Request(real_weights, size, "fp32")
    a, b = (request.load(name).infer(image) for name in ("openvino", "onnxruntime"))
    strong = a.scores > 0.1
    assert strong.sum() >= 3
    np.testing.assert_allclose(a.boxes[strong], b.boxes[: len(strong)][strong], atol=0.01)
    np.testing.assert_allclose(a.scores[strong], b.scores[: len(strong)][strong], atol=1e-5)


def test_what_is_read_for_bf16_is_the_same_network(checkpoint: Path) -> None:
    """Compared in fp32, where nothing but the form of the upsampling differs."""
    import openvino

    onnx_model = Request(checkpoint, INPUT_SIZE).network.serialized_onnx()
    outputs, upsamplings = [], []
    for for_bf16 in (False, True):
        core = openvino.Core()
        model = read_onnx(core, onnx_model, for_bf16=for_bf16)
        upsamplings.append(sum(op.get_type_name() == "GroupConvolutionBackpropData" for op in model.get_ops()))
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        outputs.append(list(compiled(selfcheck_image()[None]).values()))
    assert upsamplings == [8, 0]
    for plain, rewritten in zip(*outputs, strict=True):
        np.testing.assert_allclose(rewritten[:50], plain[:50], rtol=1e-3, atol=1e-3)


class TestCompiledCache:
    """A second start must not compile again, and a bad cache must never be a reason to fail."""

    def test_the_second_start_reads_what_the_first_left(
        self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = start(checkpoint)
        assert len(blobs()) == 1
        monkeypatch.setattr(type(DLA34), "build_onnx", refuse)
        np.testing.assert_array_equal(start(checkpoint), first)

    def test_other_weights_and_sizes_have_files_of_their_own(self, checkpoint: Path, tmp_path: Path) -> None:
        start(checkpoint)
        other = tmp_path / "other.npz"
        np.savez(other, **random_checkpoint(seed=1).arrays)
        start(other)
        Request(checkpoint, InputSize(64, 64), "fp32").load("openvino")
        assert len(blobs()) == 3

    def test_only_the_files_used_last_are_kept(self, checkpoint: Path) -> None:
        start(checkpoint)
        (first,) = blobs()
        for age in range(1, 10):
            other = first.with_name(f"{age}.blob")
            other.touch()
            os.utime(other, (1e9 - age, 1e9 - age))
        start(checkpoint)
        Request(checkpoint, InputSize(64, 64), "fp32").load("openvino")
        assert len(blobs()) == 6
        assert first in blobs()
        assert {path.name for path in blobs()} >= {"1.blob", "4.blob"}
        assert not first.with_name("5.blob").exists()

    def test_a_damaged_file_is_made_again(self, checkpoint: Path) -> None:
        first = start(checkpoint)
        blobs()[0].write_bytes(b"\0" * 100)
        np.testing.assert_array_equal(start(checkpoint), first)
        assert blobs()[0].stat().st_size > 1_000_000

    def test_a_cache_that_cannot_be_written_costs_only_time(
        self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        in_the_way = tmp_path / "file"
        in_the_way.touch()
        monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(in_the_way))
        assert len(start(checkpoint)) > 0


@pytest.mark.parametrize("name", HERE)
def test_closing_twice_is_fine_and_using_it_afterwards_is_told(name: str, checkpoint: Path) -> None:
    backend = Request(checkpoint, INPUT_SIZE, "fp32").load(name)
    backend.close()
    backend.close()
    with pytest.raises(StateError, match="closed"):
        backend.infer(selfcheck_image())


@pytest.mark.parametrize("error", [ImportError("libcudart.so.12: cannot open"), OSError("a half-installed wheel")])
def test_a_backend_that_cannot_be_loaded_is_told_with_its_reason(
    error: Exception, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    kind = registry._kinds["openvino"]
    monkeypatch.setitem(registry._kinds, "openvino", dataclasses.replace(kind, build=broken))
    with pytest.raises(BackendUnavailableError, match=str(error)):
        Request(checkpoint, INPUT_SIZE).load("openvino")
    with pytest.raises(DeviceUnavailableError, match=str(error)):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load("auto")


@pytest.mark.parametrize("name", HERE)
def test_a_checkpoint_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.pdparams"):
        Request(tmp_path / "gone.pdparams", INPUT_SIZE, "fp32").load(name)


def test_only_real_accelerators_count_as_one() -> None:
    """Some of ONNX Runtime's providers compute on the CPU: taking them would be a silent CPU run."""
    pick = pytest.importorskip("fairmot_dla34.backends.onnxruntime")._pick_provider
    cpu = "CPUExecutionProvider"
    assert pick([cpu], use_gpu=False) == cpu
    assert pick(["DmlExecutionProvider", cpu], use_gpu=True) == "DmlExecutionProvider"
    assert pick(["TensorrtExecutionProvider", "CUDAExecutionProvider", cpu], use_gpu=True) == "CUDAExecutionProvider"
    for other in ("DnnlExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider"):
        with pytest.raises(DeviceUnavailableError, match=other):
            pick([other, cpu], use_gpu=True)


def start(checkpoint: Path) -> np.ndarray:
    return Request(checkpoint, INPUT_SIZE, "fp32").load("openvino").infer(selfcheck_image()).boxes


def blobs() -> list[Path]:
    return list((cache_dir() / "compiled").glob("*.blob"))


def refuse(*_: object) -> None:
    raise AssertionError("the graph was built again")
