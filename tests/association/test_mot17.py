"""Lower bounds on the scores of `auto` with MOT17's public detections, 0.1 below those measured at default settings.

`benchmarks/association.py` compares it with every peer, on these detections and others.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from contestants import AUTO, own_tracker
from mot17 import read_sequences, write_results

from fairmot_dla34.evaluation import Evaluation, evaluate


@pytest.fixture(scope="module")
def mot17(test_data: Path) -> Path:
    """Return the folder of MOT17; skip without the data or TrackEval."""
    pytest.importorskip("trackeval", reason="NO TRACKEVAL: pip install '.[eval]' to run this test")
    if not (test_data / "MOT17" / "det").is_dir():
        pytest.skip(f"MOT17 ABSENT: no MOT17/det in {test_data}; set FAIRMOT_TEST_DATA to run this test")
    return test_data / "MOT17"


def scores(data: Path, folder: Path, names: set[str]) -> Evaluation:
    gt = folder / "gt"
    gt.mkdir()
    for sequence in read_sequences(data):
        if sequence.name in names:
            write_results(sequence, own_tracker(AUTO, sequence.frame_rate), folder / "results")
            (gt / f"{sequence.name}.txt").write_bytes((data / "gt" / f"{sequence.name}.txt").read_bytes())
    return evaluate(gt, folder / "results")


# Measured HOTA, MOTA, IDF1. The camera of 05 and 11 is carried by a walker, that of 09 is at rest.
@pytest.mark.parametrize(
    ("name", "hota", "mota", "idf1"),
    [("MOT17-05", 46.83, 48.21, 58.76), ("MOT17-09", 51.84, 54.69, 63.59), ("MOT17-11", 57.38, 56.77, 65.20)],
)
def test_no_score_of_a_sequence_falls(
    mot17: Path, tmp_path: Path, name: str, hota: float, mota: float, idf1: float
) -> None:
    found = scores(mot17, tmp_path, {name}).combined
    assert found.hota > hota - 0.1
    assert found.mota > mota - 0.1
    assert found.idf1 > idf1 - 0.1


@pytest.mark.slow
def test_the_combined_scores_stay_above_those_of_every_peer(mot17: Path, tmp_path: Path) -> None:
    """The best peer, BoT-SORT with a buffer of two seconds, has HOTA 49.03, MOTA 49.33, IDF1 56.74."""
    names = {sequence.name for sequence in read_sequences(mot17)}
    found = scores(mot17, tmp_path, names).combined
    assert found.hota > 51.38 - 0.1
    assert found.ass_a > 58.66 - 0.1
    assert found.mota > 49.80 - 0.1
    assert found.idf1 > 60.43 - 0.1
    assert found.id_switches < 336 + 10
