"""All analyses together: settings from files and texts, events, counts per minute, totals, and bounded memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from analytics.walkers import SIZE, frames, person, random_walks

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.analytics import Analysis, AnalyticsConfig, Crossing, HeatSettings, Line, MinuteCounts, Zone
from fairmot_dla34.analytics.identities import IdSet
from fairmot_dla34.errors import InvalidInputError, StateError

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOML = """
[[line]]
name = "door"
start = [100, 200]
end = [300, 200]
forward = "into the shop"
backward = "out of the shop"
dead_band_px = 5

[[zone]]
name = "queue"
points = [[100, 100], [300, 100], [300, 300], [100, 300]]
anchor = "centre"

[heatmap]
cell_px = 20
of = "boxes"

[ground]
image = [[100, 300], [540, 300], [400, 100], [240, 100]]
metres = [[0, 0], [6, 0], [6, 14], [0, 14]]

[settings]
gap_s = 2
grace_s = 1.5
smoothing_s = 0.5
"""
DOOR = Line("door", (100, 200), (300, 200), dead_band_px=5.0)
QUEUE = Zone("queue", ((100, 100), (300, 100), (300, 300), (100, 300)))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_gives_all_settings(tmp_path: Path) -> None:
    config = AnalyticsConfig.from_toml(written(tmp_path, TOML))
    (line,), (zone,) = config.lines, config.zones
    assert (line.name, line.forward, line.backward, line.dead_band_px) == (
        "door",
        "into the shop",
        "out of the shop",
        5,
    )
    assert (zone.name, zone.anchor, len(zone.points)) == ("queue", "centre", 4)
    assert config.heatmap
    assert (config.heatmap.cell_px, config.heatmap.of) == (20, "boxes")
    assert config.ground
    assert (config.gap_s, config.grace_s, config.smoothing_s) == (2, 1.5, 0.5)
    assert json.loads(json.dumps(config.to_mapping()))["line"][0]["name"] == "door"


def test_an_empty_file_is_an_analysis_without_lines_and_zones(tmp_path: Path) -> None:
    assert AnalyticsConfig.from_toml(written(tmp_path, "")) == AnalyticsConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[lines]]\nname = 'a'", "unknown key 'lines'.*Did you mean 'line'"),
        ("[[line]]\nname='a'\nstrat=[1,2]\nend=[3,4]", "number 1 has the unknown key 'strat'.*Did you mean 'start'"),
        ("[[line]]\nname='a'\nstart=[1,2]", "no key 'end'"),
        ("[line]\nname='a'", "two brackets"),
        ("line = 5", "two brackets"),
        ("line = [5]", "number 1 is 5; expected a table"),
        ("[[zone]]\nname='a'\npoints=[[0,0],[9,9],[9,0],[0,9]]", "Zone 'a' crosses or touches itself"),
        ("[heatmap]\ncell=5", "unknown key 'cell'.*Did you mean 'cell_px'"),
        ("[heatmap]\ncell_px=0", "cell_px is 0"),
        ("[heatmap]\nof='feet'", "expected one of foot"),
        ("[ground]\nimage=[[0,0],[1,1],[2,2],[3,3]]\nmeters=[]", "unknown key 'meters'.*Did you mean 'metres'"),
        ("[ground]\nimage=[]\nmetres=[]", "has 0 points"),
        ("[settings]\ngap=3", "unknown key 'gap'.*Did you mean 'gap_s'"),
        ("[settings]\ngap_s=nan", "gap_s is nan"),
        ("[settings]\ngap_s='long'", "gap_s is 'long'"),
        ("settings = 1", r"\[settings\] is 1"),
        ("[[line]", "not valid TOML"),
        ("x = " + "[" * 5000, "not valid TOML|unknown key"),
        ("#" * 300_000, "more than 262144 bytes"),
    ],
)
def test_wrong_files_are_refused_with_their_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=f"shop.toml.*(?:{message})"):
        AnalyticsConfig.from_toml(written(tmp_path, text))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    for path, message in ((tmp_path, "regular file|cannot be read"), (tmp_path / "no.toml", "cannot be read")):
        with pytest.raises(InvalidInputError, match=message):
            AnalyticsConfig.from_toml(path)
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        AnalyticsConfig.from_toml(tmp_path / "latin.toml")
    with pytest.raises(InvalidInputError, match="path is 5"):
        AnalyticsConfig.from_toml(5)  # type: ignore[arg-type]


def test_texts_of_the_command_line() -> None:
    line = AnalyticsConfig.parse_line("back door: 2:1,2,30.5,4")
    assert (line.name, line.start, line.end) == ("back door: 2", (1.0, 2.0), (30.5, 4.0))
    assert AnalyticsConfig.parse_zone("queue:0,0,10,0,0,10").points == ((0, 0), (10, 0), (0, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("door", "expected NAME:x1,y1,x2,y2"),
        ("door:", "expected NAME"),
        ("door:1,2,3", "expected NAME"),
        ("door:1,2", "expected two points"),
        ("door:1,2,3,4,5,6", "expected two points"),
        ("door:a,b,c,d", "expected NAME"),
        (":1,2,3,4", "Name of a line is ''"),
        ("door:1,2,1,2", "has no length"),
        ("door:nan,2,1,2", "coordinate nan"),
        (5, "line is 5"),
    ],
)
def test_wrong_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        AnalyticsConfig.parse_line(text)


def test_names_are_unique() -> None:
    config = AnalyticsConfig((DOOR,))
    with pytest.raises(InvalidInputError, match="'door' is used more than once"):
        config.with_more(zones=(Zone("door", QUEUE.points),))
    assert [line.name for line in config.with_more((Line("gate", (1, 2), (30, 4)),)).lines] == ["door", "gate"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lines": DOOR}, "lines is"),
        ({"zones": [DOOR]}, "expected a tuple of Zone"),
        ({"heatmap": True}, "heatmap is True"),
        ({"ground": [1]}, "expected a GroundPlane"),
    ],
)
def test_settings_of_wrong_types_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        AnalyticsConfig(**settings)


@pytest.mark.parametrize("size", [(200, 360), (640, 150)])
def test_coordinates_outside_the_frame_are_refused(size: tuple[int, int]) -> None:
    for config in (AnalyticsConfig((DOOR,)), AnalyticsConfig(zones=(QUEUE,))):
        with pytest.raises(InvalidInputError, match=rf"outside the frame of {size[0]}x{size[1]} px"):
            Analysis(config, size, 25.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, SIZE, 25.0), "config is None"),
        ((AnalyticsConfig(), (640,), 25.0), "frame_size is"),
        ((AnalyticsConfig(), (640.5, 360), 25.0), "frame_size is"),
        ((AnalyticsConfig(), SIZE, 0), "frame_rate is 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Analysis(*arguments)


def test_events_and_totals_agree() -> None:
    """The table per minute, the totals and the events count the same, for people who wander."""
    crossed = visited = 0
    for seed in range(20):
        analysis = Analysis(AnalyticsConfig((DOOR,), (QUEUE,), gap_s=1.0, grace_s=1.0), SIZE, 20.0)
        events = [event for result in random_walks(seed) for event in analysis.update(result)] + analysis.finish()
        rows = [event for event in events if isinstance(event, MinuteCounts)]
        crossings = [event for event in events if isinstance(event, Crossing)]
        summary = analysis.summary()
        line, zone = summary.lines["door"], summary.zones["queue"]
        assert sum(line.crossings.values()) == len(crossings) == sum(sum(r.lines["door"].values()) for r in rows)
        assert line.young == sum(crossing.age_s < 1 for crossing in crossings)
        assert line.unique_ids == len({crossing.track_id for crossing in crossings})
        assert zone.visits == zone.finished == sum(row.zones["queue"].left for row in rows)
        assert zone.largest == max(row.zones["queue"].largest for row in rows)
        json.dumps([event.to_dict() for event in events] + [summary.to_dict()])
        crossed, visited = crossed + len(crossings), visited + zone.visits
    assert crossed > 5
    assert visited > 20


def test_counts_per_minute() -> None:
    """Someone walks to and fro over the line, 20 s each way, at a frame per second."""
    analysis = Analysis(AnalyticsConfig((DOOR,), (QUEUE,)), SIZE, 1.0)
    events = []
    for second in range(180):
        y = 150.0 if second // 20 % 2 else 350.0
        tracks = (person(1, 200, y), person(2, 600, 50)) if second < 150 else (person(1, 200, y),)
        events += analysis.update(FrameResult(second, float(second), tracks))
    rows = [event for event in events + analysis.finish() if isinstance(event, MinuteCounts)]
    assert [(row.start_s, row.end_s) for row in rows] == [(0, 60), (60, 120), (120, 180)]
    assert [row.lines["door"] for row in rows] == [{"in": 1, "out": 2}, {"in": 2, "out": 1}, {"in": 1, "out": 1}]
    assert [row.mean(row.people) for row in rows] == pytest.approx([2, 2, 1 + 30 / 59])
    assert [row.mean(row.zones["queue"]) for row in rows] == pytest.approx([1 / 3, 2 / 3, 20 / 59])
    assert rows[0].to_row()["door in"] == 1
    assert all(row.to_row().keys() == rows[0].to_row().keys() for row in rows)


def test_the_rate_keeps_slow_sources_together() -> None:
    """One frame in ten seconds: the gap of 2.5 s is shorter than the time between frames."""
    analysis = Analysis(AnalyticsConfig((DOOR,)), SIZE, 0.1)
    for index, y in enumerate((150.0, 250.0)):
        analysis.update(FrameResult(index, 10.0 * index, (person(1, 200, y),)))
    assert analysis.counts == {"door": {"in": 1, "out": 0}}


def test_a_finished_analysis_takes_no_frames() -> None:
    analysis = Analysis(AnalyticsConfig(), SIZE, 25.0)
    assert analysis.finish() == analysis.finish() == []
    with pytest.raises(StateError, match="finished"):
        analysis.update(FrameResult(0, 0.0, ()))


def test_rows_of_an_endless_video_are_returned_and_not_kept() -> None:
    analysis = Analysis(AnalyticsConfig((DOOR,), (QUEUE,)), SIZE, 1.0)
    rows = 0
    for second in range(2000):
        tracks = (person(second // 5 + 1, 200, 150.0 if second % 4 < 2 else 250.0),)
        rows += sum(
            isinstance(event, MinuteCounts) for event in analysis.update(FrameResult(second, float(second), tracks))
        )
        assert len(analysis._table._open) <= 2
    assert rows == 33
    assert analysis.summary().unique_ids == 400


def test_a_pause_of_the_source_is_not_observed() -> None:
    analysis = Analysis(AnalyticsConfig(gap_s=2.0), SIZE, 10.0)
    events = [
        event
        for time_s in (0.0, 1.0, 1e7, 1e7 + 1)
        for event in analysis.update(FrameResult(0, time_s, (person(1, 5, 5),)))
    ]
    rows = [event for event in events + analysis.finish() if isinstance(event, MinuteCounts)]
    assert [row.observed_s for row in rows] == pytest.approx([3, 1])


def test_heat_and_motions_are_those_of_the_settings(tmp_path: Path) -> None:
    analysis = Analysis(AnalyticsConfig.from_toml(written(tmp_path, TOML)), SIZE, 10.0)
    for result in frames([(200.0 + i, 250.0) for i in range(11)]):
        analysis.update(result)
    assert analysis.heat
    assert analysis.heat.total_s == analysis.summary().heat_s == pytest.approx(1.0)
    assert analysis.motions[1].speed_px_s == pytest.approx(10)
    assert analysis.motions[1].speed_m_s
    assert analysis.occupancy == {"queue": 1}
    analysis.finish()
    assert [path.track_id for path in analysis.paths] == [1]


def test_id_sets_count_like_sets() -> None:
    ids = IdSet()
    for track_id in (1, 5, 1, 4096, 10**15, 4095, 5):
        ids.add(track_id)
    assert len(ids) == 5
    assert 4096 in ids
    assert 2 not in ids


def test_extreme_but_valid_input_is_analysed() -> None:
    """Boxes far outside the image, without height or turned over, and times of any size."""
    config = AnalyticsConfig((DOOR,), (QUEUE,), HeatSettings(of="boxes"))
    analysis = Analysis(config, SIZE, 25.0)
    boxes = ((-1e9, -1e9, 1e9, 1e9), (5.0, 5.0, 5.0, 5.0), (300.0, 300.0, 100.0, 100.0), (1e8, 0.0, 2e8, 9.0))
    for index, time_s in enumerate((-1e6, 0.0, 0.0, 1e15, 1e15 + 2, 1e300)):
        order = boxes if index % 2 else boxes[::-1]
        tracks = tuple(Track(track_id, box, 0.9, 0) for track_id, box in enumerate(order, 1))
        analysis.update(FrameResult(index, time_s, tracks))
        assert set(analysis.motions) == {1, 2, 3, 4}
    analysis.finish()
    assert analysis.summary().unique_ids == 4


@pytest.mark.parametrize("page", ["analytics.md", "analytics.zh.md"])
def test_the_settings_in_the_docs_are_accepted(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    config = AnalyticsConfig.from_toml(written(tmp_path, text))
    Analysis(config, (1920, 1080), 25.0)
    assert (config.lines[0].name, config.zones[0].name) == ("door", "queue")
    assert config.ground
