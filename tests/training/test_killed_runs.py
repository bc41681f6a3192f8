"""Training runs that are killed or asked to stop end in one line and continue to the same weights."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

pytest.importorskip("torch")

from small_dataset import make_small_dataset
from small_training import register_small, same_arrays, small_config, training_process

from fairmot_dla34.training import train
from fairmot_dla34.training.records.metrics import read_metrics

pytestmark = [pytest.mark.train, pytest.mark.serial]

EPOCHS = 12
STEPS = 3 * EPOCHS
KILLS = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_dataset(tmp_path_factory.mktemp("data"), sequences=1, frames=6, size=(96, 64), people=3)


@pytest.fixture(scope="module")
def validated_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validated")
    return make_small_dataset(folder, sequences=1, frames=8, size=(96, 64), people=3, val=0.25)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that was not interrupted."""
    register_small()
    folder = tmp_path_factory.mktemp("whole")
    train(small_config(data, folder, epochs=EPOCHS))
    return folder


def wait_for(condition: Callable[[], bool], process: BaseProcess) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        assert process.is_alive(), "the run ended"
        assert time.monotonic() < end_s, "the run hangs"
        time.sleep(0.002)


def wait_for_text(text: str, output: Path, process: BaseProcess) -> None:
    wait_for(lambda: output.exists() and text in output.read_text(), process)


def send(number: signal.Signals, process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def saved_at(run: Path) -> int:
    """Return the time of the saved state in ns; 0 without one."""
    state = run / "state.pt"
    return state.stat().st_mtime_ns if state.is_file() else 0


def error_line(output: Path) -> str:
    """Return the only line of the command's errors."""
    (line,) = [line for line in output.read_text().splitlines() if line.startswith("fairmot_dla34")]
    return line


def words(data: Path, folder: Path, *more: str) -> tuple[str | Path, ...]:
    return ("--data", data, "--weights", "none", "--epochs", str(EPOCHS), "--output-dir", folder, *more)


def last_step(folder: Path) -> int:
    import torch

    return int(torch.load(folder / "state.pt", weights_only=True)["progress"]["step"])


def resume(data: Path, run: Path, output: Path, *more: str, validation_s: float | None = None) -> None:
    with training_process(output, *words(data, run, "--resume", *more), validation_s=validation_s) as process:
        process.join()
        assert process.exitcode == 0, output.read_text()


def test_sigkill_at_any_moment_loses_at_most_the_step_after_the_last_state(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    """The state is saved after every step, so that most kills hit the writing of a file."""
    rng = random.Random(12)  # noqa: S311 (not for cryptography)
    run, output = tmp_path / "run", tmp_path / "output"
    steps = [0]
    for _ in range(KILLS):
        before = saved_at(run)
        with training_process(output, *words(data, run, *["--resume"][: len(steps) - 1])) as process:
            wait_for(partial(_is_saved_after, run, before), process)
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            process.join()
        steps.append(last_step(run))
        assert steps[-2] <= steps[-1] < STEPS, output.read_text()
    resume(data, run, output)
    assert same_arrays(run / "last.pdparams", whole / "last.pdparams"), steps
    assert not list(run.glob("*.tmp"))
    recorded = [record["step"] for record in read_metrics(run / "metrics.jsonl")]
    assert recorded == sorted(set(recorded))
    assert recorded[-1] == STEPS


def _is_saved_after(run: Path, time_ns: int) -> bool:
    return saved_at(run) > time_ns


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_run(data: Path, whole: Path, tmp_path: Path, number: signal.Signals) -> None:
    run, output = tmp_path / "run", tmp_path / "output"
    with training_process(output, *words(data, run), save_every_s=1e9) as process:
        wait_for_text("step 1/3", output, process)
        time.sleep(0.02 * number)
        send(number, process)
        process.join(20)
        assert process.exitcode == 128 + number, output.read_text()
    line = error_line(output)
    assert f"step {last_step(run)} is saved" in line
    assert "--resume" in line
    assert 0 < last_step(run) < STEPS
    assert (run / "last.pdparams").is_file()
    resume(data, run, output)
    assert same_arrays(run / "last.pdparams", whole / "last.pdparams")


def test_a_signal_during_a_validation_repeats_the_validation(validated_data: Path, whole: Path, tmp_path: Path) -> None:
    """The best weights are those of a run that was not interrupted, too."""
    more = ("--val-every", "2")
    reference, run, output = tmp_path / "reference", tmp_path / "run", tmp_path / "output"
    with training_process(output, *words(validated_data, reference, *more), validation_s=0) as process:
        process.join()
    with training_process(output, *words(validated_data, run, *more), validation_s=60, save_every_s=1e9) as process:
        wait_for(lambda: saved_at(run) > 0, process)  # just before the first validation
        send(signal.SIGTERM, process)
        process.join(20)
        assert process.exitcode == 143, output.read_text()
    assert "step 6 is saved" in error_line(output)
    resume(validated_data, run, output, *more, validation_s=0)
    for file in ("last.pdparams", "best.pdparams"):
        assert same_arrays(run / file, reference / file)
    figures = [
        [(record["step"], record["ap50"]) for record in read_metrics(folder / "metrics.jsonl") if "ap50" in record]
        for folder in (run, reference)
    ]
    assert figures[0] == figures[1]
    assert len(figures[0]) == EPOCHS // 2


def test_a_signal_before_the_first_step_can_be_resumed(validated_data: Path, whole: Path, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "output"
    start = ("--weights", str(whole / "last.pdparams"))
    with training_process(output, *words(validated_data, run, *start), validation_s=60) as process:
        wait_for((run / "last.pdparams").is_file, process)  # just before the validation of the start weights
        send(signal.SIGINT, process)
        process.join(20)
        assert process.exitcode == 130, output.read_text()
    assert "--resume" in error_line(output)
    resume(validated_data, run, output, *start, validation_s=0)


def test_a_second_signal_ends_the_run_at_once(data: Path, tmp_path: Path) -> None:
    """The writing of the state lasts for 60 s; a second signal within a second would count as the same request."""
    run, output = tmp_path / "run", tmp_path / "output"
    with training_process(output, *words(data, run), save_every_s=1e9, saving_s=60) as process:
        wait_for_text("step 1/3", output, process)
        send(signal.SIGINT, process)
        time.sleep(1.3)
        send(signal.SIGINT, process)
        process.join(5)
        assert process.exitcode == 130, output.read_text()
    assert error_line(output)
    assert not (run / "state.pt").exists()
    assert not list(run.glob("*.tmp"))
