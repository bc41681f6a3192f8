"""The four text formats, compared byte by byte with golden files and read back."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from outputs.results import RATE, sample_results

from fairmot_dla34.outputs import CsvSink, JsonlSink, MotSink, SinkContext, SinkKind, TextSink, find_sink, sink_names
from fairmot_dla34.values import FrameResult, Track

GOLDEN = Path(__file__).parent / "golden"
CONTEXT = SinkContext(RATE)
KINDS = [find_sink(name) for name in sink_names() if not find_sink(name).needs_images]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> SinkKind:
    assert isinstance(request.param, SinkKind)
    return request.param


def open_text_sink(kind: SinkKind, path: Path) -> TextSink:
    sink = kind.open(path, CONTEXT)
    assert isinstance(sink, TextSink)
    return sink


def test_the_text_equals_the_golden_file(tmp_path: Path, kind: SinkKind) -> None:
    path = tmp_path / f"street{kind.suffix}"
    with open_text_sink(kind, path) as sink:
        for frame, result in sample_results():
            sink.write(frame, result)
    golden = GOLDEN / path.name
    if os.environ.get("FAIRMOT_WRITE_GOLDEN"):
        golden.write_bytes(path.read_bytes())
    assert path.read_bytes() == golden.read_bytes()


def test_each_frame_is_in_the_file_at_once(tmp_path: Path, kind: SinkKind) -> None:
    with open_text_sink(kind, tmp_path / "a") as sink:
        for frame, result in sample_results():
            before = sink.path.stat().st_size
            sink.write(frame, result)
            assert sink.path.stat().st_size - before == len(sink.format(result).encode())


def test_mot_file_is_read_back(tmp_path: Path) -> None:
    with MotSink(tmp_path / "a.txt") as sink:
        for frame, result in sample_results():
            sink.write(frame, result)
    rows = np.loadtxt(tmp_path / "a.txt", delimiter=",")
    assert rows.shape == (4, 10)
    assert rows[:, 0].tolist() == [2, 3, 3, 5]  # from 1; frames 1 and 4 are empty
    assert rows[2].tolist() == [3, 12, -4, -2.5, 15, 22.5, 0.4, -1, -1, -1]  # the track with a low score too


def test_json_lines_contain_every_frame(tmp_path: Path) -> None:
    with JsonlSink(tmp_path / "a.jsonl") as sink:
        for frame, result in sample_results():
            sink.write(frame, result)
    frames = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [len(f["tracks"]) for f in frames] == [0, 1, 2, 0, 1]
    assert [f["frame"] for f in frames] == [1, 2, 3, 4, 5]
    assert frames[3]["time_s"] == pytest.approx(3 / RATE, abs=1e-6)


def test_csv_file_is_read_back(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "a.csv") as sink:
        for frame, result in sample_results():
            sink.write(frame, result)
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert float(rows[1]["time_s"]) == pytest.approx(2 / RATE, abs=1e-6)
    assert (float(rows[1]["x1"]), float(rows[1]["x2"]), rows[1]["id"]) == (12.13, 32.5, "7")


def test_numbers_from_numpy_are_written_as_numbers(tmp_path: Path, kind: SinkKind) -> None:
    box = tuple(np.array([1.5, 2.25, 3.125, 4.0], np.float32))
    result = FrameResult(0, 0.0, (Track(int(np.int64(3)), box, np.float32(0.5), 0),))
    with open_text_sink(kind, tmp_path / f"a{kind.suffix}") as sink:
        text = sink.format(result)
    assert "1.5" in text
    assert "np." not in text
