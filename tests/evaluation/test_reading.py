"""Reading of MOT files: every error names the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluation.mot_files import row, walkers, write

from fairmot_dla34.errors import FairMOTError, TrackFileError
from fairmot_dla34.evaluation.reading import read_rows

INVALID = {
    "1,2,3,4,5,6": "6 columns; expected 7 to 10: frame,id",
    "1,2,3,4,5,6,1,-1,-1,-1,-1": "11 columns; expected 7 to 10",
    "3,9,10,50,40,100,1": "7 columns; expected 10 as above. Complete the line, or remove it if it is cut off",
    "3,9,ten,50,40,100,1,-1,-1,-1": "'ten' is not a number; expected numbers separated by commas",
    "3,9,10,,40,100,1,-1,-1,-1": "'' is not a number",
    "3;9;10;50;40;100;1;-1;-1;-1": "is not a number; expected numbers separated by commas",
    "3,9,nan,50,40,100,1,-1,-1,-1": "NaN or infinity; expected finite numbers",
    "3,9,10,inf,-inf,100,1,-1,-1,-1": "NaN or infinity",
    "0,9,10,50,40,100,1,-1,-1,-1": "frame 0; expected a whole number from 1",
    "1.5,9,10,50,40,100,1,-1,-1,-1": "frame 1.5; expected a whole number from 1",
    "1e300,9,10,50,40,100,1,-1,-1,-1": "frame 1e+300; expected a whole number from 1",
    "3,-1,10,50,40,100,1,-1,-1,-1": "id -1; expected a whole number from 0, below 2^53. Boxes without ids cannot be",
    "3,1e18,10,50,40,100,1,-1,-1,-1": "id 1e+18; expected a whole number from 0, below 2^53",
    "3,9,1e300,50,40,100,1,-1,-1,-1": "box 1e+300, 50, 40, 100; expected left, top, width and height in px",
    "3,9,10,50,1e300,1e300,1,-1,-1,-1": "box 10, 50, 1e+300, 1e+300; expected left, top, width",
    "3,9,1_0,50,40,100,1,-1,-1,-1": "'1_0' is not a number",
    "3,9," + "1" * 2000 + ",50,40,100,1": "over 1000 characters; expected numbers separated by commas",
    "3,9,10,50,0,100,1,-1,-1,-1": "width 0, height 100; expected both above 0",
    "3,9,10,50,40,-3,1,-1,-1,-1": "width 40, height -3; expected both above 0",
    "2,1,900,50,40,100,1,-1,-1,-1": "id 1 is already in frame 2, in line 3; remove one of the two lines",
}


@pytest.mark.parametrize(("line", "message"), INVALID.items())
def test_an_invalid_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.txt", [*walkers(3), line, *walkers(5)[6:]])
    with pytest.raises(TrackFileError) as raised:
        read_rows(path)
    assert f"{path}, line 7: " in str(raised.value)
    assert message in str(raised.value)
    assert isinstance(raised.value, FairMOTError)
    assert isinstance(raised.value, ValueError)


def test_the_first_invalid_line_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", [row(1, 1, 0), row(-4, 1, 0), row(-5, 1, 0)])
    with pytest.raises(TrackFileError, match=r"line 2: frame -4"):
        read_rows(path)


@pytest.mark.parametrize(
    "text",
    [
        "1,1,0,50,40,100,1,-1,-1,-1\r\n2,1,1,50,40,100,1,-1,-1,-1\r\n",
        "1,1,0,50,40,100,1,-1,-1,-1\n2,1,1,50,40,100,1,-1,-1,-1\n\n  \n\n",
        "1,1,0,50,40,100,1,-1,-1,-1\n2,1,1,50,40,100,1,-1,-1,-1",
        "1, 1, 0, 50, 40, 100, 1, -1, -1, -1\n 2, 1, 1, 50, 40, 100, 1, -1, -1, -1 \n",
        "1,1,0,50,40,100,1,-1,-1,-1,\n2,1,1,50,40,100,1,-1,-1,-1,\n",
        "\ufeff1,1,0,50,40,100,1,-1,-1,-1\n2,1,1,50,40,100,1,-1,-1,-1\n",
        "1.0,1.0,0,5e1,40,100,1,-1,-1,-1\n2.0,1.0,1,5e1,40,100,1,-1,-1,-1\n",
    ],
    ids=["windows", "blank lines", "no last line end", "spaces", "comma at the end", "byte order mark", "floats"],
)
def test_harmless_differences_give_the_same_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    rows = read_rows(path)
    assert rows.lines.tolist() == [1, 2]
    assert rows.frames.tolist() == [1, 2]
    assert rows.ids.tolist() == [1, 1]
    np.testing.assert_array_equal(rows.boxes, [[0, 50, 40, 100], [1, 50, 40, 100]])


def test_line_numbers_include_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", ["", row(1, 1, 0), "", row(0, 1, 0)])
    with pytest.raises(TrackFileError, match=r"line 4: frame 0"):
        read_rows(path)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path / "a.txt", ["", " "]))
    assert len(rows) == 0
    assert rows.boxes.shape == (0, 4)
    assert rows.column_8.shape == (0,)


def test_binary_and_missing_files_are_track_file_errors(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(TrackFileError, match=r"a\.txt is not a text file"):
        read_rows(tmp_path / "a.txt")
    with pytest.raises(TrackFileError, match=r"b\.txt cannot be read \(No such file"):
        read_rows(tmp_path / "b.txt")
