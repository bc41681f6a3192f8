"""Old parts are deleted by age and by size, all files of a part together, and never a file of anybody else."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from camera_results import START, WallClock, made_result, made_results, names_in, text_only
from disk_limits import file_size_limit
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.cameras import CameraResult, Keep, PartWriter, Segment
from fairmot_dla34.cameras.status import PartTotals
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.outputs import VideoSink
from fairmot_dla34.tracking.options import OutputOptions

QUARTER = Segment.parse("15m")


def written(
    output_dir: Path,
    hours: float,
    keep: str | None,
    *,
    clock: WallClock | None = None,
    options: OutputOptions | None = None,
    step_s: float = 300.0,
    first_s: float = 0.0,
) -> WallClock:
    """Write results for some hours in parts of 15 minutes."""
    clock = clock or WallClock()
    limits = None if keep is None else Keep.parse(keep)
    with PartWriter("door", options or text_only(output_dir), segment=QUARTER, keep=limits, clock=clock) as writer:
        first = int(first_s / step_s)
        write(writer, clock, made_results(round(hours * 3600 / step_s), step_s, first=first))
    return clock


def write(writer: PartWriter, clock: WallClock, results: Iterable[CameraResult]) -> None:
    for result in results:
        clock.seconds = result.frame.time_s
        writer.write(replace(result, wall_time=clock.now()))


def bytes_in(output_dir: Path) -> int:
    """Return the size of all texts and videos."""
    return sum(path.stat().st_size for path in output_dir.glob("mot_*/*"))


def all_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def stamps(output_dir: Path) -> list[str]:
    return [name.removeprefix("door_20260301T").removesuffix("00Z.txt") for name in names_in(output_dir)]


def test_parts_are_deleted_by_age(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fairmot_dla34.cameras")
    written(tmp_path, 3, "1h")
    assert stamps(tmp_path) == ["1345", "1400", "1415", "1430", "1445"]
    deleted = [record for record in caplog.records if "was deleted because of its age" in record.message]
    assert len(deleted) == 7
    assert {record.levelno for record in deleted} == {logging.DEBUG}


def test_parts_are_deleted_by_size(tmp_path: Path) -> None:
    written(tmp_path, 1, None)
    size = sum(path.stat().st_size for path in (tmp_path / "mot_results").iterdir())
    shutil.rmtree(tmp_path)
    written(tmp_path, 5, f"{size / 1000:.3f}KB")
    assert names_in(tmp_path)[-1] == "door_20260301T164500Z.txt"
    kept = sum(path.stat().st_size for path in (tmp_path / "mot_results").iterdir())
    assert size / 2 < kept <= 1.1 * size


def test_age_and_size_both_hold(tmp_path: Path) -> None:
    written(tmp_path, 3, "30m,10MB")
    assert len(names_in(tmp_path)) == 3
    written(tmp_path / "small", 3, "30d,1KB")
    assert len(names_in(tmp_path / "small")) <= 3


def test_all_files_of_a_part_are_deleted_together(tmp_path: Path) -> None:
    """Text, videos, crops, reservations and the record; the folders of crops go too."""
    options = OutputOptions(output_dir=tmp_path, formats=("mot", "jsonl", "csv", "kitti"), follow=1, save_crops=True)
    written(tmp_path, 2, "30m", options=options)
    stems = {name.split(".")[0] for name in names_in(tmp_path)}
    left = {Path(path).name for path in tmp_path.rglob("door_*")}
    assert len(stems) == 3
    assert all(any(name.startswith(stem) for stem in stems) for name in left)
    assert len(list((tmp_path / ".fairmot_dla34" / "parts" / "door").glob("*.json"))) == 3


def test_the_next_run_deletes_parts_of_the_one_before(tmp_path: Path) -> None:
    written(tmp_path, 1, "7d")
    assert len(names_in(tmp_path)) == 4
    written(tmp_path, 0.2, "7d", clock=WallClock(START + timedelta(days=8)))
    assert len(names_in(tmp_path)) == 1


def test_a_silent_camera_loses_its_old_parts_too(tmp_path: Path) -> None:
    clock = WallClock()
    with PartWriter("door", text_only(tmp_path), segment=QUARTER, keep=Keep.parse("1h"), clock=clock) as writer:
        write(writer, clock, made_results(10, 300.0))
        for _ in range(100):
            clock.seconds += 60
            writer.idle()
        assert names_in(tmp_path) == []


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, 1, None)
    other = WallClock()
    with PartWriter("hall", text_only(tmp_path), segment=QUARTER, clock=other) as writer:
        write(writer, other, (made_result(index, 300.0 * index, START, name="hall") for index in range(12)))
    folder = tmp_path / "mot_results"
    foreign = [folder / name for name in ("door.txt", "door_20250101T000000Z.txt", "notes.md")]
    foreign += [folder / "door_20260301T120000Z.annotations.json", folder / "door_20260301T120000Z_copy.txt"]
    for path in foreign:
        path.write_text("mine")
    later = WallClock(START + timedelta(days=1))
    written(tmp_path, 0.5, "1h", clock=later)
    assert all(path.read_text() == "mine" for path in foreign)
    assert sum(name.startswith("hall") for name in names_in(tmp_path)) == 4
    assert sum(name.startswith("door_20260302") for name in names_in(tmp_path)) == 2
    assert not (folder / "door_20260301T120000Z.txt").exists()


def test_files_beside_crops_are_left_alone(tmp_path: Path) -> None:
    options = OutputOptions(output_dir=tmp_path, visualization=False, save_crops=True)
    written(tmp_path, 0.5, None, options=options)
    crops = tmp_path / "mot_outputs" / "door_20260301T120000Z_crops"
    (crops / "1" / "notes.txt").write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "000001.jpg").write_text("mine")
    (crops / "77").symlink_to(outside)
    written(tmp_path, 0.5, "1h", options=options, clock=WallClock(START + timedelta(days=1)))
    assert (crops / "1" / "notes.txt").read_text() == "mine"
    assert (outside / "000001.jpg").read_text() == "mine"
    assert not (crops / "crops.csv").exists()
    assert not (crops / "1" / "000001.jpg").exists()
    assert not (tmp_path / "mot_outputs" / "door_20260301T121500Z_crops").exists()


def test_links_are_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A part that became a link, and a folder that became one."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a", "b"):
        written(tmp_path / name, 0.5, None)
    first = tmp_path / "a" / "mot_results" / "door_20260301T120000Z.txt"
    first.rename(outside / "kept.txt")
    first.symlink_to(outside / "kept.txt")
    (tmp_path / "b" / "mot_results").rename(outside / "mot_results")
    (tmp_path / "b" / "mot_results").symlink_to(outside / "mot_results")
    before = all_files(outside)
    for name in ("a", "b"):
        written(tmp_path / name, 0.2, "1h", clock=WallClock(START + timedelta(days=1)))
    assert before <= all_files(outside)
    assert first.is_symlink()
    assert caplog.text.count("has to be deleted by hand") == 3


def test_a_folder_that_is_a_link_from_the_start_is_fine(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mot_results").symlink_to(disk)
    written(tmp_path / "out", 3, "30m")
    assert len(list(disk.glob("*.txt"))) == 3


def test_an_output_directory_may_be_moved(tmp_path: Path) -> None:
    written(tmp_path / "a", 1, "1d")
    (tmp_path / "a").rename(tmp_path / "b")
    written(tmp_path / "b", 0.2, "1d", clock=WallClock(START + timedelta(days=3)))
    assert len(names_in(tmp_path / "b")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"files": [["../foreign.txt", ".."]]},
        {"files": [["mot_results/../../foreign.txt", ".."]]},
        {"files": [["foreign.txt", "."]]},
        {"name": "../foreign"},
        {"name": "foreign", "files": [["foreign.txt", "."]]},
        {"number": 7},
        {"ended_s": "yesterday"},
        {"bytes": -1},
        {"files": 3},
        {"more": 1},
    ],
)
def test_records_that_another_program_changed_delete_nothing(
    tmp_path: Path, change: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    written(out, 0.2, None)
    foreign = [tmp_path / "foreign.txt", out / "foreign.txt"]
    for path in foreign:
        path.write_text("mine")
    (record,) = (out / ".fairmot_dla34" / "parts" / "door").glob("*.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    written(out, 0.2, "1h", clock=WallClock(START + timedelta(days=1)))
    assert all(path.exists() for path in foreign)
    assert "is not the record of a part" in caplog.text


def test_a_clock_that_jumps_forward_and_back_deletes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = WallClock()
    with PartWriter("door", text_only(tmp_path), segment=QUARTER, keep=Keep.parse("4h"), clock=clock) as writer:
        write(writer, clock, made_results(12, 300.0))
        clock.start += timedelta(days=4000)
        write(writer, clock, made_results(6, 300.0, first=12))
        clock.start -= timedelta(days=4000)
        write(writer, clock, made_results(12, 300.0, first=18))
        assert len(names_in(tmp_path)) == 10
        assert caplog.text.count("The clock was set forward") == 1
        write(writer, clock, made_results(60, 300.0, first=30))  # those of the wrong time are not kept for ever
        assert not any("2037" in name for name in names_in(tmp_path))


def test_a_clock_that_is_set_right_at_last_is_believed(tmp_path: Path) -> None:
    """A machine without a battery starts in 1970."""
    written(tmp_path, 1, "1d")
    clock = WallClock(START.replace(year=1971))
    with PartWriter("door", text_only(tmp_path), segment=QUARTER, keep=Keep.parse("1d"), clock=clock) as writer:
        write(writer, clock, made_results(3, 60.0))
        clock.start = START + timedelta(days=9)
        write(writer, clock, made_results(10, 60.0, first=3))
        assert len(names_in(tmp_path)) == 6
        write(writer, clock, made_results(60, 60.0, first=13))
    assert all("20260310" in name for name in names_in(tmp_path))


def test_a_deletion_that_fails_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    clock = WallClock()
    with PartWriter("door", text_only(tmp_path), segment=QUARTER, keep=Keep.parse("1h"), clock=clock) as writer:
        write(writer, clock, made_results(12, 300.0))
        monkeypatch.setattr(Path, "unlink", refuse)
        for _ in range(120):
            clock.seconds += 60
            writer.idle()
        monkeypatch.setattr(Path, "unlink", unlink)
        assert caplog.text.count("cannot be deleted") == 1
        assert len(names_in(tmp_path)) == 4
        clock.seconds += 60
        writer.idle()
        assert names_in(tmp_path) == []


def test_a_full_disk_ends_a_part_and_a_later_one_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A limit on the size of files ends writes as a full disk does. Each message appears once."""
    clock = WallClock()
    options = OutputOptions(output_dir=tmp_path)
    with PartWriter("door", options, segment=Segment.parse("hour"), clock=clock) as writer:
        write(writer, clock, made_results(10, 10.0))
        with file_size_limit(400):
            write(writer, clock, made_results(90, 10.0, first=10))
        assert "File too large" in writer.error
        write(writer, clock, made_results(90, 10.0, first=100))
        assert not writer.error
    assert caplog.text.count("cannot be written (File too large)") == 1
    assert caplog.text.count("outputs are written again") == 1
    texts = [path.read_text() for path in sorted((tmp_path / "mot_results").iterdir())]
    assert all(text.endswith("\n") and text.startswith("1,") for text in texts)
    assert texts[-1].count("\n") >= 100
    assert 2 <= len(texts) < 10


def test_all_outputs_are_tried_again_although_some_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = WallClock()
    encode = VideoSink.write

    def full(sink: VideoSink, *_: object) -> None:
        raise OutputError(f"{sink.path} cannot be written (No space left on device); free space.")

    with PartWriter("door", OutputOptions(output_dir=tmp_path), segment=Segment.parse("day"), clock=clock) as writer:
        write(writer, clock, made_results(10, 10.0))
        monkeypatch.setattr(VideoSink, "write", full)
        write(writer, clock, made_results(200, 10.0, first=10))
        monkeypatch.setattr(VideoSink, "write", encode)
        write(writer, clock, made_results(200, 10.0, first=210))
    assert caplog.text.count("No space left on device") == 1
    assert "outputs are written again; 0 results were left out" in caplog.text
    rows = [row for path in (tmp_path / "mot_results").iterdir() for row in path.read_text().splitlines()]
    assert len(rows) == 2 * 410
    assert len(names_in(tmp_path, "mot_outputs")) < len(names_in(tmp_path)) < 12


def test_an_operator_sees_how_much_is_written_and_kept(tmp_path: Path) -> None:
    """Counts are those of this run, and the size that is kept is that of all runs."""
    clock = WallClock()
    options = OutputOptions(output_dir=tmp_path)
    with PartWriter("door", options, segment=QUARTER, clock=clock) as writer:
        assert writer.totals == PartTotals(0, 0, None)
        write(writer, clock, made_results(4, 300.0))
        complete = sum(path.stat().st_size for path in tmp_path.glob("mot_*/*T120000Z*"))
        assert writer.totals == PartTotals(1, complete, None)
    first_run = bytes_in(tmp_path)
    assert writer.totals == PartTotals(2, first_run, None)
    with PartWriter("door", options, segment=QUARTER, keep=Keep.parse("1h"), clock=clock) as writer:
        assert writer.totals == PartTotals(0, 0, first_run)
        write(writer, clock, made_results(8, 600.0, first=6))
    totals = writer.totals
    assert totals.parts == 5
    assert totals.kept_bytes == bytes_in(tmp_path) < totals.bytes + first_run


def test_parts_of_a_full_disk_are_counted_too(tmp_path: Path) -> None:
    clock = WallClock()
    with PartWriter("door", OutputOptions(output_dir=tmp_path), segment=QUARTER, clock=clock) as writer:
        write(writer, clock, made_results(10, 10.0))
        with file_size_limit(400):
            write(writer, clock, made_results(20, 10.0, first=10))
        write(writer, clock, made_results(10, 10.0, first=100))
    assert writer.totals == PartTotals(len(names_in(tmp_path)), bytes_in(tmp_path), None)
    assert writer.totals.parts >= 2


def test_an_output_directory_that_disappears_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = WallClock()
    with PartWriter("door", text_only(tmp_path / "out"), segment=QUARTER, clock=clock) as writer:
        write(writer, clock, made_results(10, 60.0))
        shutil.rmtree(tmp_path / "out")
        write(writer, clock, made_results(10, 60.0, first=10))
    assert "was deleted, moved or replaced" in caplog.text
    assert len(names_in(tmp_path / "out")) >= 1


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{1,8}[a-zA-Z]{0,3}(,[0-9]{1,8}[a-zA-Z]{0,3})?"))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    for parse in (Keep.parse, Segment.parse):
        with suppress(InvalidInputError):
            parse(text)
            continue
        with pytest.raises(InvalidInputError, match=r"^(keep|segment) (is|has) [^\n]* expected [^\n]*$"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("7d", Keep(age_s=604_800)),
        ("50GB", Keep(bytes=50_000_000_000)),
        ("12h, 1.5TiB", Keep(43_200, 1_649_267_441_664)),
        ("500mb,4w", Keep(2_419_200, 500_000_000)),
    ],
)
def test_limits_are_read_from_text(text: str, keep: Keep) -> None:
    assert Keep.parse(text) == keep


@pytest.mark.parametrize("value", [{}, {"age_s": 0}, {"age_s": float("nan")}, {"bytes": 5}, {"bytes": 1e6}])
def test_limits_out_of_range_are_refused(value: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="keep has"):
        Keep(**value)  # type: ignore[arg-type]
