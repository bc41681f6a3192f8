"""Number of workers and threads for CPUs, memory and videos; the progress of all jobs as text."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from fairmot_dla34.architectures import Network
from fairmot_dla34.backends.base import BackendOptions
from fairmot_dla34.batch import workers
from fairmot_dla34.batch.job import Job, JobSettings
from fairmot_dla34.batch.part_progress import PROGRESS_FILE, PartProgress, read_progress
from fairmot_dla34.batch.progress import BatchProgress
from fairmot_dla34.batch.workers import Workers, plan_workers, worker_memory
from fairmot_dla34.tracking.expansion import NamedSource
from fairmot_dla34.tracking.options import ModelOptions, OutputOptions, SourceOptions
from fairmot_dla34.weights import resolve_network

NONE = BackendOptions()


@pytest.fixture(scope="module")
def network() -> Network:
    return resolve_network("sample", "576x320")


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 8 CPUs and ample memory."""
    monkeypatch.setattr(workers, "usable_cpus", lambda: 8)
    monkeypatch.setattr(workers, "memory_left", lambda: None)
    monkeypatch.setattr(workers, "machine_memory_left", lambda: 10**12)


@pytest.mark.parametrize(
    ("asked", "threads", "jobs", "expected"),
    [
        (None, None, 100, Workers(8, 1)),
        (None, 2, 100, Workers(4, 2)),
        (None, 16, 100, Workers(1, 16)),
        (3, None, 100, Workers(3, 2)),
        (3, 1, 100, Workers(3, 1)),
        (20, None, 100, Workers(20, 1)),
        (None, None, 3, Workers(3, 2)),
        (None, None, 1, Workers(1, 8)),
        (None, None, 0, Workers(1, 8)),
    ],
)
def test_the_cpus_are_divided(
    network: Network, asked: int | None, threads: int | None, jobs: int, expected: Workers
) -> None:
    assert plan_workers(network, NONE, workers=asked, threads=threads, jobs=jobs) == expected


def test_short_memory_means_fewer_workers_with_a_line_in_the_log(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "machine_memory_left", lambda: int(worker_memory(network, NONE) * 2.5))
    with caplog.at_level(logging.WARNING):
        assert plan_workers(network, NONE, jobs=100) == Workers(2, 4)
    assert "2 workers instead of 8 are started: memory is short" in caplog.text
    assert plan_workers(network, NONE, workers=5, jobs=100).count == 5  # the user decides
    assert "Memory may be short for 5 workers" in caplog.text


def test_a_gpu_has_one_worker(network: Network) -> None:
    assert plan_workers(network, BackendOptions(use_gpu=True), jobs=100) == Workers(1, None)


def test_the_progress_of_a_job_is_read_by_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairmot_dla34.batch.part_progress._INTERVAL_S", 0.0)
    path = tmp_path / "a.part" / PROGRESS_FILE
    assert read_progress(path) == (0, 0)
    with PartProgress(path) as shown:
        shown.started("a", 30).update(5)
        shown.update()
    assert read_progress(path) == (6, 30)
    for content in ("", "x", "1", "1 2 3", "1 x", "-"):
        path.write_text(content)
        assert read_progress(path) == (0, 0)


def test_the_time_left_is_that_of_the_bytes_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("fairmot_dla34.batch.progress.time.monotonic", lambda: now_s[0])
    settings = JobSettings(ModelOptions("sample"), SourceOptions(), OutputOptions())
    jobs = [Job(NamedSource(f"{name}.mp4"), name, settings, tmp_path / f"{name}.part") for name in "abc"]
    with BatchProgress(jobs, [1000, 1000, 2000], complete=2, enabled=False) as shown:
        assert shown.line() == "2/5 videos, 0.0 frames/s"
        shown.started(0)
        shown.started(1)
        now_s[0] += 10
        shown.finished(0, 50)
        assert shown.line() == "3/5 videos, 5.0 frames/s, 30 s left"
        jobs[1].part.mkdir()
        (jobs[1].part / PROGRESS_FILE).write_text("25 50")
        now_s[0] += 5
        assert shown.line() == "3/5 videos, 5.0 frames/s, 25 s left"
        shown.finished(1, 0)
        shown.finished(2, 100)
        assert shown.line().startswith("5/5 videos")
