"""Reader of results files: the same tracks from every format of `track`, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from track_files import FRAMES, TRUTH, write_results

from fairmot_dla34.errors import InvalidInputError, TrackFileError
from fairmot_dla34.interchange import read_results

JSON = '{"frame": 1, "time_s": 0.0, "tracks": [{"id": 1, "box": [1, 2, 9, 9], "score": 0.5}]}'
CSV = "frame,id,x1,y1,x2,y2,score"


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_every_format_gives_the_same_tracks(suffix: str, tmp_path: Path) -> None:
    results = read_results(write_results(tmp_path, suffix))
    keys = list(zip(results.frames.tolist(), results.ids.tolist(), strict=True))
    assert sorted(keys) == sorted(TRUTH)
    np.testing.assert_allclose(results.boxes, [TRUTH[key] for key in keys], atol=0.011)
    assert (results.scores == 0.5).all()
    assert not results.filled.any()
    # Only JSON Lines has a line for the last frame, which nobody is in.
    assert results.tracked_frames.tolist() == list(range(1, FRAMES + (suffix == ".jsonl")))
    if suffix == ".txt":
        assert np.isnan(results.times).all()
    else:
        np.testing.assert_allclose(results.times, (results.frames - 1) / 25)


def test_a_stride_is_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{frame},1,1,1,5,5,0.9,-1,-1,-1\n" for frame in (1, 4, 10)))
    assert read_results(path).tracked_frames.tolist() == [1, 4, 7, 10]


def test_columns_of_csv_may_be_in_any_order_and_optional_ones_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,frame,score,x1,y1,x2,y2\n7,3,0.5,1,2,4,6\n")
    results = read_results(path)
    assert (results.frames[0], results.ids[0], results.boxes[0].tolist()) == (3, 7, [1, 2, 4, 6])


def test_empty_results_have_no_tracks(tmp_path: Path) -> None:
    for name, text in (("a.txt", ""), ("a.jsonl", ""), ("a.csv", f"{CSV}\n")):
        path = tmp_path / name
        path.write_text(text)
        assert len(read_results(path)) == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", f"{JSON}\n{{", "line 2: not JSON"),
        ("a.jsonl", f"{JSON}\n\n{JSON}", "line 3: frame 1 is already in line 1"),
        ("a.jsonl", "[]", "line 1: frame None"),
        ("a.jsonl", JSON.replace("[1, 2, 9, 9]", "[1, 2, 9]"), "line 1: box"),
        ("a.jsonl", JSON.replace("[1, 2, 9, 9]", "[1, 2, 9, 1e999]"), "line 1: box"),
        ("a.jsonl", JSON.replace("[1, 2, 9, 9]", "[1, 2, 9, 1e30]"), "line 1: box"),
        ("a.jsonl", JSON.replace("[1, 2, 9, 9]", "[9, 2, 1, 9]"), "line 1: width -8"),
        ("a.jsonl", JSON.replace('"id": 1', '"id": 1.5'), "line 1: id 1.5"),
        ("a.jsonl", JSON.replace('"frame": 1', f'"frame": 1{"0" * 400}'), "line 1: frame"),
        ("a.jsonl", JSON.replace('"frame": 1', '"frame": 20000000'), "expected at most 10000000"),
        ("a.jsonl", JSON.replace('"score"', '"class_id": -1, "score"'), "line 1: class_id -1"),
        ("a.jsonl", f"{JSON[:-2]}, {JSON[JSON.index('[') + 1 :]}", "id 1 is already in frame 1"),
        ("a.csv", "", "is empty"),
        ("a.csv", "frame,id\n", "no single column x1"),
        ("a.csv", f"{CSV}\n1,1,1,2,9,9\n", "line 2: 6 columns"),
        ("a.csv", f"{CSV}\n1,1,1,2,9,9,nan\n", "line 2: score 'nan'"),
        ("a.csv", f"{CSV}\n1,1_0,1,2,9,9,1\n", "line 2: id '1_0'"),
        ("a.csv", f"{CSV}\n1,1,1,2,9,9,1\n1,1,1,2,9,9,1\n", "line 3: id 1 is already in frame 1, in line 2"),
        ("a.txt", "1,1,1,2,9\n", "line 1: 5 columns"),
        ("a.txt", "1,1,1,2,9,9,1,0.5\n", "class 0.5 in column 8"),
        ("a.txt", "1,1,1,2,9,9,1\n1,1,1,2,9,9,1\n", "line 2: id 1 is already in frame 1, in line 1"),
        ("a.kitti.txt", "0 1 Pedestrian", "is KITTI text"),
        ("a.mp4", "x", "ends in .mp4"),
    ],
)  # fmt: skip
def test_a_broken_line_is_named(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TrackFileError) as caught:
        read_results(path)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match="does not exist"):
        read_results(tmp_path / "a.txt")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(TrackFileError, match="is not a file"):
        read_results(tmp_path / "b.txt")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrackFileError, match="not text in UTF-8"):
        read_results(tmp_path / "a.csv")
    with pytest.raises(InvalidInputError, match="results is 3"):
        read_results(3)  # type: ignore[arg-type]
