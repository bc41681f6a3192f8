"""`batch --engine ray` on two nodes: results byte for byte those of `track`, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

OPTIONS = ("--weights", "sample", "--input-size", "128x96", "--formats", "mot,jsonl", "--no-visualization")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three street scenes and a corrupt video."""
    from fairmot_dla34.synth import SceneConfig, write_scene

    folder = tmp_path_factory.mktemp("scenes")
    videos = folder / "clips"
    videos.mkdir()
    for seed in range(3):
        write_scene(
            SceneConfig(frames=30, width=160, height=96, people=4, seed=seed),
            folder,
            name=f"scene{seed}",
            progress=False,
        )
        (video,) = (folder / f"scene{seed}").glob("*.mp4")
        video.rename(videos / f"clip{seed}.mp4")
    (videos / "corrupt.mp4").write_bytes(b"no video" * 1000)
    return videos


@pytest.fixture(scope="module")
def expected(clips: Path) -> dict[str, bytes]:
    """The results of `track`."""
    out = clips.parent / "tracked"
    run("track", *sorted(map(str, clips.glob("clip*.mp4"))), "--output-dir", str(out), *OPTIONS)
    return results(out)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "fairmot_dla34", *words]


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def batch(cluster: Any, clips: Path, out: Path, *more: str) -> tuple[str, ...]:
    return (
        "batch",
        str(clips),
        "--output-dir",
        str(out),
        "--engine",
        "ray",
        "--address",
        cluster.address,
        *OPTIONS,
        *more,
    )


def results(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "mot_results").iterdir()}


def test_results_are_those_of_track_and_a_corrupt_video_fails_alone(
    cluster: Any, clips: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    ended = run(*batch(cluster, clips, tmp_path / "out", "--json"), code=1)
    assert results(tmp_path / "out") == expected
    assert sorted(job["status"] for job in json.loads(ended.stdout)["jobs"]) == [
        "failed",
        "tracked",
        "tracked",
        "tracked",
    ]
    assert "corrupt.mp4" in ended.stderr


def test_split_videos_have_the_results_of_track(
    cluster: Any, clips: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    run(*batch(cluster, clips, tmp_path / "out", "--split", "1"), code=1)
    assert results(tmp_path / "out") == expected


def test_killed_workers_and_a_killed_driver_change_no_result(
    cluster: Any, clips: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Workers are killed while they work, then the driver; the next batch runs what is not complete."""
    out = tmp_path / "out"
    driver = subprocess.Popen(
        command(*batch(cluster, clips, out)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(workers, 60)
        for worker in workers():
            os.kill(worker, signal.SIGKILL)
        wait_until((out / "manifest.jsonl").exists, 120)
    finally:
        driver.kill()
        driver.wait()
    complete = len((out / "manifest.jsonl").read_text().splitlines())
    ended = run(*batch(cluster, clips, out, "--resume", "--json"), code=1)
    assert results(out) == expected
    statuses = [job["status"] for job in json.loads(ended.stdout)["jobs"]]
    assert statuses.count("skipped") == complete
    assert not list(out.rglob("*.part"))


def workers() -> list[int]:
    """Return the processes that run tasks of a batch."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::fairmot_dla34"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def wait_until(condition: Any, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)
