"""The command line in real processes: files, output streams, exit codes, and one line per error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import pytest
from networks import write_checkpoint, write_random_checkpoint
from processes import python_process
from videos import walking_boxes

from fairmot_dla34.backends.selfcheck import random_checkpoint

SMALL = ("--input-size", "128x96")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random weights, which detects many "people" in any image."""
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 images."""
    path = tmp_path_factory.mktemp("street") / "street"
    path.mkdir()
    for index, image in enumerate(walking_boxes(12)):
        cv2.imwrite(str(path / f"{index:06d}.png"), image)
    return path


def cli(
    *arguments: object, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process, with further environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "fairmot_dla34", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | (environment or {}),
    )


def test_track_writes_the_files_it_lists(folder: Path, weights: Path, tmp_path: Path) -> None:
    formats = "mot,jsonl,csv,kitti"
    done = cli("track", folder, "--weights", weights, *SMALL, "--output-dir", tmp_path, "--formats", formats)
    assert done.returncode == 0, done.stderr
    assert "street: 12 frames" in done.stdout
    assert "Network: openvino" in done.stderr
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("mot_*/*"))
    assert written == [
        "mot_outputs/street_vis.mp4",
        "mot_results/street.csv",
        "mot_results/street.jsonl",
        "mot_results/street.kitti.txt",
        "mot_results/street.txt",
    ]
    for path in written:
        assert f"wrote {tmp_path / path}" in done.stdout


def test_json_is_the_only_output_on_stdout(folder: Path, weights: Path, tmp_path: Path) -> None:
    done = cli(
        "track", folder, "--weights", weights, *SMALL, "--output-dir", tmp_path, "--no-visualization", "--json",
        "--frame-stride", 3, "--precision", "fp32", "--tracker", "byte",
    )  # fmt: skip
    summary = json.loads(done.stdout)
    assert summary["frames"] == 4
    assert summary["paths"] == [str(tmp_path / "mot_results" / "street.txt")]
    assert "fp32" in summary["backend"]


def test_results_are_written_to_the_current_directory_by_default(folder: Path, weights: Path, tmp_path: Path) -> None:
    assert cli("track", folder, "--weights", weights, *SMALL, cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fairmot_dla34", "mot_outputs", "mot_results"]


@pytest.mark.parametrize("arguments", [[], ["track"], ["fly"], ["track", "x", "--frame-stride", "two"], ["weights"]])
def test_a_usage_error_exits_with_2(arguments: list[str]) -> None:
    assert cli(*arguments).returncode == 2


class TestBadInput:
    """Invalid input is reported in one line, with exit code 1; a wrong option value with 2."""

    def check(self, done: subprocess.CompletedProcess[str], *parts: str, code: int = 1) -> None:
        assert done.returncode == code, done
        lines = [line for line in done.stderr.splitlines() if line.startswith("fairmot_dla34")]
        assert len(lines) == 1, done.stderr
        assert "Traceback" not in done.stderr
        for part in parts:
            assert part in lines[0]

    def test_a_missing_video(self, weights: Path, tmp_path: Path) -> None:
        self.check(cli("track", tmp_path / "no.mp4", "--weights", weights), "no.mp4", "does not exist")

    def test_a_directory_without_images(self, weights: Path, tmp_path: Path) -> None:
        self.check(cli("track", tmp_path, "--weights", weights), "no images")

    def test_a_text_file_named_mp4(self, weights: Path, tmp_path: Path) -> None:
        (tmp_path / "notes.mp4").write_text("not a video\n" * 100)
        self.check(cli("track", tmp_path / "notes.mp4", "--weights", weights), "notes.mp4")

    def test_unknown_weights_are_reported_before_any_download(self, folder: Path, tmp_path: Path) -> None:
        self.check(cli("track", folder, "--weights", "fairmot_dla99", "--output-dir", tmp_path), "fairmot_dla99")

    def test_offline_names_the_missing_file_and_a_way_out(self, folder: Path, tmp_path: Path) -> None:
        done = cli("track", folder, "--output-dir", tmp_path, environment={"FAIRMOT_DLA34_OFFLINE": "1"})
        self.check(done, "fairmot_dla34_30e_1088x608.pdparams", "--weights sample")

    def test_a_file_in_place_of_the_output_directory(self, folder: Path, weights: Path, tmp_path: Path) -> None:
        (tmp_path / "out").touch()
        self.check(cli("track", folder, "--weights", weights, *SMALL, "--output-dir", tmp_path / "out"), "out")

    @pytest.mark.parametrize("threshold", ["nan", "-0.5", "2"])
    def test_a_threshold_out_of_range(self, threshold: str, folder: Path, weights: Path) -> None:
        done = cli("track", folder, "--weights", weights, f"--draw-threshold={threshold}")
        self.check(done, "--draw-threshold", "0 to 1", code=2)

    @pytest.mark.parametrize(
        "option",
        [
            "--frame-stride=0",
            "--frame-rate=0",
            "--input-size=100x100",
            "--formats=xml",
            "--backend=tpu",
            "--precision=int3",
            "--tracker=sort",
            "--frame-rate=1e12",
        ],
    )
    def test_an_option_value_out_of_range(self, option: str, folder: Path, weights: Path, tmp_path: Path) -> None:
        done = cli("track", folder, "--weights", weights, "--output-dir", tmp_path, option)
        self.check(done, option.split("=", maxsplit=1)[0], code=2)

    def test_use_gpu_without_a_gpu(self, folder: Path, weights: Path, tmp_path: Path) -> None:
        done = cli("track", folder, "--weights", weights, "--output-dir", tmp_path, "--use-gpu")
        self.check(done, "--use-gpu is given, but no backend has a usable GPU")
        assert "use_gpu" not in done.stderr
        assert not list(tmp_path.rglob("*.txt"))

    def test_a_backend_that_is_not_installed(self, folder: Path, weights: Path) -> None:
        done = cli("track", folder, "--weights", weights, "--backend", "paddledet")
        if done.returncode == 0:
            pytest.skip("PADDLE PRESENT: the message about its absence cannot be tested")
        self.check(done, "pip install '.[paddle]'")

    def test_a_checkpoint_without_one_array(self, folder: Path, tmp_path: Path) -> None:
        arrays = dict(random_checkpoint().arrays)
        del arrays["detector.head.size.2.conv.weight"]
        path = write_checkpoint(tmp_path / "part.npz", arrays)
        done = cli("track", folder, "--weights", path, "--output-dir", tmp_path)
        self.check(done, "detector.head.size.2.conv.weight")


def test_a_truncated_video_is_tracked_up_to_the_cut(pets_video: Path, weights: Path, tmp_path: Path) -> None:
    whole = pets_video.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 20])
    done = cli("track", cut, "--weights", weights, *SMALL, "--output-dir", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert 10 < json.loads(done.stdout)["frames"] < 100
    assert "cut.avi" in done.stderr


@pytest.mark.serial
def test_ctrl_c_exits_with_130_and_complete_outputs(pets_video: Path, weights: Path, tmp_path: Path) -> None:
    text = tmp_path / "mot_results" / "vtest_480x360.txt"
    command = ("-m", "fairmot_dla34", "track", str(pets_video), "--weights", str(weights), *SMALL)
    with python_process(*command, "--output-dir", str(tmp_path)) as process:
        deadline = time.monotonic() + 60
        while not text.exists() or text.stat().st_size < 2000:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    frames = int(text.read_text().splitlines()[-1].split(",")[0])
    with av.open(str(tmp_path / "mot_outputs" / "vtest_480x360_vis.mp4")) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    assert abs(decoded - frames) <= 1  # the interrupt may fall between the two outputs of a frame


def test_the_weights_verbs_list_locate_and_verify(weights: Path, tmp_path: Path) -> None:
    names = [entry["name"] for entry in json.loads(cli("weights", "list", "--json").stdout)]
    assert "fairmot_dla34_30e_1088x608" in names
    assert all(name in cli("weights", "list").stdout for name in names)
    assert cli("weights", "path", weights).stdout.strip() == str(weights)
    assert "every array is present" in cli("weights", "verify", weights).stdout
    home = {"FAIRMOT_DLA34_HOME": str(tmp_path)}
    assert cli("weights", "path", environment=home).stdout.strip() == str(
        tmp_path / "fairmot_dla34_30e_1088x608.pdparams"
    )
    missing = cli("weights", "verify", environment=home)
    assert missing.returncode == 1
    assert "weights download" in missing.stderr


def test_the_weights_verbs_use_the_shipped_sample_without_a_download(tmp_path: Path) -> None:
    offline = {"FAIRMOT_DLA34_HOME": str(tmp_path / "home"), "FAIRMOT_DLA34_OFFLINE": "1"}
    path = cli("weights", "path", "sample", environment=offline).stdout.strip()
    assert Path(path).is_file()
    assert cli("weights", "download", "sample", environment=offline).stdout.strip() == path  # nothing to download
    assert "every array is present" in cli("weights", "verify", "sample", environment=offline).stdout
    assert "ships in this package" in cli("weights", "list", environment=offline).stdout
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("name", "endings"), [("onnx", [".onnx"]), ("openvino", [".xml", ".bin"])])
def test_export_writes_files_that_load(name: str, endings: list[str], weights: Path, tmp_path: Path) -> None:
    import openvino

    done = cli("export", "--format", name, "--weights", weights, *SMALL, "--output-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert [path.suffix for path in paths] == endings
    assert all(path.stat().st_size > 0 for path in paths)
    if name == "openvino":
        assert len(openvino.Core().read_model(paths[0]).outputs) == 5


def test_info_runs_the_self_check() -> None:
    done = cli("info", "--json")
    info = json.loads(done.stdout)
    assert info["backends"]["openvino"]
    assert info["devices"]["CPU"]
    assert info["selfcheck"].startswith("ok")
    assert "known answer: ok" in cli("info").stdout
