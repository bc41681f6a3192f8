"""Training runs that are killed or asked to stop end in one line and continue to the same weights."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

pytest.importorskip("torch")

from small_dataset import make_small_dataset
from small_training import register_small, same_arrays, small_config, training_process

from fairmot_dla34.training import train
from fairmot_dla34.training.metrics import read_metrics

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
        assert process.is_alive() and time.monotonic() < end_s, "the run ended, or hangs"
        time.sleep(0.002)


def words(data: Path, folder: Path, *more: str) -> tuple[str | Path, ...]:
    return ("--data", data, "--weights", "none", "--epochs", str(EPOCHS), "--output-dir", folder, *more)


def last_step(folder: Path) -> int:
    import torch

    return int(torch.load(folder / "state.pt", weights_only=True)["progress"]["step"])


def test_sigkill_at_any_moment_loses_at_most_the_step_after_the_last_state(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    """The state is saved after every step, so that most kills hit the writing of a file."""
    rng = random.Random(12)
    run, output = tmp_path / "run", tmp_path / "output"
    steps = [0]
    while len(steps) <= KILLS:
        resume = ["--resume"] if steps[-1] else []
        written = (run / "state.pt").stat().st_mtime_ns if resume else 0
        with training_process(output, *words(data, run, *resume)) as process:
            wait_for(lambda: (run / "state.pt").is_file() and (run / "state.pt").stat().st_mtime_ns > written, process)
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            process.join()
        steps.append(last_step(run))
        assert steps[-2] <= steps[-1] < STEPS, output.read_text()
    with training_process(output, *words(data, run, "--resume")) as process:
        process.join()
        assert process.exitcode == 0, output.read_text()
    assert same_arrays(run / "last.pdparams", whole / "last.pdparams"), steps
    assert not list(run.glob("*.tmp"))
    recorded = [record["step"] for record in read_metrics(run / "metrics.jsonl")]
    assert recorded == sorted(set(recorded)) and recorded[-1] == STEPS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_run(data: Path, whole: Path, tmp_path: Path, number: signal.Signals) -> None:
    run, output = tmp_path / "run", tmp_path / "output"
    with training_process(output, *words(data, run), save_every_s=1e9) as process:
        wait_for(lambda: "step 1/3" in output.read_text() if output.exists() else False, process)
        time.sleep(random.Random(number).uniform(0, 0.4))
        assert process.pid is not None
        os.kill(process.pid, number)
        process.join(20)
        assert process.exitcode == 128 + number, output.read_text()
    lines = [line for line in output.read_text().splitlines() if line.startswith("fairmot_dla34")]
    assert len(lines) == 1 and f"step {last_step(run)} is saved" in lines[0] and "--resume" in lines[0], lines
    assert 0 < last_step(run) < STEPS
    assert (run / "last.pdparams").is_file()
    with training_process(output, *words(data, run, "--resume")) as process:
        process.join()
        assert process.exitcode == 0, output.read_text()
    assert same_arrays(run / "last.pdparams", whole / "last.pdparams")
