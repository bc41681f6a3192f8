"""The demo: what a newcomer runs first. It must work without a connection, be honest, and leave files that open."""

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
from fairmot_dla34.commands.main import main
from fairmot_dla34.commands.demo import SCENE, DemoReport, demo_json, demo_text, run_demo
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.values import Peaks

SMALL = replace(SCENE, width=320, height=192, frames=12, people=4)
FOUND = importlib.util.find_spec


def fake_demo(folder: Path, **options: object) -> DemoReport:
    return run_demo(folder, scene=SMALL, load_model=lambda: FairMOT.from_backend(FakeBackend()), **options)  # type: ignore[arg-type]


@pytest.fixture
def no_trackeval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trackeval" else FOUND(name))


def frames_in(video: Path) -> int:
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_it_leaves_what_it_names_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install 'fairmot_dla34[eval]'")
    elsewhere = tmp_path / "read-only"
    elsewhere.mkdir(mode=0o555)
    monkeypatch.chdir(elsewhere)
    report = fake_demo(tmp_path / "out")
    assert not list(elsewhere.iterdir())
    named = [report.video, report.results, report.scene_video, report.truth]
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(named) <= written
    assert {path.name for path in written - set(named)} == {"seqinfo.ini"}
    assert frames_in(report.video) == frames_in(report.scene_video) == 12
    assert report.scores is not None
    assert report.scores.truth_boxes > 12
    text = demo_text(report)
    for path in named:
        assert str(path) in text
    for told in ("MOTA ", "IDF1 ", "HOTA ", "frames/s", "fairmot_dla34 track YOUR_VIDEO", "--weights sample", "fake"):
        assert told in text
    assert max(map(len, text.splitlines())) < 200 + len(str(tmp_path))


def test_json_has_the_same(tmp_path: Path) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install 'fairmot_dla34[eval]'")
    report = fake_demo(tmp_path)
    assert report.scores is not None
    told = json.loads(demo_json(report))
    assert (told["mota"], told["idf1"], told["hota"]) == (report.scores.mota, report.scores.idf1, report.scores.hota)
    assert told["scores"]["truth_ids"] == report.scores.truth_ids
    assert told["video"] == str(report.video)
    assert told["frames"] == 12
    assert told["no_scores"] is None


@pytest.mark.usefixtures("no_trackeval")
def test_without_trackeval_there_is_a_video_and_one_line_says_how_to_get_scores(tmp_path: Path) -> None:
    report = fake_demo(tmp_path)
    assert report.scores is None
    assert frames_in(report.video) == 12
    (line,) = (line for line in demo_text(report).splitlines() if "pip install" in line)
    assert "fairmot_dla34[eval]" in line
    assert "MOTA" not in demo_text(report)
    told = json.loads(demo_json(report))
    assert told["mota"] is None
    assert told["scores"] is None
    assert "fairmot_dla34[eval]" in told["no_scores"]


@pytest.mark.usefixtures("no_trackeval")
def test_the_same_seed_gives_the_same_scene_and_another_one_another(tmp_path: Path) -> None:
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
    """The user presses Ctrl-C while the sixth frame is in the network."""

    frames = 0

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self.frames += 1
        if self.frames == 6:
            raise KeyboardInterrupt
        return super()._infer(image)


def test_an_interrupted_run_leaves_files_that_open(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path, scene=SMALL, load_model=lambda: FairMOT.from_backend(Interrupted()))
    videos = {path.stem: frames_in(path) for path in tmp_path.rglob("*.mp4")}
    assert sorted(videos.values()) == [5, 12]
    (results,) = (tmp_path / "mot_results").iterdir()
    assert all(int(line.split(",")[0]) <= 5 for line in results.read_text().splitlines())


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="name another output directory"):
        fake_demo(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_the_command_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def small(output_dir: Path, *, seed: int | None) -> DemoReport:
        asked.append((str(output_dir), seed))
        return fake_demo(tmp_path, seed=seed)

    monkeypatch.setattr("fairmot_dla34.commands.demo.run_demo", small)
    assert main(["demo"]) == 0
    assert "watch " in capsys.readouterr().out
    assert main(["demo", "--output-dir", "there", "--seed", "7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 7
    assert asked == [("fairmot_dla34_demo", None), ("there", 7)]


@pytest.mark.slow
def test_the_real_weights_find_people_without_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install 'fairmot_dla34[eval]'")

    def no_socket(*args: object, **kwargs: object) -> NoReturn:
        pytest.fail("the demo opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, no_socket)
    report = run_demo(tmp_path, scene=replace(SCENE, frames=15))
    assert report.summary.frames == 15
    assert report.scores is not None
    assert report.scores.mota > 50
    assert frames_in(report.video) == 15
