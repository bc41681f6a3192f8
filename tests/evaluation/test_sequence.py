"""Checks between ground truth and results, and the choice of the scoring rules."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from evaluation.mot_files import PERSON, PLAIN, row, seqinfo, walkers, write

from fairmot_dla34.errors import TrackFileError
from fairmot_dla34.evaluation.layout import SequenceFiles
from fairmot_dla34.evaluation.sequence import Sequence, read_sequence


def read(folder: Path, truth: list[str], results: list[str], frames: int | None = None) -> Sequence:
    ini = None if frames is None else seqinfo(folder / "seqinfo.ini", frames)
    return read_sequence(SequenceFiles("A", write(folder / "gt.txt", truth), write(folder / "A.txt", results), ini))


def test_the_length_is_that_of_seqinfo_or_the_last_annotated_frame(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(tmp_path, walkers(4), walkers(9), frames=9).frames == 9
    with caplog.at_level(logging.INFO, "fairmot_dla34"):
        assert read(tmp_path, walkers(4), walkers(3)).frames == 4
    assert "A: length taken as 4 frames, the last frame of" in caplog.text


def test_frames_beyond_the_sequence_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        TrackFileError, match=r"A\.txt, line 9: frame 5 is beyond the sequence's 4 frames \(the last frame of"
    ):
        read(tmp_path, walkers(4), walkers(5))
    with pytest.raises(
        TrackFileError, match=r"gt\.txt, line 7: frame 4 is beyond the sequence's 3 frames \(.*seqinfo\.ini\)"
    ):
        read(tmp_path, walkers(4), walkers(3), frames=3)


def test_empty_ground_truth_is_an_error_and_empty_results_are_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TrackFileError, match=r"gt\.txt is empty; expected ground truth"):
        read(tmp_path, [], walkers())
    assert len(read(tmp_path, walkers(), []).results) == 0
    assert "A.txt is empty: every person of A counts as missed" in caplog.text


@pytest.mark.parametrize(
    ("tails", "has_classes"),
    [
        ([PLAIN], False),
        (["1"], False),
        (["1,0,1"], False),
        (["1,-12.5,3.25,0", "1,4,3.5,0"], False),  # MOT15's 3D coordinates
        ([PERSON, "0,7,1", "0,13,0.2"], True),
    ],
)
def test_column_8_selects_the_rules(tmp_path: Path, tails: list[str], has_classes: bool) -> None:
    truth = [row(1, i, 100 * i, tail=tail) for i, tail in enumerate(tails)]
    sequence = read(tmp_path, truth, [])
    assert sequence.has_classes is has_classes
    assert sequence.scored_truth.tolist() == [not has_classes or tail == PERSON for tail in tails]


def test_unknown_classes_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match=r"gt\.txt, line 2: class -1; expected 1 \(person\) to 13"):
        read(tmp_path, [row(1, 1, 0, tail="1,1,1"), row(1, 2, 99, tail="1,-1,1")], [])
    with pytest.raises(TrackFileError, match=r"gt\.txt, line 1: class 14"):
        read(tmp_path, [row(1, 1, 0, tail="1,14,1")], [])
    with pytest.raises(TrackFileError, match=r"A\.txt, line 2: class 3; expected only people"):
        read(tmp_path, walkers(1, tail=PERSON), [row(1, 1, 0, tail="1,1,1"), row(1, 2, 99, tail="1,3,1")])


@pytest.mark.parametrize("tail", ["0,-1,-1,-1", "0,1,1", "1,8,1"])
def test_ground_truth_without_a_box_to_score_is_an_error(tmp_path: Path, tail: str) -> None:
    with pytest.raises(TrackFileError, match=r"gt\.txt has no box to score; expected boxes with a confidence"):
        read(tmp_path, walkers(tail=tail), walkers())
