"""The scripts in examples/ run on a rendered video and print what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from mjpeg_server import serving_mjpeg

from fairmot_dla34.synth import SceneConfig, write_scene

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = SceneConfig(people=6, frames=40, frame_rate=10.0, width=320, height=192, person_height=(0.4, 0.7), seed=4)
    return write_scene(config, tmp_path_factory.mktemp("scene"), progress=False).video


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of networks for all examples."""
    return tmp_path_factory.mktemp("networks")


def run(name: str, home: Path, folder: Path, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, words)],
        cwd=folder,
        env={**os.environ, "FAIRMOT_DLA34_HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_five_short_examples_that_the_docs_list() -> None:
    assert len(EXAMPLES) == 5
    for path in EXAMPLES:
        assert len(path.read_text("utf-8").splitlines()) < 30
        for page in ("python.md", "python.zh.md"):
            assert f"`examples/{path.name}`" in (ROOT / "docs" / page).read_text("utf-8")


def test_people_at_a_door_are_counted(video: Path, home: Path, tmp_path: Path) -> None:
    printed = run("count_people_at_a_door.py", home, tmp_path, video, "door:60,0,60,192")
    counts = dict(re.findall(r"^door (in|out): (\d+)$", printed, re.MULTILINE))
    assert set(counts) == {"in", "out"}
    assert sum(map(int, counts.values())) >= printed.count("went") > 0


def test_a_video_is_blurred_and_has_no_boxes(video: Path, home: Path, tmp_path: Path) -> None:
    printed = run("blur_a_video.py", home, tmp_path, video, "out")
    written = [Path(line) for line in printed.splitlines()[1:]]
    (blurred,) = (tmp_path / path for path in written if path.suffix == ".mp4")
    with av.open(str(blurred)) as file, av.open(str(video)) as original:
        pairs = list(zip(file.decode(video=0), original.decode(video=0), strict=True))
    assert len(pairs) == 40
    changed = [
        np.abs(a.to_ndarray(format="rgb24").astype(int) - b.to_ndarray(format="rgb24")).max(axis=2) > 40
        for a, b in pairs
    ]
    share = float(np.mean(changed))
    assert 0.003 < share < 0.05, share  # heads, but neither boxes nor labels


def test_another_detector_is_tracked(video: Path, home: Path, tmp_path: Path) -> None:
    printed = run("your_own_detector.py", home, tmp_path, video)
    assert len(printed.splitlines()) == 40
    assert re.search(r"\(1, \[\d+, \d+, \d+, \d+\]\)", printed)


def test_a_live_camera_calls_back(home: Path, tmp_path: Path) -> None:
    with serving_mjpeg(6, 0.1) as url:
        printed = run("live_camera.py", home, tmp_path, url)
    assert re.search(r"^ +\d+\.\d\d s, 160x96: \[", printed, re.MULTILINE)


def test_results_become_a_table(video: Path, home: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="PANDAS ABSENT: pip install pandas")
    printed = run("results_to_pandas.py", home, tmp_path, video)
    assert "largest number of people in one frame:" in printed
    assert (tmp_path / "tracks.csv").read_text().startswith("frame,time_s,id,")
