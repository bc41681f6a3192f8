"""Metrics of a run: no line is lost by a kill, none doubles by a resumption, and every line is JSON."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fairmot_dla34.errors import OutputError
from fairmot_dla34.training.records.metrics import (
    MetricsLog,
    StepMeans,
    StepRecord,
    ValidationRecord,
    read_metrics,
)


def step(number: int, **losses: float) -> StepRecord:
    return StepRecord(number, number // 4, 1.5 * number, 1e-4, -0.25, losses or {"heatmap": 2.0}, 3.25, 1 << 30)


def validation(number: int, **figures: float) -> ValidationRecord:
    return ValidationRecord(number, number // 4, 1.5 * number, figures, is_best=True, duration_s=2.0)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]


def test_every_record_is_a_json_object(tmp_path: Path) -> None:
    with MetricsLog(tmp_path / "run") as log:
        log.write(step(10, heatmap=1.5, identity=2.0))
        log.write(validation(10, mota=52.125, id_switches=3))
    assert lines(tmp_path / "run") == [
        {
            "kind": "step",
            "step": 10,
            "epoch": 2,
            "elapsed_s": 15.0,
            "lr": 1e-4,
            "loss": -0.25,
            "loss_heatmap": 1.5,
            "loss_identity": 2.0,
            "images_per_s": 3.25,
            "memory_bytes": 1 << 30,
        },
        {
            "kind": "validation",
            "step": 10,
            "epoch": 2,
            "elapsed_s": 15.0,
            "mota": 52.125,
            "id_switches": 3,
            "is_best": True,
            "duration_s": 2.0,
        },
    ]
    assert read_metrics(tmp_path / "run" / "metrics.jsonl") == lines(tmp_path / "run")


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    with MetricsLog(tmp_path) as log:
        log.write(step(1, heatmap=math.nan, size=math.inf))
    (record,) = lines(tmp_path)
    assert record["loss_heatmap"] is None
    assert record["loss_size"] is None


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b'{"kind": "step", "st',
        b'{"kind": "step"}',
        b"\0\0\0\n",
        b"null\n",
        b'{"step": "3"}\n',
        b"\xff\n",
        b"[" * 99999,
    ],
)
def test_a_resumed_run_has_no_step_twice(end: bytes, tmp_path: Path) -> None:
    """The state is older than the last lines, and the kill may have cut the last one."""
    with MetricsLog(tmp_path) as log:
        for number in (10, 20, 30):
            log.write(step(number))
            log.write(validation(number, mota=1.0))
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(end)
    with MetricsLog(tmp_path, resume_step=20) as log:
        log.write(step(30))
    assert [(record["kind"], record["step"]) for record in lines(tmp_path)] == [
        ("step", 10),
        ("validation", 10),
        ("step", 20),
        ("validation", 20),
        ("step", 30),
    ]


def test_a_validation_that_is_repeated_after_a_kill_is_written_once(tmp_path: Path) -> None:
    with MetricsLog(tmp_path) as log:
        log.write(validation(10, mota=1.0))
    with MetricsLog(tmp_path, resume_step=10) as log:
        log.write(validation(10, mota=1.0))
        log.write(step(10))
        log.write(validation(20, mota=2.0))
    assert [(record["kind"], record["step"]) for record in lines(tmp_path)] == [
        ("validation", 10),
        ("step", 10),
        ("validation", 20),
    ]


def test_a_whole_last_line_without_its_line_break_is_kept(tmp_path: Path) -> None:
    with MetricsLog(tmp_path) as log:
        log.write(step(10))
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    with MetricsLog(tmp_path, resume_step=10) as log:
        log.write(step(20))
    assert [record["step"] for record in lines(tmp_path)] == [10, 20]


def test_a_new_run_starts_a_new_file(tmp_path: Path) -> None:
    for number in (10, 20):
        with MetricsLog(tmp_path) as log:
            log.write(step(number))
    assert [record["step"] for record in lines(tmp_path)] == [20]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_loses_no_written_line(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from fairmot_dla34.training.records.metrics import MetricsLog, StepRecord;"
        "log = MetricsLog(Path(sys.argv[1]));"
        "[log.write(StepRecord(number, 0, 0.0, 1e-4, 1.0, {}, 1.0)) for number in range(50)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [record["step"] for record in lines(tmp_path)] == list(range(50))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    with MetricsLog(tmp_path) as log:
        log._file.close()
        log._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 (closed by the log)
        with pytest.raises(OutputError, match=r"metrics\.jsonl cannot be written \(No space left"):
            log.write(step(10))


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    for resume_step in (None, 3):
        with pytest.raises(OutputError, match=r"metrics\.jsonl cannot be"):
            MetricsLog(tmp_path, resume_step)


def test_without_a_file_there_are_no_records(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == []


def test_means_are_those_since_the_last_record() -> None:
    means = StepMeans()
    for start in (0.0, 10.0):
        means.add({"loss": start, "heatmap": start + 1}, images=2, seconds=0.5)
        means.add({"loss": start + 2, "heatmap": start + 3}, images=4, seconds=1.0)
        assert means.steps == 2
        record = means.take(step=2, epoch=0, elapsed_s=1.5, lr=1e-4)
        assert record.loss == start + 1
        assert record.losses == {"heatmap": start + 2}
        assert record.images_per_s == 4


class FakeWriter:
    """Stand-in for TensorBoard's SummaryWriter."""

    made: list[FakeWriter]
    fail = False

    def __init__(self, folder: str, *, purge_step: int | None) -> None:
        self.folder, self.purge_step, self.values, self.closed = folder, purge_step, {}, False  # type: ignore[var-annotated]
        self.made.append(self)

    def add_scalar(self, name: str, value: float, number: int) -> None:
        if self.fail:
            raise OSError(28, "No space left on device")
        self.values[name, number] = value

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> type[FakeWriter]:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    module = ModuleType("torch.utils.tensorboard")
    monkeypatch.setattr(FakeWriter, "made", [], raising=False)
    module.SummaryWriter = FakeWriter  # type: ignore[attr-defined]
    for name in ("torch", "torch.utils"):
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return FakeWriter


def test_tensorboard_gets_the_numbers(writer: type[FakeWriter], tmp_path: Path) -> None:
    old = tmp_path / "tensorboard" / "events.out.tfevents.1.host"
    old.parent.mkdir()
    old.write_bytes(b"")
    with MetricsLog(tmp_path) as log:
        log.write(step(10, heatmap=math.nan, size=2.0))
        log.write(validation(10, mota=50.0))
    (board,) = writer.made
    assert board.folder == str(tmp_path / "tensorboard")
    assert board.purge_step is None
    assert board.closed
    assert not old.exists()
    assert board.values == {
        ("train/epoch", 10): 2,
        ("train/lr", 10): 1e-4,
        ("train/loss", 10): -0.25,
        ("train/loss_size", 10): 2.0,
        ("train/images_per_s", 10): 3.25,
        ("train/memory_bytes", 10): 1 << 30,
        ("validation/epoch", 10): 2,
        ("validation/mota", 10): 50.0,
        ("validation/duration_s", 10): 2.0,
    }
    with MetricsLog(tmp_path, resume_step=10):
        assert writer.made[-1].purge_step == 11


def test_a_failure_of_tensorboard_is_logged_once_and_the_run_goes_on(
    writer: type[FakeWriter], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "fail", True)
    with MetricsLog(tmp_path) as log:
        log.write(step(10))
        log.write(step(20))
    assert [record["step"] for record in lines(tmp_path)] == [10, 20]
    (message,) = caplog.messages
    assert "TensorBoard" in message
    assert "No space left" in message


@pytest.mark.train
@pytest.mark.filterwarnings("default")
def test_real_tensorboard_files_are_written(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="TENSORBOARD ABSENT: pip install tensorboard"
    )
    with MetricsLog(tmp_path) as log:
        for number in (10, 20, 30):
            log.write(step(number, heatmap=number / 10))
    with MetricsLog(tmp_path, resume_step=20) as log:
        log.write(step(30, heatmap=7.0))
    events = reader.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss_heatmap")] == [(10, 1), (20, 2), (30, 7)]
