"""`batch` as a command with worker processes: kills, signals, resumption, and results equal to those of `track`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from batch_functions import is_running
from clips import write_clip
from networks import write_random_checkpoint
from processes import python_process

from fairmot_dla34.batch.manifest import MANIFEST, Manifest
from fairmot_dla34.outputs.reservation import STATE_FOLDER

DRIVER = Path(__file__).resolve().parents[1] / "batch_driver.py"
LIMIT_S = 60


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four videos; the slow backend takes a second for each."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(4):
        write_clip(folder / f"clip{number}.mp4", 20 + number)
    return folder


def words(clips: Path, out: Path, *options: str) -> list[str]:
    fixed = ["--weights", "sample", "--input-size", "64x64", "--backend", "slow", "--workers", "2", "--json"]
    return [sys.executable, str(DRIVER), "batch", str(clips), "--output-dir", str(out), *fixed, *options]


def started(command: list[str]) -> AbstractContextManager[subprocess.Popen[str]]:
    return python_process(*command[1:], stdout=subprocess.PIPE)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def wait_for(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def workers_of(driver: int) -> list[int]:
    """Return the worker processes of a driver: those that write results."""
    children = Path(f"/proc/{driver}/task/{driver}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def parts(out: Path) -> list[Path]:
    """Return the results that are being written."""
    return list(out.glob(f"{STATE_FOLDER}/batch/*.part/*/mot_results/*.txt"))


def content(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.startswith((STATE_FOLDER, MANIFEST))}


@pytest.fixture(scope="module")
def expected(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of `track` on the same backend."""
    out = tmp_path_factory.mktemp("track")
    command = words(clips, out)
    command[2] = "track"
    del command[command.index("--workers") : command.index("--workers") + 2]
    ended = run(command)
    assert ended.returncode == 0, ended.stderr
    return content(out)


def test_a_killed_worker_is_replaced(clips: Path, tmp_path: Path, expected: dict[str, bytes]) -> None:
    with started(words(clips, tmp_path)) as process:
        wait_for(lambda: len(parts(tmp_path)) == 2)
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, stderr
    assert "is run again: its worker was killed" in stderr
    summary = json.loads(stdout)
    assert [job["status"] for job in summary["jobs"]] == ["tracked"] * 4
    assert len({job["worker"] for job in summary["jobs"]}) >= 2
    assert content(tmp_path) == expected


def test_a_killed_driver_leaves_no_half_result_and_is_resumed(
    clips: Path, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    with started(words(clips, tmp_path)) as process:
        wait_for(lambda: Manifest(tmp_path).read() and parts(tmp_path))
        workers = workers_of(process.pid)
        process.kill()
        wait_for(lambda: not any(map(is_running, workers)))
    found = content(tmp_path)
    assert found
    assert all(expected[name] == data for name, data in found.items())
    ended = run(words(clips, tmp_path, "--resume"))
    assert ended.returncode == 0, ended.stderr
    statuses = [job["status"] for job in json.loads(ended.stdout)["jobs"]]
    assert set(statuses) == {"tracked", "skipped"}
    assert content(tmp_path) == expected
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith((".part", ".tmp"))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_command_and_its_workers(clips: Path, tmp_path: Path, number: signal.Signals) -> None:
    with started(words(clips, tmp_path)) as process:
        wait_for(lambda: len(parts(tmp_path)) == 2)
        workers = workers_of(process.pid)
        process.send_signal(number)
        start_s = time.monotonic()
        stdout, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 128 + number
    assert time.monotonic() - start_s < 5
    assert "Traceback" not in stderr
    assert len(workers) == 2
    assert not any(map(is_running, workers))
    statuses = {job["status"] for job in json.loads(stdout)["jobs"]}
    assert "interrupted" in statuses
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith((".part", ".tmp"))]


def test_one_corrupt_video_is_exit_code_1(clips: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "clips"
    shutil.copytree(clips, mixed)
    (mixed / "clip2.mp4").write_bytes(os.urandom(4000))
    ended = run(words(mixed, tmp_path / "out"))
    assert ended.returncode == 1
    assert [job["status"] for job in json.loads(ended.stdout)["jobs"]] == ["tracked", "tracked", "failed", "tracked"]
    assert "1 of 4 sources failed" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_the_network_of_a_file_gives_the_bytes_of_track(clips: Path, tmp_path: Path) -> None:
    """A real network, in one thread for each of two workers."""
    weights = write_random_checkpoint(tmp_path)
    options = ["--weights", str(weights), "--input-size", "64x64", "--conf", "0.01", "--formats", "mot,jsonl"]
    for verb, more in (("track", []), ("batch", ["--workers", "2"])):
        command = [sys.executable, "-m", "fairmot_dla34", verb, str(clips), "--output-dir", str(tmp_path / verb)]
        ended = run([*command, *options, *more])
        assert ended.returncode == 0, ended.stderr
    assert content(tmp_path / "batch") == content(tmp_path / "track")
    assert len(content(tmp_path / "batch")) == 12
