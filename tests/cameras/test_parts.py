"""Outputs of a camera in parts: names, boundaries, sizes, clocks, people who stay anonymous, and other processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from camera_results import SIZE, START, WallClock, made_result, made_results, names_in, text_only

from fairmot_dla34 import Track
from fairmot_dla34.analytics import AnalyticsConfig, Line
from fairmot_dla34.analytics.plan import AnalyticsPlan
from fairmot_dla34.cameras import CameraResult, Keep, PartWriter, Segment
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError, OutputError, StateError
from fairmot_dla34.tracking.options import OutputOptions

HOUR, MINUTES = Segment.parse("hour"), Segment.parse("15m")


@pytest.fixture
def time_zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Set the local time of this process."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change the time zone of a process")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def write(writer: PartWriter, results: list[CameraResult], clock: WallClock | None = None) -> None:
    for result in results:
        if clock is not None:
            clock.seconds = result.frame.time_s
        writer.write(result)


def rows_of(path: Path) -> list[tuple[int, int]]:
    """Return frame and id of each line of a MOT file."""
    return [(int(line.split(",")[0]), int(line.split(",")[1])) for line in path.read_text().splitlines()]


def frames_in(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_parts_are_named_by_their_first_frame_and_begin_at_the_boundary(tmp_path: Path) -> None:
    results = made_results(10, 100.0, start=START + timedelta(seconds=100))
    with PartWriter("door", text_only(tmp_path), segment=MINUTES) as writer:
        write(writer, results[:8])
        assert names_in(tmp_path) == ["door_20260301T120140Z.txt"]
        write(writer, results[8:])
        assert names_in(tmp_path) == ["door_20260301T120140Z.txt", "door_20260301T121500Z.txt"]
    first, second = (tmp_path / "mot_results" / name for name in names_in(tmp_path))
    assert rows_of(first) == [(frame, track_id) for frame in range(1, 9) for track_id in (1, 2)]
    assert rows_of(second) == [(frame, track_id) for frame in (1, 2) for track_id in (1, 2)]


def test_every_output_is_in_parts_and_each_part_is_complete(tmp_path: Path) -> None:
    line = Line("door", (0, 30), (96, 30))
    options = OutputOptions(
        output_dir=tmp_path,
        formats=("mot", "jsonl", "csv", "kitti"),
        follow=2,
        save_crops=True,
        analytics=AnalyticsPlan(AnalyticsConfig(lines=(line,))),
    )
    with PartWriter("door", options, segment=HOUR) as writer:
        write(writer, made_results(6, 900.0))
    for stamp, count in (("120000Z", 4), ("130000Z", 2)):
        stem = f"door_20260301T{stamp}"
        assert len(frames_in(tmp_path / "mot_outputs" / f"{stem}_vis.mp4")) == count
        assert len(frames_in(tmp_path / "mot_outputs" / f"{stem}_follow2.mp4")) == count
        lines = [json.loads(text) for text in (tmp_path / "mot_results" / f"{stem}.jsonl").read_text().splitlines()]
        assert [row["frame"] for row in lines] == list(range(1, count + 1))
        assert [row["time_s"] for row in lines] == [900.0 * number for number in range(count)]
        assert {track["id"] for row in lines for track in row["tracks"]} == {1, 2}
        crops = tmp_path / "mot_outputs" / f"{stem}_crops"
        assert {path.name for path in crops.iterdir()} >= {"1", "2", "crops.csv"}
        assert (tmp_path / "analytics" / f"{stem}.counts.csv").read_text().count("\n") >= 2
        assert (tmp_path / "mot_results" / f"{stem}.kitti.txt").read_text().startswith("0 1 Pedestrian")


def test_report_analyse_and_eval_read_each_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also if frames were dropped and the camera was away for a while."""
    times = [number / 10 for number in (*range(40), *range(40, 80, 2), *range(700, 740), *range(36_000, 36_040))]
    options = OutputOptions(output_dir=tmp_path, formats=("mot", "jsonl"))
    with PartWriter("door", options, segment=HOUR) as writer:
        for time_s in times:
            writer.write(made_result(round(10 * time_s), time_s, START + timedelta(seconds=time_s)))
    for stem, count in (("door_20260301T120000Z", 100), ("door_20260301T130000Z", 40)):
        text, video = tmp_path / "mot_results" / f"{stem}.jsonl", tmp_path / "mot_outputs" / f"{stem}_vis.mp4"
        line = ("--line", "door:50,0,50,60")
        found = ("--output-dir", str(tmp_path / "found"))
        assert main(["analyse", str(text), *line, "--size", "96x64", *found, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
        assert main(["report", str(text), "--source", str(video), *line, "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["frames"], report["ids"], report["crops"]) == (count, 2, 2)
        if find_spec("trackeval") is not None:
            rows = [row.split(",") for row in text.with_suffix(".txt").read_text().splitlines()]
            truth = tmp_path / "truth" / f"{stem}.txt"
            truth.parent.mkdir(exist_ok=True)
            truth.write_text("".join(",".join([*row[:6], "1,1,1"]) + "\n" for row in rows))
            assert main(["eval", "--gt", str(truth.parent), "--results", str(tmp_path), "--json"]) == 0
            assert '"mota": 100.0' in capsys.readouterr().out
            truth.unlink()


def test_a_change_of_size_begins_a_part(tmp_path: Path) -> None:
    options = OutputOptions(output_dir=tmp_path)
    results = [*made_results(5, 0.05), *made_results(5, 0.05, first=5, size=(64, 96)), *made_results(5, 0.05, first=10)]
    with PartWriter("door", options) as writer:
        write(writer, results)
    stem = "door_20260301T120000Z"
    assert names_in(tmp_path) == [f"{stem}.txt", f"{stem}_2.txt", f"{stem}_3.txt"]
    sizes = [frames_in(tmp_path / "mot_outputs" / f"{stem}{end}_vis.mp4")[0].shape for end in ("", "_2", "_3")]
    assert sizes == [(64, 96, 3), (96, 64, 3), (64, 96, 3)]
    assert all(rows_of(tmp_path / "mot_results" / name)[0][0] == 1 for name in names_in(tmp_path))


def test_a_size_that_changes_all_the_time_does_not_fill_the_disk_with_parts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with PartWriter("door", text_only(tmp_path)) as writer:
        for number in range(200):
            wall_time = START + timedelta(seconds=number / 10)
            writer.write(made_result(number, number / 10, wall_time, size=(96, 64 + 2 * (number % 2))))
    assert len(names_in(tmp_path)) == 11
    assert caplog.text.count("changes again and again") == 1


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"], indirect=True)
def test_a_day_and_an_hour_are_those_of_the_local_clock(time_zone: str) -> None:
    for text in ("day", "hour"):
        segment = Segment.parse(text)
        for minutes in range(0, 40 * 60, 7):
            wall_time = START + timedelta(minutes=minutes)
            start = segment.start_of(wall_time)
            local = start.astimezone()
            assert start <= wall_time < start + timedelta(seconds=segment.seconds)
            assert (local.minute, local.second) == (0, 0), time_zone
            assert text == "hour" or (local.hour, local.date()) == (0, wall_time.astimezone().date())


@pytest.mark.parametrize("time_zone", ["Europe/Berlin"], indirect=True)
@pytest.mark.parametrize(
    ("text", "start", "counts"),
    [
        ("day", datetime(2026, 10, 24, 21, tzinfo=timezone.utc), [4, 100, 40]),  # a day of 25 hours
        ("day", datetime(2026, 3, 28, 22, tzinfo=timezone.utc), [4, 92, 48]),  # a day of 23 hours
        ("hour", datetime(2026, 10, 24, 23, tzinfo=timezone.utc), [4] * 36),  # 2:00 twice
    ],
)
def test_nothing_is_lost_or_replaced_if_daylight_saving_time_starts_or_ends(
    tmp_path: Path, time_zone: str, text: str, start: datetime, counts: list[int]
) -> None:
    with PartWriter("door", text_only(tmp_path), segment=Segment.parse(text)) as writer:
        write(writer, made_results(144, 900.0, start=start))
    found = [len(set(rows_of(tmp_path / "mot_results" / name))) // 2 for name in names_in(tmp_path)]
    assert found == counts, time_zone
    assert sum(found) == 144


def test_a_duration_is_counted_from_midnight_utc() -> None:
    segment = Segment.parse("7h")
    starts = {segment.start_of(START.replace(hour=hour, minute=59)).hour for hour in range(24)}
    assert starts == {0, 7, 14, 21}


@pytest.mark.parametrize(
    ("steps", "stems"),
    [
        ([0, -30], ["130000Z"]),  # synchronisation at the boundary
        ([0, -7200], ["130000Z", "110030Z"]),
        ([0, 7200], ["130000Z", "150030Z"]),
        ([0, -7200, 0], ["130000Z", "110030Z", "130100Z"]),
    ],
)
def test_a_clock_that_is_set_back_or_forward_loses_nothing(tmp_path: Path, steps: list[int], stems: list[str]) -> None:
    """Thirty frames before each step, a second apart."""
    start = START + timedelta(hours=1)
    with PartWriter("door", text_only(tmp_path), segment=HOUR) as writer:
        for number, step in enumerate(steps):
            for second in range(30 * number, 30 * (number + 1)):
                writer.write(made_result(second, float(second), start + timedelta(seconds=second + step)))
    assert names_in(tmp_path) == sorted(f"door_20260301T{stem}.txt" for stem in stems)
    assert sum(len(rows_of(tmp_path / "mot_results" / name)) for name in names_in(tmp_path)) == 60 * len(steps)


def test_a_clock_that_stands_still_does_not_make_a_part_endless(tmp_path: Path) -> None:
    with PartWriter("door", text_only(tmp_path), segment=MINUTES) as writer:
        for number in range(100):
            writer.write(made_result(number, 60.0 * number, START))
    assert len(names_in(tmp_path)) == 4


def test_a_restart_in_the_same_second_replaces_nothing(tmp_path: Path) -> None:
    for _ in range(3):
        with PartWriter("door", text_only(tmp_path), segment=HOUR) as writer:
            write(writer, made_results(2, 0.1))
    assert names_in(tmp_path) == [f"door_20260301T120000Z{end}.txt" for end in ("", "_2", "_3")]
    assert len({(tmp_path / "mot_results" / name).read_text() for name in names_in(tmp_path)}) == 1


def test_a_file_or_a_link_of_that_name_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mot_results"
    folder.mkdir()
    foreign = tmp_path / "foreign.txt"
    (folder / "door_20260301T120000Z.csv").write_text("of somebody else")
    (folder / "door_20260301T120000Z_2.txt").symlink_to(foreign)  # leads nowhere
    with PartWriter("door", text_only(tmp_path), segment=HOUR) as writer:
        write(writer, made_results(2, 0.1))
    assert (folder / "door_20260301T120000Z_3.txt").is_file()
    assert (folder / "door_20260301T120000Z.csv").read_text() == "of somebody else"
    assert not foreign.exists()


def test_two_cameras_write_in_one_folder(tmp_path: Path) -> None:
    with (
        PartWriter("door", text_only(tmp_path), segment=HOUR) as door,
        PartWriter("door_2", text_only(tmp_path), segment=HOUR) as hall,
    ):
        for result in made_results(5, 900.0):
            door.write(result)
            hall.write(result)
    assert len(names_in(tmp_path)) == 4


def test_two_watches_do_not_write_one_camera(tmp_path: Path) -> None:
    with PartWriter("door", text_only(tmp_path)), pytest.raises(OutputError, match="already being written by a watch"):
        PartWriter("door", text_only(tmp_path))
    PartWriter("door", text_only(tmp_path)).close()


def test_held_results_are_written_when_the_camera_is_silent(tmp_path: Path) -> None:
    clock = WallClock()
    with PartWriter("door", replace(text_only(tmp_path), fill_gaps=20), segment=HOUR, clock=clock) as writer:
        write(writer, made_results(10, 0.1), clock)
        writer.idle()
        assert not (tmp_path / "mot_results").exists()
        clock.seconds += 10
        writer.idle()
        (name,) = names_in(tmp_path)
        assert len(rows_of(tmp_path / "mot_results" / name)) == 20
        write(writer, made_results(10, 0.1, first=200), clock)
    assert len(rows_of(tmp_path / "mot_results" / name)) == 40


def test_a_part_is_completed_at_its_end_although_the_camera_is_silent(tmp_path: Path) -> None:
    clock = WallClock()
    with PartWriter("door", OutputOptions(output_dir=tmp_path), segment=HOUR, clock=clock) as writer:
        write(writer, made_results(5, 0.1), clock)
        clock.seconds = 3700
        writer.idle()
        record = json.loads(next((tmp_path / ".fairmot_dla34" / "parts" / "door").glob("*.json")).read_text())
        assert record["ended_s"] == (START + timedelta(seconds=0.4)).timestamp()
        writer.idle()


@pytest.mark.parametrize("size", [SIZE, (192, 128)], ids=["time", "size"])
@pytest.mark.parametrize("anonymise", ["people", "heads"])
def test_people_stay_anonymous_over_the_boundary_of_parts(
    tmp_path: Path, anonymise: str, size: tuple[int, int]
) -> None:
    """A lost person is covered in the first frames of a part, and a new one in the last frames of the part before."""
    options = OutputOptions(output_dir=tmp_path, anonymise=anonymise, draw_threshold=1.0, labels="none")
    start = START - timedelta(seconds=1)
    factor = size[0] / SIZE[0]
    with PartWriter("door", options, segment=HOUR) as writer:
        for index in range(20):
            wall_time = start + timedelta(seconds=index / 10)
            if index < 10:
                writer.write(made_result(index, index / 10, wall_time, ids=(1,) if index < 9 else ()))
            else:  # the person is lost at first; another one appears at 10 and stays beside
                result = made_result(index, index / 10, wall_time, size=size, ids=())
                box = (60.0 * factor, 10.0 * factor, 72.0 * factor, 40.0 * factor)
                track = Track(2, box, 0.9, 0)
                writer.write(replace(result, result=replace(result.result, tracks=(track,))))
    before, after = sorted((tmp_path / "mot_outputs").iterdir())
    for image in frames_in(before)[-3:]:
        assert is_covered(image, 64)
        assert is_covered(image, 8)
        assert not is_covered(image, 45)
    for image in frames_in(after)[:3]:
        assert is_covered(image, 64, factor)
        assert is_covered(image, 8, factor)
        assert not is_covered(image, 45, factor)


def is_covered(image: np.ndarray, x: float, factor: float = 1.0) -> bool:
    """Return whether the pattern of dots is gone around a place at the height of heads."""
    left, top = round(factor * x), round(factor * 12)
    return bool(image[top : top + 4, left : left + 4, 0].std() < 20)


def test_an_analysis_that_does_not_fit_the_size_is_left_out_with_a_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = AnalyticsPlan(AnalyticsConfig(lines=(Line("door", (0, 30), (96, 30)),)))
    with PartWriter("door", replace(text_only(tmp_path), analytics=plan)) as writer:
        write(writer, made_results(3, 0.1))
        write(writer, made_results(3, 0.1, first=3, size=(40, 20)))
    assert "door_20260301T120000Z_2 has no analytics" in caplog.text
    assert len(names_in(tmp_path)) == 2
    assert {name.split(".")[0] for name in names_in(tmp_path, "analytics")} == {"door_20260301T120000Z"}


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({"name": "front"}, {}, "name"),
        ({"overwrite": True}, {}, "overwrite"),
        ({"show": True}, {}, "show"),
        ({}, {"keep": Keep.parse("7d")}, "keep is given without a segment"),
        ({}, {"camera_name": "a/b"}, "plain file name"),
        ({}, {"camera_name": "c" * 110}, "expected at most 98"),
    ],
)
def test_settings_without_an_effect_are_refused(
    tmp_path: Path, options: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    settings = {"camera_name": "door", "options": replace(text_only(tmp_path), **options), **arguments}
    with pytest.raises(InvalidInputError, match=message):
        PartWriter(**settings)
    assert not list(tmp_path.iterdir())


def test_an_id_that_nobody_got_is_reported_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with PartWriter("door", OutputOptions(output_dir=tmp_path, follow=7)) as writer:
        write(writer, made_results(3, 0.1))
    assert "nobody got the id 7" in caplog.text
    with pytest.raises(StateError, match="closed"):
        writer.write(made_result(4, 0.4, START))


CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from camera_results import *
from fairmot_dla34.cameras import PartWriter, Segment
writer = PartWriter("door", OutputOptions(output_dir=Path(sys.argv[1])), segment=Segment.parse("15m"))
for number, result in enumerate(made_results(2000, 10.0)):
    writer.write(result)
    if number == 200:
        print("ready", flush=True)
        sys.stdin.read()
"""


def test_a_kill_leaves_whole_parts_and_the_next_run_goes_on(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", CHILD, str(tmp_path), str(Path(__file__).parent.parent)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        os.kill(child.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    assert [len(set(rows_of(tmp_path / "mot_results" / name))) for name in names_in(tmp_path)] == [180, 180, 42]
    counts = [len(frames_in(path)) for path in sorted((tmp_path / "mot_outputs").iterdir())]
    assert counts[:2] == [90, 90]
    assert counts[2] >= 20  # a frame was written every 10 s
    with PartWriter("door", OutputOptions(output_dir=tmp_path), segment=MINUTES) as writer:
        write(writer, made_results(3, 0.1))
    assert len(names_in(tmp_path)) == 4
    assert "door_20260301T120000Z_2.txt" in names_in(tmp_path)
