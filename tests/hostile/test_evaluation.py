"""Hostile files for ``eval``: absurd numbers, damaged and enormous files end in one error, in bounded memory."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from evaluation.mot_files import PERSON, row, seqinfo, walkers, write
from trials import Ended, Trials, expect_one_line_error, run_command

from fairmot_dla34.errors import FairMOTError, TrackFileError
from fairmot_dla34.evaluation import evaluate
from fairmot_dla34.evaluation.reading import _MAX_LINES, read_rows

pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")

MEMORY_BYTES = 1_000_000_000
ROW = "1,1,0,50,40,100,1,-1,-1,-1"
PEOPLE = [*walkers(20, ids=range(1, 6), tail=f"{PERSON},1"), row(3, 9, 900, tail="1,12,1,1")]


def place(folder: Path, truth: Iterable[str], results: Iterable[str], frames: int | str | None = None) -> list[str]:
    """Write both files of a sequence; return the command that scores it."""
    if frames is not None:
        seqinfo(folder / "seqinfo.ini", frames)
    write(folder / "gt" / "gt.txt", truth)
    write(folder / "results.txt", results)
    return ["eval", "--gt", str(folder), "--results", str(folder / "results.txt")]


def place_other(folder: Path, change: Callable[[Path], object]) -> list[str]:
    """Write both files of a sequence and change that of the results; return the command that scores it."""
    command = place(folder, walkers(), walkers())
    change(folder / "results.txt")
    return command


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def bounded(command: Iterable[str], timeout_s: float = 60) -> Ended:
    ended = run_command(*command, timeout_s=timeout_s)
    assert ended.peak_bytes < MEMORY_BYTES, f"{ended.peak_bytes / 1e6:.0f} MB"
    return ended


def many_ids(count: int, per_frame: int) -> Iterable[str]:
    return (row(1 + i // per_frame, i, 50 * (i % per_frame)) for i in range(count))


CASES: dict[str, tuple[Callable[[Path], list[str]], tuple[str, ...]]] = {
    "seqLength=1e9": (lambda d: place(d, walkers(), walkers(), "1e9"), ("seqinfo.ini", "1e9", "seqLength=<frames>")),
    "a seqLength of 10^9": (
        lambda d: place(d, walkers(), walkers(), 10**9),
        ("seqinfo.ini: seqLength is 1000000000; expected the number of frames, from 1 to 10000000",),
    ),
    "frame 10^12 in ground truth": (
        lambda d: place(d, [*walkers(), row(10**12, 1, 0)], walkers()),
        ("gt.txt, line 9: frame 1000000000000; expected at most 10000000",),
    ),
    "frame 10^12 in ground truth with seqinfo": (
        lambda d: place(d, [*walkers(), row(10**12, 1, 0)], walkers(), 4),
        ("gt.txt, line 9: frame 1000000000000 is beyond the sequence's 4 frames",),
    ),
    "frame 10^12 in results": (
        lambda d: place(d, walkers(), [*walkers(), row(10**12, 1, 0)]),
        ("results.txt, line 9: frame 1000000000000 is beyond the sequence's 4 frames",),
    ),
    "100,000 ids": (
        lambda d: place(d, many_ids(100_000, 100), many_ids(100_000, 100)),
        ("results.txt has 100000 ids", "expected at most 8 GB. Split the sequence."),
    ),
    "100,000 ids in the results": (
        lambda d: place(d, walkers(1000), many_ids(100_000, 100)),
        ("results.txt has 100000 ids", "for 2 people in 1000 frames"),
    ),
    "50,000 boxes in a frame": (
        lambda d: place(d, many_ids(50_000, 50_000), many_ids(50_000, 50_000)),
        ("up to 50000 boxes in a frame", "expected at most 8 GB"),
    ),
    "a line of 100 MB": (
        lambda d: place(d, walkers(), ["1," * 50_000_000]),
        ("results.txt, line 1: over 1000 characters",),
    ),
    "a file of 600 MB": (
        lambda d: place_other(d, lambda path: os.truncate(path, 601_000_000)),
        ("results.txt has 601000000 bytes; expected at most 600000000",),
    ),
    "UTF-16": (
        lambda d: place_other(d, lambda path: path.write_text(ROW, "utf-16")),
        ("results.txt is not a text file in UTF-8", "Save it as UTF-8"),
    ),
    "UTF-16 without a mark": (
        lambda d: place_other(d, lambda path: path.write_bytes(ROW.encode("utf-16-le"))),
        ("results.txt, line 1: '1", "is not a number"),
    ),
    "an id of 10^18": (lambda d: place(d, [row(1, 10**18, 0)], walkers(1)), ("gt.txt, line 1: id 1e+18",)),
    "boxes of 1e300": (
        lambda d: place(d, walkers(1), ["1,1,1e300,0,1e300,1,1"]),
        ("line 1: box 1e+300, 0, 1e+300, 1",),
    ),
    "NaN": (lambda d: place(d, walkers(1), ["1,1,nan,0,9,9,1"]), ("results.txt, line 1: NaN or infinity",)),
    "a FIFO": (
        lambda d: place_other(d, fifo),
        ("results.txt has no results",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_absurd_file_is_one_error_in_bounded_memory(trials: Trials, tmp_path: Path, name: str) -> None:
    make, words = CASES[name]
    with trials("eval, absurd numbers and files", name):
        expect_one_line_error(bounded(make(tmp_path)), *words)


def test_right_scores_for_odd_but_valid_files(trials: Trials, tmp_path: Path) -> None:
    """CR line ends, ids of 10^15, a length of 10,000,000 frames, far frames: the scores of the plain files."""
    plain = place(tmp_path / "plain", walkers(4), walkers(4)[:6])
    expected = bounded([*plain, "--json"]).stdout.replace('"plain"', '""')
    cases: dict[str, tuple[list[str], list[str], int | None]] = {
        "ids": (walkers(4, (10**15, 10**15 + 1)), walkers(4, (7, 2**53 - 1))[:6], None),
        "a length of 10,000,000": (walkers(4), walkers(4)[:6], 10_000_000),
        "far frames": (
            [re.sub(r"^4,", "9999999,", line) for line in walkers(4)],
            walkers(4)[:6],
            10_000_000,
        ),
    }
    for name, (truth, results, frames) in cases.items():
        with trials("eval, odd but valid files", name):
            ended = bounded([*place(tmp_path / name, truth, results, frames), "--json"])
            assert ended.stdout.replace(f'"{name}"', '""') == expected
    for name, end in (("CR", "\r"), ("CRLF", "\r\n"), ("LF", "\n")):
        with trials("eval, odd but valid files", name):
            command = place(tmp_path / name, [], [])
            for path, lines in (
                (tmp_path / name / "gt" / "gt.txt", walkers(4)),
                (tmp_path / name / "results.txt", walkers(4)[:6]),
            ):
                path.write_bytes(end.join(lines).encode())
            assert bounded([*command, "--json"]).stdout.replace(f'"{name}"', '""') == expected


def damaged(text: bytes, rng: random.Random) -> bytes:
    """Return a file with random damage: other bytes, a hole, a repeated part, another number, or its end missing."""
    data, kind = bytearray(text), rng.randrange(6)
    a, b = sorted(rng.sample(range(len(data)), 2))
    if kind == 0:
        for _ in range(rng.randint(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 1:
        del data[a : min(b, a + 200)]
    elif kind == 2:
        data[a:a] = data[a : min(b, a + 200)]
    elif kind == 3:
        numbers = [match.span() for match in re.finditer(rb"[^,\n]+", text)]
        start, end = rng.choice(numbers)
        odd = [
            "nan",
            "inf",
            "-1",
            "0",
            "1e400",
            "1e308",
            "-1e308",
            "1e-320",
            "9" * 30,
            "1e12",
            "0x1",
            "",
            " ",
            "1e18",
            "١",
        ]
        data[start:end] = rng.choice(odd).encode()
    elif kind == 4:
        del data[a:]
    else:
        data[a : a + 4] = rng.randbytes(rng.randint(1, 40))
    return bytes(data)


@pytest.mark.filterwarnings("error")
def test_damaged_files(trials: Trials, tmp_path: Path) -> None:
    """200 damaged files of either kind: an error that names the file, or scores within their bounds."""
    place(tmp_path, PEOPLE, walkers(20, ids=range(1, 6)), 20)
    truth, results, ini = tmp_path / "gt" / "gt.txt", tmp_path / "results.txt", tmp_path / "seqinfo.ini"
    whole = {path: path.read_bytes() for path in (truth, results, ini)}
    for seed in range(240):
        rng = random.Random(seed)  # noqa: S311 (damage, not a secret)
        path = (truth, results, results, ini)[seed % 4]
        path.write_bytes(damaged(whole[path], rng))
        with trials("eval, damaged files", f"{path.name} {seed}"):
            try:
                combined = evaluate(tmp_path, results).combined
            except TrackFileError as error:
                message = str(error)
            else:
                message = path.name
                assert all(map(math.isfinite, dataclasses.astuple(combined)))
                assert all(0 <= value <= 100 + 1e-9 for value in (combined.hota, combined.idf1, combined.motp))
            assert any(name in message for name in ("gt.txt", "results.txt", "seqinfo.ini"))
        path.write_bytes(whole[path])


def test_layouts(trials: Trials, tmp_path: Path) -> None:
    """Files and folders of wrong kinds, in every place."""
    place(tmp_path / "good", walkers(), walkers())
    odd = {
        "none": tmp_path / "none",
        "empty file": write(tmp_path / "empty.txt", []),
        "binary": tmp_path / "binary.txt",
        "folder": tmp_path / "dir.txt",
        "loop": tmp_path / "loop",
        "long": tmp_path / ("x" * 300),
        "device": Path("/dev/null"),
        "zeros": Path("/dev/zero"),
    }
    odd["binary"].write_bytes(bytes(range(256)) * 400)
    odd["loop"].symlink_to(odd["loop"])
    odd["folder"].mkdir()
    good, good_results = tmp_path / "good", tmp_path / "good" / "results.txt"
    for name, path in odd.items():
        for gt, results in ((path, good_results), (good, path), (path, path)):
            with trials("eval, wrong kinds of files", f"{name}: {gt}, {results}"):
                message = error_of(gt, results)
                if (name, gt) == ("empty file", good):
                    assert message == "", "an empty file of results is valid: everyone is missed"
                else:
                    assert 0 < len(message) <= 300


def error_of(gt: Path, results: Path) -> str:
    """Return the message of the package's error; "" for scores."""
    try:
        evaluate(gt, results)
    except FairMOTError as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_ten_million_rows(trials: Trials, tmp_path: Path) -> None:
    """The largest number of lines is read in bounded memory; one more is refused."""
    place(tmp_path, walkers(1000), [])
    path = tmp_path / "results.txt"
    with path.open("w") as file:
        for start in range(0, 10_000_000, 100_000):
            file.writelines(row(1 + i // 3_500, i % 3_500, 5) + "\n" for i in range(start, start + 100_000))
    with trials("eval, absurd numbers and files", "10,000,000 rows"):
        ended = bounded(["eval", "--gt", str(tmp_path), "--results", str(path)], timeout_s=200)
        expect_one_line_error(ended, f"results.txt, line {_MAX_LINES + 1}: too many lines; expected at most 3000000")
    with trials("eval, absurd numbers and files", "3,000,000 rows"):
        with path.open("rb+") as file:
            for _ in range(_MAX_LINES):
                file.readline()
            file.truncate(file.tell())
        assert len(read_rows(path)) == _MAX_LINES
