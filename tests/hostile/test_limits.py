"""Processes with a limit on memory: they run, or end with one line that names the limit; none crashes."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from synth.scenes import plain
from trials import Ended, Trials, expect_one_line_error, run_command, run_python

from fairmot_dla34.synth import write_scene

GB = 10**9
LIMITS = (0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 3.0)
MODEL = """
import sys
from fairmot_dla34 import FairMOT
from fairmot_dla34.errors import OutOfMemoryError
try:
    print(len(list(FairMOT("sample", input_size="64x64", progress=False).track(sys.argv[1]))))
except OutOfMemoryError as error:
    print("OutOfMemoryError", error)
"""
DATA_LIMIT = f"import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv.pop(1)),) * 2)\n{MODEL}"

pytestmark = pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS"), reason="NO ADDRESS SPACE LIMIT on this system")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(
        plain(width=320, height=192, frames=5), tmp_path_factory.mktemp("scene"), name="scene", progress=False
    ).video


@pytest.mark.parametrize("limit", [0.4, 0.6, 1.2])
def test_the_command_ends_in_one_line(limit: float, video: Path, tmp_path: Path, trials: Trials) -> None:
    with trials("memory limit: track", limit):
        track(limit, video, tmp_path)


@pytest.mark.slow
def test_every_limit(video: Path, tmp_path: Path, trials: Trials) -> None:
    for limit in LIMITS:
        with trials("memory limit: track", limit):
            track(limit, video, tmp_path / f"{limit}")
        if limit >= 0.4:  # below, NumPy ends the process, in any program
            with trials("memory limit: FairMOT", limit):
                expect_result_or_error(run_python("-c", MODEL, video, memory_bytes=int(limit * GB)))


@pytest.mark.slow
def test_other_verbs(tmp_path: Path, trials: Trials) -> None:
    verbs = {
        "info": (),
        "synth": ("--frames", "5", "--size", "320x192", "--name", "x", "--output-dir", tmp_path),
        "export": ("--weights", "sample", "--output-dir", tmp_path),
        "convert": ("sample", tmp_path / "a.pth", "--overwrite"),
        "weights": ("list",),
    }
    for verb, arguments in verbs.items():
        for limit in (0.2, 0.3, 0.6, 1.2, 1.6):
            with trials(f"memory limit: {verb}", limit):
                ended = run_command(verb, *arguments, memory_bytes=int(limit * GB))
                if ended.code:
                    expect_memory_error(ended)


@pytest.mark.slow
def test_a_limit_on_data(video: Path, trials: Trials) -> None:
    for limit in (0.3, 0.6, 0.9, 1.2, 1.5, 2.0):
        with trials("memory limit: data", limit):
            expect_result_or_error(run_python("-c", DATA_LIMIT, str(int(limit * GB)), video))


@pytest.mark.slow
def test_the_remedy_of_the_message_works(video: Path, trials: Trials) -> None:
    """With one thread in OpenBLAS a process needs 0.5 GB less on four CPUs."""
    from fairmot_dla34.memory import blas_threads

    if blas_threads() < 4:
        pytest.skip("FEW CPUS: one thread in OpenBLAS saves little")
    with trials("memory limit: FairMOT", "OPENBLAS_NUM_THREADS=1"):
        ended = run_python("-c", MODEL, video, memory_bytes=int(2.1 * GB), env={"OPENBLAS_NUM_THREADS": "1"})
        assert ended.stdout == "5\n", ended.stdout + ended.stderr


def track(limit: float, video: Path, folder: Path) -> None:
    arguments = ("--weights", "sample", "--input-size", "64x64", "--output-dir", folder)
    ended = run_command("track", video, *arguments, memory_bytes=int(limit * GB))
    if ended.code:
        expect_memory_error(ended)
    else:
        assert limit >= 1.0
        assert (folder / "mot_results" / "scene.txt").is_file()


def expect_memory_error(ended: Ended) -> None:
    expect_one_line_error(ended)
    assert "address space" in ended.stderr or "memory" in ended.stderr, ended.stderr


def expect_result_or_error(ended: Ended) -> None:
    assert ended.code == 0, ended.stderr
    assert ended.stdout == "5\n" or ended.stdout.startswith("OutOfMemoryError "), ended.stdout
