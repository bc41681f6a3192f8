"""Analysis during a run: events, counts, heat map and drawing, on walking boxes whose crossings are known."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import Module
from fairmot_dla34.analytics import (
    Analysis,
    AnalyticsConfig,
    AnalyticsPlan,
    GroundPlane,
    HeatMap,
    HeatSettings,
    Line,
    Zone,
)
from fairmot_dla34.analytics.afterwards import analyse_results
from fairmot_dla34.analytics.heat_image import heat_image
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.tracking.completion import settings_digest
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import FrameResult, Track, TrackingSummary

RATE = 25.0
# Foot points: person 0 walks at y = 69 from x = 20 by 2 px a frame, person 1 at y = 129 from x = 90.
GATE = Line("gate", (160, 192), (160, 0), forward="east", backward="west")
YARD = Zone("yard", ((100, 100), (140, 100), (140, 150), (100, 150)))
CONFIG = AnalyticsConfig((GATE,), (YARD,), HeatSettings(8.0))


def track(source: Any, folder: Path, config: AnalyticsConfig = CONFIG, **options: Any) -> TrackingSummary:
    module = Module.from_backend(FakeBackend())
    settings: dict[str, Any] = {
        "analytics": config,
        "output_dir": folder,
        "frame_rate": RATE,
        "progress": False,
        "name": "walk",
    }
    return module.tracking(source, **(settings | options))


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "analytics" / "walk.events.jsonl").read_text().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "analytics").iterdir())}


def heat_map(folder: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(folder / "analytics" / "walk.heatmap.png"))
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrackingSummary]:
    """Outputs of 100 frames: both people pass the gate eastward, and person 1 walks through the yard."""
    folder = tmp_path_factory.mktemp("walk")
    return folder, track(walking_boxes(100), folder, formats=("mot", "jsonl", "csv"))


def test_events_have_the_times_of_the_scene(walk: tuple[Path, TrackingSummary]) -> None:
    found = events(walk[0])
    crossings = [event for event in found if event["event"] == "crossing"]
    assert [event["direction"] for event in crossings] == ["east", "east"]
    assert [event["time_s"] for event in crossings] == pytest.approx([35 / RATE, 70 / RATE], abs=2 / RATE)
    assert [event["y"] for event in crossings] == pytest.approx([130, 70], abs=3)
    (visit,) = [event for event in found if event["event"] == "leave"]
    assert visit["entered_s"] == pytest.approx(5 / RATE, abs=2 / RATE)
    assert visit["dwell_s"] == pytest.approx(20 / RATE, abs=2 / RATE)
    paths = [event for event in found if event["event"] == "path"]
    assert [event["length_px"] for event in paths] == pytest.approx([198, 198], rel=0.1)


def test_counts_have_one_row_for_each_minute(walk: tuple[Path, TrackingSummary]) -> None:
    with (walk[0] / "analytics" / "walk.counts.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["gate east"], row["gate west"], row["yard visits"], row["people largest"]) == ("2", "0", "1", "2")
    assert float(row["observed_s"]) == pytest.approx(99 / RATE)


def test_the_summary_has_the_totals_and_the_files(walk: tuple[Path, TrackingSummary]) -> None:
    folder, summary = walk
    assert summary.analytics is not None
    assert summary.analytics["lines"]["gate"]["crossings"] == {"east": 2, "west": 0}
    assert summary.analytics["zones"]["yard"]["visits"] == 1
    assert set(files(folder)) == {"walk.counts.csv", "walk.events.jsonl", "walk.heatmap.png"}
    assert {path.name for path in summary.paths} >= set(files(folder))
    json.dumps(summary.analytics)


def test_the_heat_map_is_warm_where_people_walked(walk: tuple[Path, TrackingSummary]) -> None:
    image = heat_map(walk[0])
    assert image.shape == (192, 320, 3)
    warm = image.max(axis=2).astype(int) - image.min(axis=2) > 60
    assert warm[64:74, 30:200].mean() > 0.5
    assert warm[90:110].mean() < 0.05
    assert not warm[:30].any()


@pytest.mark.parametrize(
    ("size", "cell_px", "shape"),
    [
        ((640, 360), 1e5, (360, 640)),
        ((7, 5), 2.0, (5, 7)),
        ((30_000, 20_000), 200.0, (2429, 3643)),
        ((9000, 1), 9.0, (1, 9000)),
    ],
)
def test_heat_maps_of_extreme_sizes_can_be_drawn(size: tuple[int, int], cell_px: float, shape: tuple[int, int]) -> None:
    heat = HeatMap(size, cell_px)
    assert heat_image(heat, None).shape == (*shape, 3)
    heat.seconds[0, 0] = 2.0
    assert heat_image(heat, np.zeros((5, 7, 3), np.uint8))[0, 0].max() > 150


def test_lines_zones_and_counts_are_drawn(walk: tuple[Path, TrackingSummary], tmp_path: Path) -> None:
    track(walking_boxes(100), tmp_path, analytics=None)
    plain, drawn = (frame_of(folder / "mot_outputs" / "walk_vis.mp4", 60) for folder in (tmp_path, walk[0]))
    changed = np.abs(plain.astype(int) - drawn).max(axis=2) > 40
    assert changed[155:190, 160].mean() > 0.9, "the line"
    assert changed[149:152, 105:135].mean() > 0.6, "the lower edge of the zone"
    assert not changed[:, 300:].any()
    assert drawn[155:190, 160].mean() > 180, "white: nobody has just crossed"


def frame_of(path: Path, number: int) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    return np.asarray(frames[number], np.uint8)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_an_analysis_of_the_results_file_gives_equal_files(
    suffix: str, walk: tuple[Path, TrackingSummary], tmp_path: Path
) -> None:
    results = walk[0] / "mot_results" / f"walk.{suffix}"
    done = analyse_results(results, CONFIG, size=(320, 192), output_dir=tmp_path, progress=False)
    now, before = files(tmp_path), files(walk[0])
    assert {name: now[name] == before[name] for name in before} == {
        "walk.counts.csv": True, "walk.events.jsonl": True, "walk.heatmap.png": False,  # no image below
    }  # fmt: skip
    assert done.analytics == walk[1].analytics


def test_mot_text_gives_the_same_counts(walk: tuple[Path, TrackingSummary], tmp_path: Path) -> None:
    """Its sides have two decimals, so that a corner may differ by 0.01 px."""
    results = walk[0] / "mot_results" / "walk.txt"
    done = analyse_results(results, CONFIG, size=(320, 192), frame_rate=RATE, output_dir=tmp_path, progress=False)
    assert walk[1].analytics is not None
    assert done.analytics["lines"] == walk[1].analytics["lines"]
    assert done.analytics["zones"]["yard"] == pytest.approx(walk[1].analytics["zones"]["yard"], abs=0.002)


def test_people_of_python_analyse_what_track_yields(walk: tuple[Path, TrackingSummary]) -> None:
    with Module.from_backend(FakeBackend())._model(use_gpu=False) as model:
        analysis = Analysis(CONFIG, (320, 192), RATE)
        for result in model.track(walking_boxes(100), frame_rate=RATE):
            analysis.update(result)
        analysis.finish()
    assert walk[1].analytics is not None
    assert analysis.summary().to_dict()["lines"] == walk[1].analytics["lines"]


def test_a_ground_plane_gives_paths_in_metres(tmp_path: Path) -> None:
    """20 px are a metre: 59 steps of 2 px are 5.9 m."""
    plane = GroundPlane.from_points(((0, 0), (200, 0), (200, 100), (0, 100)), ((0, 0), (10, 0), (10, 5), (0, 5)))
    track(walking_boxes(60), tmp_path, AnalyticsConfig(ground=plane), visualization=False)
    paths = [event for event in events(tmp_path) if event["event"] == "path"]
    assert [event["length_m"] for event in paths] == pytest.approx([5.9, 5.9], rel=0.05)


def test_a_run_with_zones_is_recognised_as_complete() -> None:
    """Zones keep their geometry once it is computed, which does not change the digest of ``--resume``."""
    plans = [AnalyticsPlan(CONFIG), AnalyticsPlan(AnalyticsConfig((GATE,), (Zone("yard", YARD.points),)))]
    used = AnalyticsPlan(AnalyticsConfig((GATE,), (YARD,), HeatSettings(8.0)))
    used.start((320, 192), RATE).add(FrameResult(0, 0.0, ()))
    digests = [settings_digest({"analytics": plan}) for plan in (*plans, used)]
    assert digests[0] == digests[2] != digests[1]


def test_events_are_in_the_file_when_they_are_certain(tmp_path: Path) -> None:
    seen = []

    def watched() -> Iterator[NDArray[np.uint8]]:
        for index, image in enumerate(walking_boxes(100)):
            if index == 60:
                seen.extend(events(tmp_path))
            yield image

    track(watched(), tmp_path, visualization=False)
    assert [event["event"] for event in seen if event["event"] == "crossing"] == ["crossing"]


def test_ctrl_c_leaves_complete_files(tmp_path: Path) -> None:
    def interrupted() -> Iterator[NDArray[np.uint8]]:
        yield from walking_boxes(50)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(interrupted(), tmp_path, formats=("jsonl",))
    analyse_results(
        tmp_path / "mot_results" / "walk.jsonl", CONFIG, size=(320, 192), output_dir=tmp_path / "b", progress=False
    )
    now, after = files(tmp_path), files(tmp_path / "b")
    assert {"walk.counts.csv", "walk.events.jsonl", "walk.heatmap.png"} == set(now)
    assert now["walk.events.jsonl"] == after["walk.events.jsonl"]
    assert now["walk.counts.csv"] == after["walk.counts.csv"]
    assert heat_map(tmp_path).shape == (192, 320, 3)


def test_filled_gaps_count_and_the_files_agree(tmp_path: Path) -> None:
    track(walking_boxes(60), tmp_path, fill_gaps=5, visualization=False, formats=("jsonl",))
    results = tmp_path / "mot_results" / "walk.jsonl"
    analyse_results(results, CONFIG, size=(320, 192), output_dir=tmp_path / "b", progress=False)
    assert files(tmp_path)["walk.events.jsonl"] == files(tmp_path / "b")["walk.events.jsonl"]


def test_a_line_outside_the_frame_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    track(walking_boxes(12), tmp_path)
    before = files(tmp_path) | {"txt": (tmp_path / "mot_results" / "walk.txt").read_bytes()}
    outside = AnalyticsConfig((Line("gate", (10, 10), (400, 10)),))
    with pytest.raises(InvalidInputError, match=r"Line 'gate' .*\(400, 10\) outside the frame of 320x192 px"):
        track(walking_boxes(20), tmp_path, outside)
    assert files(tmp_path) | {"txt": (tmp_path / "mot_results" / "walk.txt").read_bytes()} == before


def test_the_heat_map_shows_nobody_who_is_anonymised(tmp_path: Path) -> None:
    """It is drawn over the first frame, in which blocks replace the people."""
    striped = []
    for image in walking_boxes(40):
        image[10:70:2] //= 2
        striped.append(image)
    heat = AnalyticsConfig(heatmap=HeatSettings())
    ranges = []
    for folder, who in ((tmp_path / "plain", None), (tmp_path / "covered", "people")):
        track(striped, folder, heat, anonymise=who)
        heated = heat_map(folder)
        ranges.append(np.abs(np.diff(heated[14:50, 10:30].astype(int), axis=0)).mean())
    assert ranges[1] < 0.3 * ranges[0]


def test_frames_that_a_slow_network_leaves_out_change_no_count() -> None:
    """Times are those of the frames: every frame, or about every third one."""
    live = [AnalyticsPlan(CONFIG).start((320, 192), RATE) for _ in range(2)]
    for index in range(100):
        tracks = tuple(
            Track(number + 1, (x - 15, y - 60, x + 15, y), 0.9, index)
            for number, (x, y) in enumerate([(20.0 + 2 * index, 69.0), (90.0 + 2 * index, 129.0)])
        )
        for number, analysis in enumerate(live):
            if number == 0 or index % 3 == 0 or index % 7 == 0:
                analysis.add(FrameResult(index, index / RATE, tracks))
    for analysis in live:
        analysis.finish()
    every, some = (analysis.totals() for analysis in live)
    assert every["lines"] == some["lines"]
    assert some["zones"]["yard"] == pytest.approx(every["zones"]["yard"], abs=0.01)
    assert some["heat_s"] == pytest.approx(every["heat_s"], abs=0.05)


def test_a_change_of_the_frame_size_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = [*walking_boxes(5), *walking_boxes(5, width=300)]
    with caplog.at_level(logging.WARNING):
        track(images, tmp_path, visualization=False)
    assert [record.message for record in caplog.records if "keep their place" in record.message] == [
        "Frame 6 has 300x192 px, and the first one 320x192: lines, zones and the heat map keep their place in px."
    ]


def test_a_file_that_fails_leaves_the_others_complete(tmp_path: Path) -> None:
    def removed() -> Iterator[NDArray[np.uint8]]:
        for index, image in enumerate(walking_boxes(100)):
            if index == 50:
                with (tmp_path / "analytics" / "walk.events.jsonl").open("a") as file:
                    file.write("x")
            yield image

    with pytest.raises(OSError, match=r"events\.jsonl"):
        track(removed(), tmp_path, visualization=False)
    assert b",2,0," in files(tmp_path)["walk.counts.csv"]
    assert files(tmp_path)["walk.heatmap.png"].startswith(b"\x89PNG")


def test_names_with_commas_quotes_and_chinese_characters_are_usable(tmp_path: Path) -> None:
    config = AnalyticsConfig((Line('a, "b"', (160, 192), (160, 0)), Line("门", (170, 192), (170, 0))))
    track(walking_boxes(60), tmp_path, config)
    with (tmp_path / "analytics" / "walk.counts.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row['a, "b" in'] == "1"
    assert row["门 in"] == "1"
    assert {event.get("line") for event in events(tmp_path)} == {'a, "b"', "门", None}


@pytest.mark.parametrize(
    ("config", "column"),
    [
        (AnalyticsConfig(zones=(Zone("people", YARD.points),)), "people mean"),
        (
            AnalyticsConfig(
                (
                    Line("a", (0, 0), (9, 9), forward="b c"),
                    Line("a b", (0, 0), (9, 9), forward="c"),
                )
            ),
            "a b c",
        ),
    ],
)
def test_two_columns_of_one_name_are_refused(config: AnalyticsConfig, column: str) -> None:
    with pytest.raises(InvalidInputError, match=f"named '{column}'"):
        AnalyticsPlan(config)


@pytest.mark.parametrize("name", ["=SUM(A1)", "+a", "-a", "@a", "a\nb", "", " a"])
def test_a_name_that_a_table_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="Name of a line"):
        Line(name, (0, 0), (9, 9))


def test_settings_of_another_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"analytics is 3; expected an AnalyticsConfig"):
        track(walking_boxes(3), tmp_path, analytics=3)
    with pytest.raises(InvalidInputError, match=r"analytics is 3; expected an AnalyticsPlan"):
        OutputOptions(analytics=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"Analytics file .*no.toml"):
        track(walking_boxes(3), tmp_path, analytics=str(tmp_path / "no.toml"))
