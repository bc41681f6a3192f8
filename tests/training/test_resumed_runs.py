"""Resumption of training runs: equal weights, other settings, damaged states, full disks, and folders in use."""

from __future__ import annotations

import json
import random
import re
import resource
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

pytest.importorskip("torch")

import torch
from filelock import FileLock
from small_dataset import make_small_dataset
from small_training import SlowValidation, register_small, same_arrays, small_config

from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import FairMOTError, InvalidInputError, OutputError, ResumeError
from fairmot_dla34.training import LossConfig, loop, run, state, train

pytestmark = pytest.mark.train

EPOCHS = 4


@pytest.fixture(scope="module", autouse=True)
def _small() -> None:
    register_small()


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    train(small_config(data, folder, epochs=EPOCHS))
    return folder


@pytest.fixture
def stopped(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a run of `EPOCHS` epochs that was stopped after five steps."""
    with monkeypatch.context() as patch:
        stop_after(5, patch)
        with pytest.raises(KeyboardInterrupt):
            train(small_config(data, tmp_path / "run", epochs=EPOCHS))
    return tmp_path / "run"


def stop_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C arrive between two steps."""
    agree = loop.TrainingLoop._agree

    def interrupted(self: Any, batch: Any, progress: state.Progress) -> Any:
        if progress.step == steps:
            raise KeyboardInterrupt
        return agree(self, batch, progress)

    patch.setattr(loop.TrainingLoop, "_agree", interrupted)


def test_ctrl_c_from_python_saves_the_run_too(data: Path, stopped: Path, whole: Path) -> None:
    summary = train(small_config(data, stopped, epochs=EPOCHS, resume=True))
    assert summary.steps == 3 * EPOCHS
    assert same_arrays(summary.last, whole / "last.pdparams")


def test_a_complete_run_is_resumed_without_a_step(
    data: Path, whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    with caplog.at_level("INFO"):
        assert train(small_config(data, folder, epochs=EPOCHS, resume=True)).steps == 3 * EPOCHS
    assert "complete" in caplog.text
    assert same_arrays(folder / "last.pdparams", whole / "last.pdparams")


def test_a_run_continues_to_more_epochs_and_says_so(
    data: Path, whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    with caplog.at_level("INFO"):
        assert train(small_config(data, folder, epochs=EPOCHS + 1, resume=True)).steps == 3 * EPOCHS + 3
    assert f"{EPOCHS + 1} epochs instead of {EPOCHS} epochs" in caplog.text
    assert not same_arrays(folder / "last.pdparams", whole / "last.pdparams")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("batch_size", {"batch_size": 3}),
        ("seed", {"seed": 1}),
        ("lr", {"lr": 2e-4}),
        ("loss", {"loss": LossConfig(giou=True)}),
        ("freeze", {"freeze": ("norms",)}),
        ("plain_neck", {"plain_neck": True}),
        ("precision", {"precision": "bf16"}),
        ("input_size", {"input_size": InputSize(96, 64)}),
        ("length", {"minutes": 1.0}),
    ],
)
def test_another_setting_is_named(data: Path, whole: Path, name: str, changes: dict[str, Any]) -> None:
    length = {} if "minutes" in changes else {"epochs": EPOCHS}
    with pytest.raises(ResumeError, match=rf"^{name} is .*, but the run in .* was started with"):
        train(small_config(data, whole, resume=True, **length, **changes))


def test_other_data_and_other_start_weights_are_named(data: Path, whole: Path, tmp_path: Path) -> None:
    other = make_small_dataset(tmp_path, sequences=1, frames=6, size=(96, 64), people=3, seed=5)
    with pytest.raises(ResumeError, match=r"^data is "):
        train(small_config(other, whole, epochs=EPOCHS, resume=True))
    with pytest.raises(ResumeError, match=r"^weights is SHA-256 [0-9a-f]+, but the run in .* was started with none"):
        train(small_config(data, whole, epochs=EPOCHS, resume=True, weights=whole / "last.pdparams", freeze=()))


def test_a_damaged_state_is_refused(whole: Path, tmp_path: Path) -> None:
    """PyTorch reads an array with a flipped bit without a complaint."""
    content = (whole / "state.pt").read_bytes()
    settings = torch.load(whole / "state.pt", weights_only=True)["settings"]
    generator = random.Random(3)  # noqa: S311 (not for cryptography)
    folder = tmp_path / "run"
    folder.mkdir()
    damaged = [content[: generator.randrange(len(content))] for _ in range(20)]
    for _ in range(100):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        damaged.append(bytes(changed))
    damaged += [b"", b"PK", b"\x80\x02}.", generator.randbytes(5000)]
    whole_state = torch.load(whole / "state.pt", weights_only=True)
    refused = 0
    for each in damaged:
        (folder / "state.pt").write_bytes(each)
        try:
            read = state.read_state(folder, settings)
        except ResumeError:
            refused += 1
        else:  # the bit is in a place without meaning, such as the date of an entry
            assert all(torch.equal(read["model"][name], array) for name, array in whole_state["model"].items())
            assert read["progress"] == whole_state["progress"]
    assert refused > 110


def test_a_state_that_runs_code_or_has_another_version_is_refused(data: Path, whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    content = torch.load(folder / "state.pt", weights_only=True)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"version": 7}, "version 7"),
        ({"settings": Path("/")}, "cannot be read"),
        ({"settings": 3}, "cannot be read"),
        ({"progress": {"step": 1, "unknown": 2}}, "does not fit"),
        ({"progress": {"step": "one"}}, "does not fit"),
        ({"model": {}}, "does not fit"),
        ({"optimizer": {}}, "does not fit"),
        ({"average": 3}, "does not fit"),
    ]
    for changes, message in wrong:
        torch.save({**content, **changes}, folder / "state.pt")
        with pytest.raises(ResumeError, match=message):
            train(small_config(data, folder, epochs=EPOCHS, resume=True))


def test_files_of_a_killed_process_are_removed_and_others_stay(data: Path, stopped: Path) -> None:
    left = stopped / f"{'0a' * 8}.tmp"
    mine = stopped / "notes.tmp"
    left.write_bytes(b"half")
    mine.write_bytes(b"mine")
    train(small_config(data, stopped, epochs=EPOCHS, resume=True))
    assert not left.exists()
    assert mine.read_bytes() == b"mine"


def test_only_an_earlier_run_is_replaced(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "mine.jpg").write_bytes(b"mine")
    train(small_config(data, folder, epochs=1))
    assert (folder / "samples" / "mine.jpg").read_bytes() == b"mine"
    with pytest.raises(OutputError, match="--resume to continue, --overwrite"):
        train(small_config(data, folder, epochs=1))
    assert train(small_config(data, folder, epochs=1, overwrite=True)).steps == 3


def test_folders_that_cannot_be_used(data: Path, whole: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(OutputError, match="a file exists where a folder is needed"):
        train(small_config(data, file))
    with pytest.raises(OutputError):
        train(small_config(data, file / "below"))
    with pytest.raises(ResumeError, match=r"has no state\.pt"):
        train(small_config(data, tmp_path / "absent", resume=True))
    assert not (tmp_path / "absent").exists()
    with FileLock(whole / ".lock"), pytest.raises(OutputError, match="in use by another training run"):
        train(small_config(data, whole, epochs=EPOCHS, resume=True))


@pytest.mark.serial
@pytest.mark.parametrize("limit", [20_000, 100_000])
def test_a_full_disk_leaves_the_last_saved_run(
    data: Path, stopped: Path, whole: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    before = {path.name: path.read_bytes() for path in stopped.glob("*.p*")}
    assert {"state.pt", "last.pdparams"} <= before.keys()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"state\.pt cannot be written \(File too large\)"):
            train(small_config(data, stopped, epochs=EPOCHS, resume=True))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {path.name: path.read_bytes() for path in stopped.glob("*.p*")} == before
    assert not list(stopped.glob("*.tmp"))
    assert same_arrays(train(small_config(data, stopped, epochs=EPOCHS, resume=True)).last, whole / "last.pdparams")


def test_ctrl_c_while_a_state_is_written_is_no_failed_write(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write: Any = torch.save

    class Interrupted:
        def __init__(self, file: IO[bytes]) -> None:
            self.file, self.calls = file, 0

        def write(self, content: Any) -> int:
            self.calls += 1
            if self.calls == 20:
                raise KeyboardInterrupt
            return self.file.write(content)

    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", lambda content, file: write(content, Interrupted(file)))
        with pytest.raises(KeyboardInterrupt):
            train(small_config(data, tmp_path / "run", epochs=EPOCHS))
    assert not list((tmp_path / "run").glob("*.tmp"))
    assert not (tmp_path / "run" / "state.pt").exists()
    assert whole


def test_an_error_of_the_data_saves_the_steps_before_it(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree = loop.TrainingLoop._agree

    def broken(self: Any, batch: Any, progress: state.Progress) -> Any:
        if progress.step == 4:
            raise FairMOTError("an image cannot be read")
        return agree(self, batch, progress)

    with monkeypatch.context() as patch:
        patch.setattr(loop.TrainingLoop, "_agree", broken)
        with pytest.raises(FairMOTError, match="cannot be read"):
            train(small_config(data, tmp_path / "run", epochs=EPOCHS))
    summary = train(small_config(data, tmp_path / "run", epochs=EPOCHS, resume=True))
    assert same_arrays(summary.last, whole / "last.pdparams")


def test_threads_and_denormal_numbers_are_those_of_the_program_again(data: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    train(small_config(data, tmp_path, epochs=1))
    assert torch.get_num_threads() == before
    assert torch.tensor(2.0**-1060, dtype=torch.float64).mul(0.5).item() > 0


def test_a_validation_does_not_change_the_weights(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "Validator", SlowValidation)
    other = make_small_dataset(tmp_path, sequences=1, frames=2, size=(96, 64), people=3, seed=5)
    summary = train(small_config(data, tmp_path / "run", epochs=EPOCHS, val=(other,), val_every=1))
    assert same_arrays(summary.last, whole / "last.pdparams")
    assert summary.chosen_by == "ap50"
    with pytest.raises(ResumeError, match=r"^best is mota, but the run in .* was started with auto"):
        train(small_config(data, tmp_path / "run", epochs=EPOCHS, val=(other,), best="mota", resume=True))


def test_a_figure_that_the_data_does_not_give_costs_no_steps(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "Validator", SlowValidation)
    other = make_small_dataset(tmp_path, sequences=1, frames=2, size=(96, 64), people=3, seed=5)
    config = small_config(data, tmp_path / "run", epochs=2, val=(other,), val_every=1, best="hota")
    with pytest.raises(InvalidInputError, match=r"best is hota, which this validation does not give"):
        train(config)
    summary = train(replace(config, best="ap50", resume=True))
    assert summary.chosen_by == "ap50"
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if record["kind"] == "step"] == [1, 6]
    assert "- weights: of step 6 of the 6 steps" in (tmp_path / "run/last.md").read_text()
    assert re.search(r"- weights: of step [36] of the 6 steps", (tmp_path / "run/best.md").read_text())


def test_an_earlier_run_without_a_state_is_not_to_be_resumed(data: Path, tmp_path: Path) -> None:
    """A run that is killed during its first validation leaves the start weights and no state."""
    (tmp_path / "last.pdparams").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"has an earlier run .*Use --overwrite to replace it"):
        train(small_config(data, tmp_path))


def test_figures_of_the_start_weights_stay_in_the_metrics(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped before its first step continues with the file that it had."""
    monkeypatch.setattr(run, "Validator", SlowValidation)
    other = make_small_dataset(tmp_path, sequences=1, frames=2, size=(96, 64), people=3, seed=5)
    config = small_config(data, tmp_path / "run", epochs=1, val=(other,), weights=whole / "last.pdparams", arch=None)
    with monkeypatch.context() as patch:
        stop_after(0, patch)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    summary = train(replace(config, resume=True))
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if record["kind"] == "validation"] == [0, 3]
    assert set(summary.scores) >= {"start", "last"}
