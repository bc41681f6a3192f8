"""int8 networks: close to fp32, kept in the cache by weights and input size, and used on request only."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from networks import Request, write_checkpoint, write_random_checkpoint
from videos import walking_boxes

from fairmot_dla34 import InputSize
from fairmot_dla34.backends.openvino.deformable import library
from fairmot_dla34.backends.openvino.int8_file import Int8Facts, Int8File, Int8Network, list_int8, write_int8
from fairmot_dla34.backends.selfcheck import INPUT_SIZE
from fairmot_dla34.commands.main import main
from fairmot_dla34.console import progress
from fairmot_dla34.errors import (
    BackendError,
    BackendUnavailableError,
    InvalidInputError,
    NotQuantizedError,
    OutputError,
    SourceNotFoundError,
)
from fairmot_dla34.quantization import QuantizationReport, quantize, report_json, report_text
from fairmot_dla34.quantization.frames import read_frames
from fairmot_dla34.values import Peaks
from fairmot_dla34.weights import cache_dir

pytest.importorskip("nncf", reason="NNCF ABSENT: pip install '.[quantize]'")


def test_int8_finds_the_people_that_fp32_finds(report: QuantizationReport) -> None:
    found = report.agreement
    assert (report.frames, found.frames) == (20, 10)
    assert found.fp32_peaks >= 10
    assert found.matched == found.fp32_peaks
    assert abs(found.int8_peaks - found.fp32_peaks) <= 2
    assert found.mean_iou is not None
    assert found.mean_iou > 0.98
    assert found.mean_score_difference is not None
    assert 0 < found.mean_score_difference < 0.01  # 0 would be fp32 itself
    assert found.mean_cosine is not None
    assert found.mean_cosine > 0.98  # over 41 people, at far less than the input size of the training


def test_the_report_names_the_next_command(report: QuantizationReport) -> None:
    text = report_text(report)
    for part in (str(report.path), "20 frames of street", "--weights sample --input-size 320x192 --precision int8"):
        assert part in text
    read = json.loads(report_json(report))
    assert read["input_size"] == "320x192"
    assert read["agreement"]["matched"] == report.agreement.matched


def test_a_calibration_video_without_people_is_reported(report: QuantizationReport) -> None:
    lost = replace(report.agreement, matched=0, mean_iou=None, mean_score_difference=None, mean_cosine=None)
    assert "with people in it" in report_text(replace(report, agreement=replace(lost, fp32_peaks=0)))
    assert "with people in it" not in report_text(replace(report, agreement=lost))  # int8 missed all of them


def test_sensitive_layers_stay_in_floating_point(int8: Request) -> None:
    import openvino

    network = Int8File(int8.network).unpack()
    quantized = {
        op.get_friendly_name().split("/")[0]
        for op in openvino.Core().read_model(network.xml, network.weights).get_ops()
        if op.get_type_name() in {"Convolution", "MatMul"}
        and op.input_value(1).get_node().get_type_name() == "Multiply"  # weights times their scale
    }
    assert len(quantized) == 51
    assert {"detector.backbone.level2.tree1.conv1", "detector.head.heatmap.0.conv"} < quantized
    for kept in ("detector.backbone.base_layer", "detector.backbone.level1", "detector.head.heatmap.2", "reid."):
        assert not any(name.startswith(kept) for name in quantized)


def test_int8_runs_without_nncf(int8: Request) -> None:
    code = (
        "import sys; sys.modules['nncf'] = None\n"
        "from fairmot_dla34 import FairMOT\n"
        "model = FairMOT('sample', precision='int8', input_size='320x192')\n"
        "print(model.backend.info)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "int8" in done.stdout


def test_auto_does_not_choose_int8(int8: Request) -> None:
    assert replace(int8, precision="auto").load("auto").info.precision in {"fp32", "bf16"}


def test_other_backends_refuse_int8(int8: Request) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX RUNTIME ABSENT: it is a backend without int8")
    with pytest.raises(InvalidInputError, match=r"fp32 only: .* or backend openvino"):
        int8.load("onnxruntime")


@pytest.mark.slow
def test_the_same_frames_give_the_same_network(int8: Request, street: Path) -> None:
    first = peaks_of_video(int8, street)
    quantize("sample", calibration=street, input_size=int8.input_size, progress=False)
    for a, b in zip(first, peaks_of_video(int8, street), strict=True):
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.scores, b.scores)


@pytest.mark.slow
def test_deformable_layers_with_offsets_of_many_cells_are_quantised(tmp_path: Path) -> None:
    """Random weights have such offsets, the sample weights have none. Boxes of a few px are not compared."""
    weights, folder = write_random_checkpoint(tmp_path), tmp_path / "boxes"
    folder.mkdir()
    for index, image in enumerate(walking_boxes(10)):
        cv2.imwrite(str(folder / f"{index:06d}.png"), image)
    found = quantize(weights, calibration=folder, input_size=INPUT_SIZE, progress=False).agreement
    assert found.int8_peaks == pytest.approx(found.fp32_peaks, rel=0.1)
    assert found.fp32_peaks > 100
    assert found.mean_score_difference is not None
    assert found.mean_score_difference < 0.03
    assert found.mean_cosine is not None
    assert found.mean_cosine > 0.98


class TestCache:
    """One file per checkpoint and input size; an error names the command that makes a missing one."""

    def test_a_missing_network_is_reported_with_the_command(self, int8: Request) -> None:
        for path in (cache_dir() / "quantized").iterdir():
            path.unlink()
        command = f"quantize --weights {int8.weights} --input-size 320x192 --calibration VIDEO"
        with pytest.raises(NotQuantizedError, match=f"int8 .* sample.npz at 320x192 is not in the cache.*{command}"):
            int8.load("openvino")
        assert issubclass(NotQuantizedError, BackendError)

    def test_another_input_size_needs_another_network(self, int8: Request) -> None:
        with pytest.raises(NotQuantizedError, match="--input-size 352x192"):
            replace(int8, input_size=InputSize(352, 192)).load("openvino")

    def test_a_changed_checkpoint_needs_another_network(self, int8: Request, tmp_path: Path) -> None:
        arrays = dict(np.load(int8.weights))
        arrays["reid.reid.2.conv.bias"] = arrays["reid.reid.2.conv.bias"] + 1
        changed = write_checkpoint(tmp_path / "sample.npz", arrays)
        with pytest.raises(NotQuantizedError, match="not in the cache"):
            replace(int8, weights=changed).load("openvino")

    @pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "of another network"])
    def test_a_damaged_file_is_reported_with_the_command(self, damage: str, int8: Request) -> None:
        (path,) = (cache_dir() / "quantized").iterdir()
        content = bytearray(path.read_bytes())
        if damage == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "flipped":
            content[len(content) // 2] ^= 255
            path.write_bytes(content)
        elif damage == "text":
            path.write_text("not a network")
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            other = replace(int8, input_size=INPUT_SIZE).network
            path.write_bytes(write_int8(other, Int8Network(b"<net/>", b""), list_int8()[0]).read_bytes())
        with pytest.raises(NotQuantizedError, match=r"damaged .* fairmot_dla34 quantize"):
            int8.load("openvino")

    def test_the_second_start_compiles_nothing_unless_the_calibration_changed(self, int8: Request) -> None:
        int8.load("openvino")
        int8.load("openvino")
        assert len(compiled_files()) == 1
        network, facts = Int8File(int8.network).unpack(), list_int8()[0]
        write_int8(int8.network, network, replace(facts, calibration="another"))
        int8.load("openvino")
        assert len(compiled_files()) == 2

    def test_info_lists_the_networks(self, int8: Request) -> None:
        (cache_dir() / "quantized" / "0.int8").write_text("not a network")
        assert list_int8() == [Int8Facts("sample.npz", "320x192", "street", 20)]

    def test_an_unwritable_cache_is_an_error_before_the_calibration(
        self, street: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(tmp_path / "file"))
        with pytest.raises(OutputError, match="quantized"):
            quantize("sample", calibration=street, input_size="64x64", progress=False)


class TestBadInput:
    """Invalid input is reported before anything is downloaded or computed."""

    def test_missing_nncf_is_reported_with_its_pip_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        find_spec = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nncf" else find_spec(name))
        with pytest.raises(BackendUnavailableError, match=r"pip install '\.\[quantize\]'"):
            quantize(calibration="street.mp4")

    def test_a_missing_video_is_named(self) -> None:
        with pytest.raises(SourceNotFoundError, match=r"no\.mp4"):
            quantize(calibration="no.mp4")

    def test_a_short_video_is_reported_with_its_length(self, tmp_path: Path) -> None:
        for index, image in enumerate(walking_boxes(9)):
            cv2.imwrite(str(tmp_path / f"{index:06d}.png"), image)
        with pytest.raises(InvalidInputError, match="has 9 frames; expected at least 10"):
            quantize(calibration=tmp_path)

    def test_the_verb_requires_a_video(self) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["quantize"])


def test_the_verbs_quantize_track_and_info_work_together(street: Path, tmp_path: Path) -> None:
    """In real processes: only JSON on stdout, no output of NNCF on stderr, and no file in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "FAIRMOT_DLA34_HOME": str(tmp_path / "cache")}
    network = ["--weights", "sample", "--input-size", "128x96"]

    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fairmot_dla34", *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )

    made = cli("quantize", "--calibration", str(street), *network, "--json")
    assert Path(json.loads(made.stdout)["path"]).is_relative_to(tmp_path / "cache")
    words = {line.split()[0] for line in made.stderr.splitlines()}
    assert words - {"calibration", "bias"} == {"Calibrating", "Comparing", "Network:"}  # a phase that lasts is shown
    done = cli("track", str(street), *network, "--precision", "int8", "--output-dir", str(tmp_path / "out"), "--json")
    assert "int8" in json.loads(done.stdout)["backend"]
    assert "int8 here: sample.npz at 128x96, calibrated on 20 frames of street" in cli("info").stdout
    assert not list(home.iterdir())


@pytest.mark.slow
def test_deformable_layers_are_stored_portable_and_run_compiled(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network has random weights and sixteen such layers; the sample weights have none."""
    weights = write_random_checkpoint(tmp_path)
    quantize(weights, calibration=street, input_size=INPUT_SIZE, progress=False)
    request = Request(weights, INPUT_SIZE, "int8", keep_compiled=False)
    assert Int8File(request.network).unpack().xml.count(b'type="DeformableConvolution"') == 16
    compiled = peaks_of_video(request, street)
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "none.so")
    monkeypatch.setattr(library, "installed_library", lambda: None)
    for one, other in zip(compiled, peaks_of_video(request, street), strict=True):
        assert np.abs(one.scores[:50] - other.scores[:50]).mean() < 0.02


def peaks_of_video(request: Request, video: Path) -> list[Peaks]:
    backend = request.load("openvino")
    return [backend.infer(image) for image in read_frames(str(video), request.input_size).comparison]


def compiled_files() -> list[Path]:
    return list((cache_dir() / "compiled").glob("*.blob"))


def test_every_phase_shows_its_progress(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "INTERVAL_S", 0.0)  # a line for each step
        quantize("sample", calibration=street, input_size="64x64")
    lines = capsys.readouterr().err.splitlines()
    for expected in ("reading street: 30 frames", "calibration: 20/20 frames", "comparison, int8: 10/10 frames"):
        assert any(line.startswith(expected) for line in lines), expected
    corrections = [line for line in lines if line.startswith("bias correction: ")]
    assert len(corrections) > 30
    count, total = re.findall(r"\d+", corrections[-1])[:2]
    assert count == total
