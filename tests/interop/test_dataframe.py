"""Results as a table of a real pandas, and the error without it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from outputs.results import sample_results
from videos import walking_boxes

from fairmot_dla34 import FairMOT, FrameResult, Track
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, PackageUnavailableError
from fairmot_dla34.interop import to_dataframe
from fairmot_dla34.outputs import CsvSink
from fairmot_dla34.values import TRACK_COLUMNS

RESULTS = [result for _, result in sample_results()]
KINDS = {"frame": "i", "id": "i", "age_frames": "i", "class_id": "i", "filled": "b"}


def test_a_row_per_track_and_frame(pandas: Any) -> None:
    table = to_dataframe(RESULTS)
    assert list(table.columns) == list(TRACK_COLUMNS)
    assert table["frame"].tolist() == [2, 3, 3, 5]
    assert table["id"].tolist() == [7, 7, 12, 7]
    last = table.iloc[3].to_dict()
    track = RESULTS[4].tracks[0]
    assert last == {
        "frame": 5, "time_s": RESULTS[4].time_s, "id": 7, "score": track.score, "age_frames": 4, "class_id": 0,
        **dict(zip(("x1", "y1", "x2", "y2"), track.box, strict=True)), "filled": False,
    }  # fmt: skip


def test_the_table_is_the_csv_file_without_its_rounding(pandas: Any, tmp_path: Path) -> None:
    filled = FrameResult(5, 0.2, (Track(3, (1.0, 2.0, 3.0, 4.0), 0.25, 2, filled=True),))
    with CsvSink(tmp_path / "a.csv") as sink:
        for frame, result in sample_results():
            sink.write(frame, result)
        sink.write(frame, filled)
    read = pandas.read_csv(tmp_path / "a.csv").astype({"filled": bool})
    table = to_dataframe([*RESULTS, filled])
    rounded = table.round({"time_s": 6, "score": 4, **dict.fromkeys(("x1", "y1", "x2", "y2"), 2)})
    pandas.testing.assert_frame_equal(read, rounded)


@pytest.mark.parametrize("results", [[], RESULTS[:1]])
def test_no_tracks_give_all_columns_with_their_types(pandas: Any, results: list[FrameResult]) -> None:
    table = to_dataframe(results)
    assert len(table) == 0
    assert {name: table[name].dtype.kind for name in table} == {name: KINDS.get(name, "f") for name in TRACK_COLUMNS}
    pandas.testing.assert_series_equal(table.dtypes, to_dataframe(RESULTS).dtypes)


def test_a_video_becomes_a_table_in_one_line(pandas: Any) -> None:
    table = to_dataframe(FairMOT.from_backend(FakeBackend()).track(walking_boxes(10)))
    assert table.groupby("id").size().to_dict() == {1: 10, 2: 10}


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (RESULTS[1], r"results is FrameResult.*for one result pass \[result\]"),
        (None, "results is None"),
        ("street.mp4", "results is 'street.mp4'; expected results as FairMOT.track yields them"),
        (list(sample_results()), r"results\[0\] is .*expected a FrameResult. From .frame, result. pairs"),
        ([*RESULTS, None], r"results\[5\] is None"),
        ([FrameResult(0, 0.0, (Track("Ann", (0, 0, 1, 1), 0.5, 0),))], "cannot be a row .*expected numbers"),  # type: ignore[arg-type]
        ([FrameResult(0, 0.0, (Track(1, (0, 0, 1), 0.5, 0),))], "cannot be a row"),  # type: ignore[arg-type]
        ([FrameResult(0, 0.0, (Track(2**70, (0, 0, 1, 1), 0.5, 0),))], "cannot be a row"),
    ],
)
def test_values_that_are_not_results_are_refused(pandas: Any, results: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        to_dataframe(results)


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        PackageUnavailableError, match=r"to_dataframe needs .*install it: pip install pandas$"
    ) as caught:
        to_dataframe(RESULTS)
    assert isinstance(caught.value, ImportError)


def test_a_package_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("raise ValueError('numpy.dtype size changed')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pandas"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PackageUnavailableError, match=r"\(ValueError: numpy.dtype size changed\); install it again"):
        to_dataframe(RESULTS)
