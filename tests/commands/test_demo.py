"""The verb `demo`: files that can be opened, scores as measured, and no network connection."""

from __future__ import annotations

import importlib.util
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.demo import SCENE, run_demo
from fairmot_dla34.commands.demo_report import DemoReport, demo_json, demo_text
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError, OutputError, WeightsError
from fairmot_dla34.values import Peaks

SMALL = replace(SCENE, width=320, height=192, frames=12, people=4)
FIND_SPEC = importlib.util.find_spec


def fake_demo(folder: Path, seed: int | None = None) -> DemoReport:
    return run_demo(folder, seed=seed, scene=SMALL, load_model=lambda: FairMOT.from_backend(FakeBackend()))


@pytest.fixture
def no_trackeval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trackeval" else FIND_SPEC(name))


def frames_in(video: Path) -> int:
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_it_writes_the_files_it_names_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")
    working_directory = tmp_path / "read-only"
    working_directory.mkdir(mode=0o555)
    monkeypatch.chdir(working_directory)
    report = fake_demo(tmp_path / "out")
    assert not list(working_directory.iterdir())
    named = [report.video, report.results, report.scene_video, report.truth]
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(named) <= written
    others = {path for path in written - set(named) if ".fairmot_dla34" not in path.parts}  # notes on the results
    assert {path.name for path in others} == {"seqinfo.ini"}
    assert frames_in(report.video) == frames_in(report.scene_video) == 12
    assert report.scores is not None
    assert report.scores.truth_boxes > 12
    text = demo_text(report)
    for path in named:
        assert str(path) in text
    for part in ("MOTA ", "IDF1 ", "HOTA ", "frames/s", "fairmot_dla34 track YOUR_VIDEO", "--weights sample", "fake"):
        assert part in text
    assert max(map(len, text.splitlines())) < 200 + len(str(tmp_path))


def test_json_contains_the_scores_and_files(tmp_path: Path) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")
    report = fake_demo(tmp_path)
    assert report.scores is not None
    values = json.loads(demo_json(report))
    assert (values["mota"], values["idf1"], values["hota"]) == (
        report.scores.mota,
        report.scores.idf1,
        report.scores.hota,
    )
    assert values["scores"]["truth_ids"] == report.scores.truth_ids
    assert values["video"] == str(report.video)
    assert values["frames"] == 12
    assert values["no_scores"] is None


@pytest.mark.usefixtures("no_trackeval")
def test_without_trackeval_the_video_is_written_and_one_line_names_the_package(tmp_path: Path) -> None:
    report = fake_demo(tmp_path)
    assert report.scores is None
    assert frames_in(report.video) == 12
    (line,) = (line for line in demo_text(report).splitlines() if "pip install" in line)
    assert ".[eval]" in line
    assert "MOTA" not in demo_text(report)
    values = json.loads(demo_json(report))
    assert values["mota"] is None
    assert values["scores"] is None
    assert ".[eval]" in values["no_scores"]


@pytest.mark.usefixtures("no_trackeval")
def test_equal_seeds_give_equal_scenes(tmp_path: Path) -> None:
    truths = [fake_demo(tmp_path / name, seed=seed).truth.read_text() for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    assert truths[0] == truths[1] != truths[2]
    with pytest.raises(InvalidInputError, match="seed"):
        fake_demo(tmp_path / "d", seed=-1)


@pytest.mark.usefixtures("no_trackeval")
def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    first = fake_demo(tmp_path)
    before = first.results.read_text()
    assert fake_demo(tmp_path).results.read_text() == before


class Interrupted(FakeBackend):
    """Raises KeyboardInterrupt on the sixth frame."""

    frames = 0

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self.frames += 1
        if self.frames == 6:
            raise KeyboardInterrupt
        return super()._infer(image)


def test_files_of_an_interrupted_run_can_be_opened(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path, scene=SMALL, load_model=lambda: FairMOT.from_backend(Interrupted()))
    videos = {path.stem: frames_in(path) for path in tmp_path.rglob("*.mp4")}
    assert sorted(videos.values()) == [5, 12]
    (results,) = (tmp_path / "mot_results").iterdir()
    assert all(int(line.split(",")[0]) <= 5 for line in results.read_text().splitlines())


def test_an_unwritable_folder_is_reported_before_the_scene_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="name another output directory"):
        fake_demo(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_the_verb_prints_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    received: list[tuple[str, int | None, str]] = []

    def small(output_dir: Path, *, seed: int | None, weights: str) -> DemoReport:
        received.append((str(output_dir), seed, weights))
        return fake_demo(tmp_path, seed=seed)

    monkeypatch.setattr("fairmot_dla34.commands.demo.run_demo", small)
    assert main(["demo"]) == 0
    assert "watch " in capsys.readouterr().out
    assert main(["demo", "--output-dir", "out", "--seed", "7", "--weights", "own.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 7
    assert received == [("fairmot_dla34_demo", None, "sample"), ("out", 7, "own.npz")]


def test_wrong_weights_are_reported_before_the_scene_is_rendered(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="sampel"):
        run_demo(tmp_path / "out", weights="sampel")
    assert not list(tmp_path.rglob("*.mp4"))


@pytest.mark.slow
def test_the_sample_weights_find_people_without_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")

    def no_socket(*args: object, **kwargs: object) -> NoReturn:
        pytest.fail("the demo opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, no_socket)
    report = run_demo(tmp_path, scene=replace(SCENE, frames=15))
    assert report.summary.frames == 15
    assert report.scores is not None
    assert report.scores.mota > 50
    assert frames_in(report.video) == 15
