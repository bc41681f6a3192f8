"""Scores: computed by hand for small scenes, and equal to those of TrackEval run directly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluation.mot_files import PERSON, row, seqinfo, walkers, write
from evaluation.trackeval_reference import FIELDS, trackeval_scores

from fairmot_dla34.evaluation import Evaluation, Scores, evaluate

pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")


def score(folder: Path, truth: list[str], results: list[str]) -> Scores:
    return evaluate(write(folder / "gt.txt", truth), write(folder / "results.txt", results)).combined


def assert_equal(evaluation: Evaluation, expected: dict[str, dict[str, float]]) -> None:
    found = {name: dataclasses.asdict(scores) for name, scores in evaluation.sequences.items()}
    found["COMBINED_SEQ"] = dataclasses.asdict(evaluation.combined)
    assert found.keys() == expected.keys()
    for name, scores in found.items():
        assert scores.keys() == FIELDS.keys()
        assert scores == pytest.approx(expected[name], rel=1e-12), name


def test_perfect_results_score_100(tmp_path: Path) -> None:
    found = score(tmp_path, walkers(), walkers(ids=(8, 0)))
    assert [found.hota, found.det_a, found.ass_a, found.mota, found.motp, found.idf1] == pytest.approx([100.0] * 6)
    assert (found.id_switches, found.false_positives, found.false_negatives, found.fragmentations) == (0, 0, 0, 0)
    assert (found.mostly_tracked, found.mostly_lost, found.truth_boxes, found.truth_ids) == (2, 0, 8, 2)


def test_two_ids_that_swap_halfway_are_two_switches(tmp_path: Path) -> None:
    """All boxes match. Each pair of ids shares 2 of its 6 frames (AssA 1/3), and each person has one id switch."""
    found = score(tmp_path, walkers(4), walkers(2) + walkers(4, ids=(2, 1))[4:])
    assert found.det_a == pytest.approx(100)
    assert found.ass_a == pytest.approx(100 / 3)
    assert found.hota == pytest.approx(100 * 3**-0.5)
    assert found.mota == pytest.approx(100 * (1 - 2 / 8))
    assert found.idf1 == pytest.approx(50)
    assert found.id_switches == 2


def test_one_miss_and_one_false_positive_lower_mota(tmp_path: Path) -> None:
    """MOTA is 1 - 2 / 6 for two people in three frames. 2/3 of a track are neither mostly tracked nor mostly lost."""
    found = score(tmp_path, walkers(3), [*walkers(3)[:5], row(3, 9, 900)])
    assert found.mota == pytest.approx(100 * (1 - 2 / 6))
    assert (found.false_positives, found.false_negatives, found.id_switches) == (1, 1, 0)
    assert (found.mostly_tracked, found.mostly_lost, found.truth_ids) == (1, 0, 2)
    assert found.det_a == pytest.approx(100 * 5 / 7)


def test_a_person_found_again_is_a_fragmentation(tmp_path: Path) -> None:
    found = score(tmp_path, walkers(5), [line for line in walkers(5) if not line.startswith("3,1,")])
    assert (found.fragmentations, found.false_negatives, found.id_switches) == (1, 1, 0)


def test_an_empty_result_file_is_all_misses(tmp_path: Path) -> None:
    found = score(tmp_path, walkers(), [])
    assert (found.hota, found.mota, found.idf1) == (0, 0, 0)
    assert (found.false_negatives, found.false_positives, found.mostly_lost) == (8, 0, 2)


def test_results_on_distractors_are_ignored_and_other_classes_are_not_scored(tmp_path: Path) -> None:
    """MOT17 ignores results on class 7 (static person), but not on class 3 (car) or a person of confidence 0."""
    others = [row(1, 7, 500, tail="0,7,1"), row(1, 8, 700, tail="0,3,1"), row(1, 9, 900, tail="0,1,1")]
    results = [row(1, i, left) for i, left in ((1, 0), (7, 500), (8, 700), (9, 900))]
    found = score(tmp_path, [row(1, 1, 0, tail=PERSON), *others], results)
    assert (found.truth_boxes, found.false_positives, found.false_negatives) == (1, 2, 0)


def test_boxes_of_confidence_zero_are_not_scored_in_ground_truth_without_classes(tmp_path: Path) -> None:
    truth = [row(1, 1, 0), row(1, 2, 500, tail="0,-1,-1,-1")]
    found = score(tmp_path, truth, [row(1, 1, 0), row(1, 2, 500)])
    assert (found.truth_boxes, found.false_positives) == (1, 1)


def test_large_ids_need_no_memory(tmp_path: Path) -> None:
    assert score(tmp_path, walkers(ids=(1, 10**12)), walkers(ids=(10**12, 5))).idf1 == pytest.approx(100)


def test_all_layouts_give_the_same_scores_and_no_files_are_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, dropped in (("B-02", 1), ("A-01", 3)):
        write(tmp_path / "train" / name / "gt" / "gt.txt", walkers(6, tail=PERSON))
        seqinfo(tmp_path / "train" / name / "seqinfo.ini", 8)
        write(tmp_path / "flat" / f"{name}.txt", walkers(6, tail=PERSON))
        seqinfo(tmp_path / "seqinfo" / f"{name}.ini", 8)
        write(tmp_path / "out" / "mot_results" / f"{name}.txt", walkers(8)[dropped:])
    before = sorted(tmp_path.rglob("*"))
    folders = evaluate(tmp_path / "train", tmp_path / "out")
    assert folders == evaluate(tmp_path / "flat", tmp_path / "out" / "mot_results")
    assert list(folders.sequences) == ["A-01", "B-02"]
    for name, scores in folders.sequences.items():
        alone = evaluate(tmp_path / "train" / name, tmp_path / "out")
        assert (alone.sequences, alone.combined) == ({name: scores}, scores)
    assert sorted(tmp_path.rglob("*")) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("seed", "name"), [(0, "MOT17-0"), (1, "MOT17-1"), (2, "MOT20-2"), (3, "plain")])
def test_random_crowds_score_as_in_trackeval(tmp_path: Path, seed: int, name: str) -> None:
    """Crowds with jitter, id switches, frames without rows and all classes of MOT17; MOT20 has one more distractor."""
    rng = np.random.default_rng(seed)
    truth, results = crowd(rng, 30, classes=name != "plain"), crowd(rng, 30, classes=False)
    write(tmp_path / "gt" / f"{name}.txt", truth)
    write(tmp_path / "results" / f"{name}.txt", results)
    seqinfo(tmp_path / "seqinfo" / f"{name}.ini", 30)
    settings = {"DO_PREPROC": name != "plain", "BENCHMARK": name[:5] if name != "plain" else "MOT15"}
    expected = trackeval_scores(tmp_path / "gt", tmp_path / "results", {name: 30}, tmp_path, **settings)
    assert_equal(evaluate(tmp_path / "gt", tmp_path / "results"), expected)
    assert 0 < expected[name]["hota"] < 100
    assert expected[name]["id_switches"] > 0


def crowd(rng: np.random.Generator, frames: int, *, classes: bool) -> list[str]:
    """Return the lines, in random order, of twelve people at four positions, so that boxes overlap."""
    lines = []
    for frame in rng.permutation(np.arange(1, frames + 1)):
        if frame % 11 == 0:
            continue
        for person in rng.permutation(12)[: rng.integers(3, 13)]:
            left, top = 60 * (person % 4) + rng.normal(0, 6, 2)
            kind = 1 + person if classes and person % 3 else 1
            tail = f"{int(kind == 1)},{kind},0.5" if classes else "1,-1,-1"
            track_id = person + 100 * (frame > 15 and person % 5 == 0)
            lines.append(f"{frame},{track_id},{left:.3f},{top:.3f},{rng.uniform(35, 45):.3f},100,{tail}")
    return lines


def test_mot17_scores_as_in_trackeval(test_data: Path, tmp_path: Path) -> None:
    """The published scores, and every score of every sequence."""
    gt, results = test_data / "MOT17" / "gt", test_data / "MOT17" / "results" / "Lif_T"
    lengths = {"02": 600, "04": 1050, "05": 837, "09": 525, "10": 654, "11": 900, "13": 750}
    found = evaluate(gt, results)
    combined = found.combined
    assert [round(value, 3) for value in (combined.hota, combined.mota, combined.idf1)] == [63.205, 66.051, 72.124]
    assert (combined.id_switches, combined.false_positives, combined.false_negatives) == (259, 870, 36995)
    by_name = {f"MOT17-{number}": frames for number, frames in lengths.items()}
    assert_equal(found, trackeval_scores(gt, results, by_name, tmp_path))
