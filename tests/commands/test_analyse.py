"""The verb ``analyse``, and the options that it shares with ``track``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from videos import write_walking_boxes

from fairmot_dla34 import Module
from fairmot_dla34.analytics import AnalyticsConfig, Line
from fairmot_dla34.arguments.run_settings import run_settings
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main, make_parser
from fairmot_dla34.hub.run import make_parser as make_hub_parser

GATE = ("--line", "gate:160,192,160,0")
SIZE = ("--size", "320x192")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of 100 frames in which two people pass the gate, in three formats, and the images."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "images").mkdir()
    write_walking_boxes(folder / "images", 100)
    module = Module.from_backend(FakeBackend())
    module.tracking(
        str(folder / "images"),
        folder / "out",
        visualization=False,
        formats=("mot", "jsonl", "csv"),
        frame_rate=25,
        name="walk",
        progress=False,
    )
    return folder / "out"


def analyse(*words: object) -> int:
    try:
        return main(["analyse", *map(str, words)])
    except SystemExit as request:
        return int(str(request.code))


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Return exit code and message of a refused command; nothing is printed to stdout."""
    code = analyse(*words)
    shown = capsys.readouterr()
    assert not shown.out
    assert len(shown.err.splitlines()) == 1
    return code, shown.err


def test_the_totals_are_printed_and_the_files_listed(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = out / "mot_results" / "walk.jsonl"
    assert (
        analyse(results, *GATE, "--zone", "yard:100,100,140,100,140,150,100,150", *SIZE, "--output-dir", tmp_path) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "walk.jsonl: 100 frames"
    assert lines[1].startswith("line gate: 2 in, 0 out, by 2 ids")
    assert lines[2].startswith("zone yard: 1 visit by 1 id, mean stay 0.8 s, longest 0.8 s, at most 1 at one time")
    assert lines[-2:] == [f"wrote {tmp_path / 'analytics' / name}" for name in ("walk.events.jsonl", "walk.counts.csv")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fairmot_dla34", "analytics"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "txt"])
def test_each_format_gives_the_same_counts(
    suffix: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = out / "mot_results" / f"walk.{suffix}"
    rate = ("--frame-rate", "25") if suffix == "txt" else ()
    for frames in (SIZE, ("--source", str(out.parent / "images"))):
        assert analyse(results, *GATE, *frames, *rate, "--json", "--output-dir", tmp_path, "--overwrite") == 0
        done = json.loads(capsys.readouterr().out)
        assert done["frames"] == 100
        assert done["analytics"]["lines"]["gate"]["crossings"] == {"in": 2, "out": 0}


def test_the_files_go_beside_the_results_by_default(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An analysis of the same results is replaced; one of others is refused."""
    results = out / "mot_results" / "walk.jsonl"
    for _ in range(2):
        assert analyse(results, *GATE, *SIZE) == 0
    assert (out / "analytics" / "walk.events.jsonl").is_file()
    other = out.parent / "elsewhere" / "walk.jsonl"
    other.parent.mkdir()
    other.write_bytes(results.read_bytes())
    capsys.readouterr()
    words = (other, *GATE, *SIZE, "--output-dir", out)
    code, message = refusal(capsys, *words)
    assert code == 1
    assert "contains results of another source" in message
    assert "--overwrite" in message
    assert analyse(*words, "--name", "second") == 0
    assert analyse(*words, "--overwrite") == 0


def test_the_files_of_track_are_replaced_by_an_analysis_of_its_results(tmp_path: Path) -> None:
    module = Module.from_backend(FakeBackend())
    config = AnalyticsConfig((Line("door", (160, 192), (160, 0)),))
    folder = tmp_path / "images"
    folder.mkdir()
    write_walking_boxes(folder, 5)
    settings: dict[str, Any] = {"formats": ("jsonl",), "visualization": False, "progress": False, "name": "walk"}
    module.tracking(str(folder), tmp_path / "out", analytics=config, **settings)
    assert analyse(tmp_path / "out" / "mot_results" / "walk.jsonl", *GATE, *SIZE) == 0
    assert "gate in" in (tmp_path / "out" / "analytics" / "walk.counts.csv").read_text()
    module.tracking(str(folder), tmp_path / "out", analytics=config, **settings)
    assert "door in" in (tmp_path / "out" / "analytics" / "walk.counts.csv").read_text()


def test_the_file_and_the_options_add_up(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "shop.toml"
    settings.write_text("[[line]]\nname = 'door'\nstart = [200, 192]\nend = [200, 0]\n[heatmap]\ncell_px = 32\n")
    words = ("--analytics", settings, *GATE, "--heatmap", *SIZE, "--json", "--output-dir", tmp_path)
    assert analyse(out / "mot_results" / "walk.jsonl", *words) == 0
    totals = json.loads(capsys.readouterr().out)["analytics"]
    assert list(totals["lines"]) == ["door", "gate"]
    assert totals["heat_s"] == pytest.approx(7.92, abs=0.01)


def test_track_takes_the_same_options(tmp_path: Path) -> None:
    settings = tmp_path / "shop.toml"
    settings.write_text("[[line]]\nname = 'door'\nstart = [200, 192]\nend = [200, 0]\n[heatmap]\ncell_px = 32\n")
    words = ["track", "a.mp4", *GATE, "--line", "b:0,0,9,9", "--analytics", str(settings), "--heatmap"]
    plan: Any = run_settings(make_parser(["track"]).parse(words)).output.analytics
    assert [line.name for line in plan.config.lines] == ["door", "gate", "b"]
    assert plan.config.heatmap.cell_px == 32
    assert run_settings(make_parser(["track"]).parse(["track", "a.mp4"])).output.analytics is None


def test_hub_run_takes_them_too() -> None:
    words = ["--video_stream", "a.mp4", *GATE, "--zone", "a:0,0,9,9,9,0", "--heatmap", "True"]
    plan: Any = run_settings(make_hub_parser().parse(words)).output.analytics
    assert [place.name for place in (*plan.config.lines, *plan.config.zones)] == ["gate", "a"]
    assert plan.config.heatmap is not None


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (SIZE, 2, ("nothing to analyse", "--line")),
        (GATE, 2, ("no frame size", "--source VIDEO", "--size WxH")),
        ((*GATE, *SIZE, "--source", "x.mp4"), 2, ("given twice",)),
        ((*GATE, "--size", "320"), 2, ("--size is '320'", "1280x720")),
        ((*GATE, *SIZE, "--frame-rate", "25"), 2, ("--frame-rate is 25", "states the times", "leave it out")),
        ((*GATE, "--source", "x.mp4"), 2, ("x.mp4", "does not exist")),
        (("--line", "gate:160,192,400,0", *SIZE), 1, ("(400, 0) outside the frame of 320x192 px",)),
        (("--heatmap", "--size", "32x19"), 1, ("far outside a frame of 32x19 px",)),
        (("--line", "gate:1,1", *SIZE), 2, ("--line", "door:100,400,500,400")),
        (("--line", "gate:1,1,1,1", *SIZE), 2, ("--line", "has no length")),
        (("--line", "1,1,9,9", *SIZE), 2, ("--line", "NAME:x1,y1,x2,y2")),
        (("--zone", "a:0,0,9,9,9,0,0,9", *SIZE), 2, ("--zone", "crosses or touches itself")),
        ((*GATE, *GATE, *SIZE), 2, ("'gate' is used more than once",)),
        (("--zone", "people:0,0,9,9,9,0", *SIZE), 1, ("'people mean'", "Rename")),
        (("--analytics", "no.toml", *SIZE), 1, ("no.toml", "cannot be read")),
        ((*GATE, *SIZE, "--name", "a/b"), 2, ("--name",)),
        ((*GATE, *SIZE, "--lines", "3"), 2, ("--lines", "did you mean --line?")),
    ],
)
def test_bad_input_is_one_sentence(
    words: tuple[str, ...],
    code: int,
    parts: tuple[str, ...],
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, message = refusal(capsys, out / "mot_results" / "walk.jsonl", *words, "--output-dir", tmp_path / "o")
    assert found == code
    for part in parts:
        assert part in message
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[[line]]\nname='a'\nstrat=[1,2]\nend=[3,4]\n", ("'strat'", "Did you mean 'start'?")),
        ("[[lines]]\nname='a'\n", ("'lines'", "Did you mean 'line'?")),
        ("[heatmap]\ncel_px=3\n", ("'cel_px'", "Did you mean 'cell_px'?")),
        ("[[line]\n", ("not valid TOML",)),
    ],
)
def test_an_analytics_file_is_refused_with_its_name(
    text: str, parts: tuple[str, ...], out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "shop.toml"
    settings.write_text(text)
    code, message = refusal(capsys, out / "mot_results" / "walk.jsonl", "--analytics", settings, *SIZE)
    assert code == 1
    for part in (*parts, "shop.toml"):
        assert part in message


def test_mot_text_needs_a_frame_rate(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = refusal(capsys, out / "mot_results" / "walk.txt", *GATE, *SIZE)
    assert code == 2
    assert "--frame-rate is missing" in message
    assert "--source VIDEO" in message


def test_results_of_a_longer_video_are_refused(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_walking_boxes(tmp_path, 7)
    for suffix in ("txt", "jsonl"):
        code, message = refusal(capsys, out / "mot_results" / f"walk.{suffix}", *GATE, "--source", tmp_path)
        assert code == 1
        assert "frame 8 is beyond the 7 frames" in message


def test_times_that_go_back_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "walk.jsonl"
    results.write_text("".join(f'{{"frame": {n}, "time_s": {t}, "tracks": []}}\n' for n, t in ((1, 0), (2, 3), (3, 2))))
    code, message = refusal(capsys, results, *GATE, *SIZE)
    assert code == 1
    assert "the time of frame 3 is 2.000 s" in message


def test_a_file_without_any_track_gives_empty_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "walk.txt").touch()
    (tmp_path / "walk.jsonl").touch()
    (tmp_path / "walk.csv").write_text("frame,time_s,id,x1,y1,x2,y2,score\n")
    assert analyse(tmp_path / "walk.txt", *GATE, *SIZE, "--frame-rate", "25", "--heatmap") == 0
    for suffix in ("csv", "jsonl"):
        assert analyse(tmp_path / f"walk.{suffix}", *GATE, *SIZE, "--heatmap", "--overwrite", "--json") == 0
    assert '"unique_ids": 0' in capsys.readouterr().out
    assert len((tmp_path / "analytics" / "walk.counts.csv").read_text().splitlines()) == 1


def test_a_stride_is_found_in_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Frames between two tracked ones are no frames without people."""
    module = Module.from_backend(FakeBackend())
    settings: dict[str, Any] = {"formats": ("mot", "jsonl"), "visualization": False, "progress": False, "name": "walk"}
    images = tmp_path / "images"
    images.mkdir()
    write_walking_boxes(images, 90)
    module.tracking(str(images), tmp_path, frame_stride=3, frame_rate=25, **settings)
    found = {}
    for suffix in ("txt", "jsonl"):
        rate = ("--frame-rate", "25") if suffix == "txt" else ()
        for frames in (SIZE, ("--source", str(images))):
            words = (*GATE, *frames, *rate, "--output-dir", tmp_path / suffix / frames[0], "--json")
            assert analyse(tmp_path / "mot_results" / f"walk.{suffix}", *words) == 0
            done = json.loads(capsys.readouterr().out)
            counts = (tmp_path / suffix / frames[0] / "analytics" / "walk.counts.csv").read_text()
            found[suffix, frames[0]] = (done["frames"], done["analytics"]["lines"]["gate"]["crossings"], counts)
    assert len(set(map(str, found.values()))) == 1
    assert found["txt", "--size"][0] == 30


def test_a_video_is_drawn_below_the_heat_map(out: Path, tmp_path: Path) -> None:
    results, images = out / "mot_results" / "walk.jsonl", out.parent / "images"
    sizes = []
    for frames in (SIZE, ("--source", str(images))):
        assert analyse(results, "--heatmap", *frames, "--output-dir", tmp_path / frames[0]) == 0
        sizes.append((tmp_path / frames[0] / "analytics" / "walk.heatmap.png").stat().st_size)
    assert sizes[0] != sizes[1]
