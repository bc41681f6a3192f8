"""Training in two processes that ``torchrun`` starts gives the weights of one, and its ends are reported once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from distributed_command import STEP
from distributed_steps import SETTINGS, train_all
from small_dataset import make_small_dataset
from small_training import arrays_of, register_small, small_config

from fairmot_dla34.errors import DeviceUnavailableError, InvalidInputError, OutputError, TrainingError
from fairmot_dla34.training import train
from fairmot_dla34.training.device import choose_device
from fairmot_dla34.training.plan import default_batch_size
from fairmot_dla34.training.processes import joining, restarts
from fairmot_dla34.training.processes.joining import join_world
from fairmot_dla34.training.processes.world import World

pytestmark = [pytest.mark.train, pytest.mark.serial]

FOLDER = Path(__file__).parents[1]
NAME = "fairmot_dla34: "  # begins each line about an error
EPOCHS = 3


@contextmanager
def torchrun(
    script: str, *words: object, restarts: int = 0, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start two processes of a script."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join((str(FOLDER), str(FOLDER.parent)))
    process = subprocess.Popen(
        [*launcher, "--max-restarts", str(restarts), str(FOLDER / script), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, **(environment or {})},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no other threads run here)
    )
    try:
        yield process
    finally:
        process.terminate()  # the launcher ends its processes
        process.communicate()


def finish(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines that the processes printed."""
    return process.communicate(timeout=120)[0].splitlines()


def errors_of(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(NAME)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_dataset(tmp_path_factory.mktemp("data"), sequences=1, frames=6, size=(96, 64), people=3)


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the run of a single process with the same global batch."""
    register_small()
    folder = tmp_path_factory.mktemp("alone")
    train(small_config(data, folder, epochs=EPOCHS, batch_size=2))
    return folder


def assert_equal_weights(folder: Path, alone: Path) -> None:
    """Check weights; a bias before a norm has no effect, so that it follows rounding errors, and the mean with it."""
    first, second = arrays_of(alone / "last.pdparams"), arrays_of(folder / "last.pdparams")
    assert first.keys() == second.keys()
    for name, array in first.items():
        if name not in {"neck.conv.conv_dcn.bias", "neck.norm._mean"}:
            assert abs(array - second[name]).max() < 5e-5, name


def test_gradients_and_weights_are_those_of_one_process(tmp_path: Path) -> None:
    """Gradients within 1e-6 of the largest number of their array in float64, and of rounding errors (such as a bias
    before a norm has) within 1e-12 of that of all arrays; 1e-4 of that in float32. Weights within 1e-6 of the largest
    one; in float32 within the four steps of 1e-3 that Adam makes of rounding errors."""
    with torchrun("distributed_steps.py", tmp_path) as process:
        assert not finish(process)
    expected = train_all(World(0, 1, torch.device("cpu")))
    for rank in range(2):
        results = torch.load(tmp_path / f"{rank}.pt")
        for setting, kinds in expected.items():
            for kind, arrays in kinds.items():
                assert results[setting][kind].keys() == arrays.keys(), (setting, kind)
                largest = max(float(array.abs().max()) for array in arrays.values())
                for name, array in arrays.items():
                    own = float(array.abs().max())
                    allowed = 1e-6 * max(own, 1e-6 * largest) if kind == "gradients" else 1e-6 * largest
                    if "precision" in SETTINGS[setting]:
                        allowed = 1e-4 * largest if kind == "gradients" else 4e-3
                    difference = float((results[setting][kind][name] - array).abs().max())
                    assert difference <= allowed, (setting, kind, name)


def test_the_command_writes_and_prints_once(data: Path, alone: Path, tmp_path: Path) -> None:
    words = ("--data", data, "--epochs", EPOCHS, "--batch-size", 2, "--output-dir", tmp_path / "run")
    with torchrun("distributed_command.py", *words) as process:
        lines = finish(process)
    assert process.returncode == 0
    assert sum(line.startswith("trained ") for line in lines) == 1
    assert sum("epoch 1/3, step 1/3" in line for line in lines) == 1
    assert not any("Warning" in line for line in lines)
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert files == {*(path.name for path in alone.iterdir()), restarts.JOB_FILE}
    assert_equal_weights(tmp_path / "run", alone)


def test_a_killed_process_ends_both_and_a_restart_resumes(data: Path, alone: Path, tmp_path: Path) -> None:
    words = ("--data", data, "--epochs", EPOCHS, "--batch-size", 2, "--output-dir", tmp_path / "run")
    with torchrun("distributed_command.py", *words, restarts=1, environment={"KILLED": "1"}) as process:
        lines = finish(process)
    assert process.returncode == 0, lines
    (line,) = errors_of(lines)
    assert "lost the connection" in line or f"torchrun sends it if another process has failed; step {STEP}" in line
    assert any(line.startswith(f"trained {3 * EPOCHS} steps") for line in lines)
    assert_equal_weights(tmp_path / "run", alone)


def test_a_restart_leaves_the_run_of_an_earlier_command_alone(
    data: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "another")
    before = (alone / "last.pdparams").read_bytes()
    register_small()
    with pytest.raises(OutputError, match="has an earlier run"):
        train(small_config(data, alone, epochs=9, batch_size=2))
    assert (alone / "last.pdparams").read_bytes() == before


def test_ctrl_c_saves_the_state_and_ends_both(data: Path, alone: Path, tmp_path: Path) -> None:
    words = ("--data", data, "--epochs", EPOCHS, "--batch-size", 2, "--output-dir", tmp_path / "run")
    with torchrun("distributed_command.py", *words, environment={"STOPPED": "1"}) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("step 5"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        lines = finish(process)
    (line,) = errors_of(lines)
    assert line.startswith(f"{NAME}interrupted; step ")
    assert line.endswith(" is saved; the same command with --resume continues the run.")
    register_small()
    train(small_config(data, tmp_path / "run", epochs=EPOCHS, batch_size=2, resume=True))  # one process
    assert_equal_weights(tmp_path / "run", alone)


def test_an_error_of_all_processes_is_reported_once(tmp_path: Path) -> None:
    with torchrun("distributed_command.py", "--data", tmp_path / "nothing") as process:
        lines = finish(process)
    assert process.returncode == 1
    (line,) = errors_of(lines)
    assert "nothing does not exist" in line


def set_world(monkeypatch: pytest.MonkeyPatch, **variables: object) -> None:
    values = {"WORLD_SIZE": 2, "RANK": 0, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 9, **variables}
    for name, value in values.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two'"),
        ({"WORLD_SIZE": 0}, "WORLD_SIZE is 0"),
        ({"WORLD_SIZE": -2}, "WORLD_SIZE is -2"),
        ({"RANK": None}, "RANK is None"),
        ({"RANK": 2}, "RANK is 2 with WORLD_SIZE 2; expected a number from 0 to 1"),
        ({"LOCAL_RANK": None}, "LOCAL_RANK is None"),
    ],
)
def test_wrong_variables_are_named(variables: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_world(monkeypatch, **variables)
    with pytest.raises(InvalidInputError, match=message):
        join_world("cpu")


@pytest.mark.parametrize(
    "variables", [{"RANK": 1}, {"MASTER_ADDR": None}, {"MASTER_PORT": "x"}, {"MASTER_PORT": 70000}]
)
def test_processes_that_cannot_be_reached_are_an_error(
    variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens on port 9."""
    set_world(monkeypatch, **variables)
    monkeypatch.setattr(joining, "JOIN_TIMEOUT", timedelta(seconds=1))
    with pytest.raises(TrainingError, match=r"of 2 cannot join the others .*check that all were started, MASTER_ADDR"):
        join_world("cpu")


def test_more_processes_than_gpus_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(DeviceUnavailableError, match="PyTorch finds 2; start no more processes"):
        choose_device("cuda", 2)


@pytest.mark.parametrize(
    ("device", "size", "expected"), [("cpu", 1, 2), ("cpu", 3, 3), ("cuda", 2, 12), ("cuda", 8, 16)]
)
def test_the_batch_of_a_run_without_a_batch_size_is_a_multiple_of_the_processes(
    device: str, size: int, expected: int
) -> None:
    assert default_batch_size(World(0, size, torch.device(device))) == expected


def test_only_a_run_of_the_same_job_is_continued_by_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    restarts.record_job(tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    assert not restarts.is_run_of_this_job(tmp_path)
    restarts.record_job(tmp_path)
    assert restarts.is_run_of_this_job(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "two")
    assert not restarts.is_run_of_this_job(tmp_path)
