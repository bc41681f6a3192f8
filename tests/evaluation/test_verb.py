"""The verb ``fairmot_dla34 eval``: table, JSON and errors."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from evaluation.mot_files import walkers, write

from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import EvaluationUnavailableError
from fairmot_dla34.evaluation import Evaluation, Scores, evaluate, evaluation_json, scores_table

SCORES = Scores(63.20521, 59.5, 67.0, 66.0507, 89.8, 100.0, 259, 870, 36995, 235, 110, 370, 112297, 546)
COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "MOTP", "IDF1", "IDSW", "FP", "FN", "MT", "ML", "Frag")
needs_trackeval = pytest.mark.skipif(
    importlib.util.find_spec("trackeval") is None, reason="TRACKEVAL ABSENT: pip install '.[eval]'"
)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    write(tmp_path / "gt" / "A.txt", walkers())
    write(tmp_path / "results" / "A.txt", walkers())
    return tmp_path


def test_the_table_is_aligned() -> None:
    long = "a-sequence-with-a-name"
    lines = scores_table(Evaluation({"A": SCORES, long: SCORES}, SCORES)).splitlines()
    assert lines[0].split() == ["sequence", *COLUMNS]
    figures = ["63.205", "59.500", "67.000", "66.051", "89.800", "100.000", "259", "870", "36995", "235", "110", "370"]
    assert [line.split() for line in lines[1:]] == [[name, *figures] for name in ("A", long, "COMBINED")]
    assert len({len(line) for line in lines}) == 1


def test_json_has_every_score_unrounded() -> None:
    found = json.loads(evaluation_json(Evaluation({"街": SCORES}, SCORES)))
    assert found.keys() == {"sequences", "combined"}
    assert found["combined"]["hota"] == 63.20521
    assert list(found["sequences"]["街"]) == [
        *("hota", "det_a", "ass_a", "mota", "motp", "idf1", "id_switches", "false_positives", "false_negatives"),
        *("mostly_tracked", "mostly_lost", "fragmentations", "truth_boxes", "truth_ids"),
    ]


@needs_trackeval
def test_the_verb_prints_a_table_or_json(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "--gt", str(street / "gt"), "--results", str(street / "results")]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^A +100\.000", printed, re.MULTILINE)
    assert re.search(r"^COMBINED +100\.000", printed, re.MULTILINE)
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["combined"]["truth_boxes"] == 8


@needs_trackeval
def test_sequences_are_selected_by_name(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("B", "C"):
        write(street / "gt" / f"{name}.txt", walkers())
        write(street / "results" / f"{name}.txt", walkers(2))
    arguments = ["eval", "--gt", str(street / "gt"), "--results", str(street / "results"), "--json", "--sequences"]
    assert main([*arguments, "C, A"]) == 0
    assert list(json.loads(capsys.readouterr().out)["sequences"]) == ["A", "C"]
    assert main([*arguments, "A,D"]) == 1
    assert "gt has no sequence 'D'; it has A, B, C. Name one of these." in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "A,,B"])
    assert "'A,,B' has an empty name; expected names separated by commas" in capsys.readouterr().err


def test_an_invalid_file_is_one_line_on_stderr_and_exit_code_1(
    street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(street / "results" / "A.txt", [*walkers(), "x"])
    assert main(["eval", "--gt", str(street / "gt"), "--results", str(street / "results")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"fairmot_dla34: {bad}, line 9: 'x' is not a number")
    assert printed.err.count("\n") == 1


def test_without_trackeval_the_error_has_the_pip_command(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    with pytest.raises(EvaluationUnavailableError, match=r"install it: pip install '\.\[eval\]'"):
        evaluate(street / "gt", street / "results")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(EvaluationUnavailableError, match=r"needs Python 3\.11 or newer; this is Python 3\.10\."):
        evaluate(street / "gt", street / "results")
