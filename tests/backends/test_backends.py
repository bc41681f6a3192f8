"""Every installed backend gives the same results and errors; the compiled cache and the choice of a provider."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from networks import Request, write_checkpoint, write_random_checkpoint
from numpy.typing import NDArray

from fairmot_dla34.architectures import Network
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends import Backend, BackendOptions, installed, registry
from fairmot_dla34.backends.openvino.graph import read_onnx
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, TOLERANCE, random_checkpoint, run_selfcheck, selfcheck_image
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import (
    BackendUnavailableError,
    CheckpointError,
    DeviceUnavailableError,
    InvalidInputError,
    StateError,
)
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.video import open_source
from fairmot_dla34.weights import cache_dir

INSTALLED = [name for name, present in installed().items() if present and name != "paddledet"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.mark.parametrize("name", INSTALLED)
def test_the_known_answer_is_reproduced(name: str) -> None:
    assert run_selfcheck(name) < TOLERANCE


@pytest.mark.parametrize("name", INSTALLED)
def test_peaks_are_well_formed(name: str, checkpoint: Path) -> None:
    peaks = Request(checkpoint, INPUT_SIZE, "fp32").load(name).infer(selfcheck_image())
    assert peaks.boxes.shape == (len(peaks), 4)
    assert peaks.boxes.dtype == peaks.scores.dtype == np.float32
    assert np.all(np.diff(peaks.scores) <= 0)
    assert peaks.scores.min() >= 0
    assert peaks.scores.max() <= 1
    assert peaks.embeddings is not None
    np.testing.assert_allclose(np.linalg.norm(peaks.embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", INSTALLED)
def test_use_gpu_without_a_gpu_is_an_error_and_not_a_silent_cpu_run(name: str, checkpoint: Path) -> None:
    with pytest.raises(DeviceUnavailableError):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load(name)


def test_auto_with_use_gpu_gives_the_cause_of_each_backend_and_logs_the_details(
    checkpoint: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = r"paddledet: .*; onnxruntime: .*; openvino: OpenVINO finds no GPU\)\. Install .*use_gpu=False"
    with (
        caplog.at_level(logging.INFO, logger="fairmot_dla34"),
        pytest.raises(DeviceUnavailableError, match=expected),
    ):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load("auto")
    assert "Backend openvino cannot use a GPU: OpenVINO finds no GPU, only CPU; it supports Intel GPUs" in caplog.text


def test_auto_is_openvino_and_is_logged_once(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="fairmot_dla34"):
        backend = Request(checkpoint, INPUT_SIZE).load("auto")
    lines = [record.getMessage() for record in caplog.records if "Network:" in record.getMessage()]
    assert backend.info.name == "openvino"
    assert len(lines) == 1
    for part in ("openvino", "CPU", backend.info.precision, f"{backend.info.threads} thread"):
        assert part in lines[0]


def test_a_missing_package_is_reported_with_its_pip_command(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find_spec(name))
    with pytest.raises(BackendUnavailableError, match=r"pip install '\.\[onnxruntime\]'"):
        Request(checkpoint, INPUT_SIZE).load("onnxruntime")


@pytest.mark.parametrize(
    ("name", "precision"), [("tensorrt", "auto"), ("openvino", "int3"), ("OpenVINO", "auto"), ("auto", "int4")]
)
def test_an_unknown_name_is_reported_with_the_known_ones(name: str, precision: str, checkpoint: Path) -> None:
    with pytest.raises(InvalidInputError, match="expected one of"):
        Request(checkpoint, INPUT_SIZE, precision).load(name)


def test_an_unsupported_precision_is_reported_with_the_supported_ones(checkpoint: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: it is the backend without bf16")
    with pytest.raises(InvalidInputError, match="fp32 only: use auto or fp32"):
        Request(checkpoint, INPUT_SIZE, "bf16").load("onnxruntime")


@pytest.mark.parametrize("name", INSTALLED)
def test_an_array_of_the_wrong_shape_is_named(name: str, tmp_path: Path) -> None:
    arrays = dict(random_checkpoint().arrays)
    arrays["reid.reid.0.conv.bias"] = np.zeros(7, np.float32)
    path = write_checkpoint(tmp_path / "bad.npz", arrays)
    with pytest.raises(CheckpointError, match=r"reid\.reid\.0\.conv\.bias"):
        Request(path, INPUT_SIZE, "fp32").load(name)


def test_openvino_and_onnxruntime_agree_on_a_real_frame(pets_video: Path, real_weights: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: OpenVINO is compared with it")
    size = InputSize(576, 320)
    with open_source(pets_video) as source:
        image = Letterbox(480, 360, size).apply(next(iter(source)).image)
    request = Request(real_weights, size, "fp32")
    a, b = (request.load(name).infer(image) for name in ("openvino", "onnxruntime"))
    strong = a.scores > 0.1
    assert strong.sum() >= 3
    np.testing.assert_allclose(a.boxes[strong], b.boxes[: len(strong)][strong], atol=0.01)
    np.testing.assert_allclose(a.scores[strong], b.scores[: len(strong)][strong], atol=1e-5)


def test_the_graph_rewritten_for_bf16_gives_the_same_results(checkpoint: Path) -> None:
    """Compare both graphs in fp32, in which they differ in the form of the upsampling only."""
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
    """A second start reads the compiled network, and a damaged or unusable cache costs only time."""

    def test_the_second_start_compiles_nothing(self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = start(checkpoint)
        assert len(compiled_files()) == 1
        monkeypatch.setattr(type(DLA34), "build_onnx", fail_to_build)
        np.testing.assert_array_equal(start(checkpoint), first)

    def test_other_weights_and_sizes_have_separate_files(self, checkpoint: Path, tmp_path: Path) -> None:
        start(checkpoint)
        start(write_random_checkpoint(tmp_path, seed=1))
        Request(checkpoint, InputSize(64, 64), "fp32").load("openvino")
        assert len(compiled_files()) == 3

    def test_only_the_last_used_files_are_kept(self, checkpoint: Path) -> None:
        start(checkpoint)
        (first,) = compiled_files()
        for age in range(1, 10):
            other = first.with_name(f"{age}.blob")
            other.touch()
            os.utime(other, (1e9 - age, 1e9 - age))
        start(checkpoint)
        Request(checkpoint, InputSize(64, 64), "fp32").load("openvino")
        assert len(compiled_files()) == 6
        assert first in compiled_files()
        assert {path.name for path in compiled_files()} >= {"1.blob", "4.blob"}
        assert not first.with_name("5.blob").exists()

    def test_a_damaged_file_is_replaced(self, checkpoint: Path) -> None:
        first = start(checkpoint)
        compiled_files()[0].write_bytes(b"\0" * 100)
        np.testing.assert_array_equal(start(checkpoint), first)
        assert compiled_files()[0].stat().st_size > 1_000_000

    def test_an_unwritable_cache_does_not_stop_a_run(
        self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "file"
        file.touch()
        monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(file))
        assert len(start(checkpoint)) > 0


@pytest.mark.parametrize("name", INSTALLED)
def test_a_backend_may_be_closed_twice_and_then_refuses_images(name: str, checkpoint: Path) -> None:
    backend = Request(checkpoint, INPUT_SIZE, "fp32").load(name)
    backend.close()
    backend.close()
    with pytest.raises(StateError, match="closed"):
        backend.infer(selfcheck_image())


@pytest.mark.parametrize("error", [ImportError("libcudart.so.12: cannot open"), OSError("a half-installed wheel")])
def test_a_backend_that_cannot_be_loaded_is_reported_with_the_reason(
    error: Exception, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_network: Network, _options: BackendOptions) -> Backend:
        raise error

    kind = registry._KINDS.find("openvino")
    monkeypatch.setitem(registry._KINDS._items, "openvino", dataclasses.replace(kind, build=broken))
    with pytest.raises(BackendUnavailableError, match=str(error)):
        Request(checkpoint, INPUT_SIZE).load("openvino")
    with pytest.raises(DeviceUnavailableError, match=f"openvino: {error}"):
        Request(checkpoint, INPUT_SIZE, use_gpu=True).load("auto")


@pytest.mark.parametrize("name", INSTALLED)
def test_an_unreadable_checkpoint_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.pdparams"):
        Request(tmp_path / "gone.pdparams", INPUT_SIZE, "fp32").load(name)


def test_providers_that_run_on_the_cpu_are_not_taken_for_a_gpu() -> None:
    """ONNX Runtime has further providers that may run on the CPU: choosing one would be a silent CPU run."""
    pick_provider = pytest.importorskip("fairmot_dla34.backends.onnxruntime")._pick_provider
    cpu = "CPUExecutionProvider"
    assert pick_provider([cpu], use_gpu=False) == cpu
    assert pick_provider(["DmlExecutionProvider", cpu], use_gpu=True) == "DmlExecutionProvider"
    assert (
        pick_provider(["TensorrtExecutionProvider", "CUDAExecutionProvider", cpu], use_gpu=True)
        == "CUDAExecutionProvider"
    )
    for other in ("DnnlExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider"):
        with pytest.raises(DeviceUnavailableError, match=other):
            pick_provider([other, cpu], use_gpu=True)


def start(checkpoint: Path) -> NDArray[np.float32]:
    """Load the network as a new process does, and return the boxes it gives."""
    return Request(checkpoint, INPUT_SIZE, "fp32").load("openvino").infer(selfcheck_image()).boxes


def compiled_files() -> list[Path]:
    return list((cache_dir() / "compiled").glob("*.blob"))


def fail_to_build(*_: object) -> None:
    raise AssertionError("the graph was built again")
