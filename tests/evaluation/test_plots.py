"""Plots of an evaluation, and the id switches that they mark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation.mot_files import row, seqinfo, walkers, write

from fairmot_dla34.errors import OutputError
from fairmot_dla34.evaluation import evaluate

pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")
pytest.importorskip("matplotlib", reason="MATPLOTLIB ABSENT: pip install '.[eval]'")

from fairmot_dla34.evaluation.layout import find_sequences
from fairmot_dla34.evaluation.matching import Span, matched_spans
from fairmot_dla34.evaluation.plots import _drawn_frames
from fairmot_dla34.evaluation.scoring import prepare
from fairmot_dla34.evaluation.sequence import read_sequence


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Person 10 is matched throughout; 40 with id 2, then with none, then with id 7; 80 never."""
    results = [*walkers(9, ids=[1]), *(row(f, 2 if f < 5 else 7, 200 + f) for f in (1, 2, 3, 6, 7, 8, 9))]
    write(tmp_path / "gt" / "A.txt", walkers(9, ids=(10, 40, 80)))
    write(tmp_path / "results" / "A.txt", results)
    return tmp_path


def test_spans_are_the_frames_in_which_a_person_has_one_id(street: Path) -> None:
    (files,) = find_sequences(street / "gt", street / "results")
    found = sorted(matched_spans(prepare(read_sequence(files))), key=lambda span: (span.person, span.first))
    assert found == [
        Span(0, 1, 1, 9, switched=False),
        Span(1, 2, 1, 3, switched=False),
        Span(1, 7, 6, 9, switched=True),
    ]


def test_spans_end_at_frames_without_any_row(tmp_path: Path) -> None:
    """TrackEval's data leave such frames out; the plots count them."""
    lines = [line for line in walkers(9, ids=[1]) if not line.startswith(("4,", "5,"))]
    write(tmp_path / "gt.txt", lines)
    (files,) = find_sequences(tmp_path, write(tmp_path / "results.txt", lines))
    found = matched_spans(prepare(read_sequence(files)))
    assert found == [Span(0, 1, 1, 3, switched=False), Span(0, 1, 6, 9, switched=False)]


def test_a_sequence_of_millions_of_frames_is_drawn_at_those_with_rows(tmp_path: Path) -> None:
    write(tmp_path / "gt.txt", walkers(9))
    seqinfo(tmp_path / "seqinfo.ini", 10_000_000)
    evaluate(tmp_path, write(tmp_path / "results.txt", walkers(9)), plots=tmp_path / "plots")
    assert len(list((tmp_path / "plots").iterdir())) == 3
    frames = _drawn_frames(np.array([1, 7, 8, 20]), 21)
    assert frames.tolist() == [1, 2, 6, 7, 8, 9, 19, 20, 21]


def test_only_the_documented_plots_are_written_and_scores_stay(street: Path) -> None:
    plain = evaluate(street / "gt", street / "results")
    assert evaluate(street / "gt", street / "results", plots=street / "new" / "plots") == plain
    assert sorted(path.name for path in (street / "new" / "plots").iterdir()) == [
        "A_ids.png",
        "A_tracks.png",
        "hota_over_alpha.png",
    ]
    for path in (street / "new" / "plots").iterdir():
        image = cv2.imread(str(path))
        assert image is not None
        assert image.shape[1] >= 1000
        assert image.std() > 5


def test_hundreds_of_people_fit_in_one_plot(tmp_path: Path) -> None:
    lines = [row(1, track_id, 50 * track_id) for track_id in range(600)]
    write(tmp_path / "gt.txt", lines)
    evaluate(tmp_path / "gt.txt", write(tmp_path / "r.txt", []), plots=tmp_path / "plots")
    name = f"{tmp_path.name}_ids.png"
    image = cv2.imread(str(tmp_path / "plots" / name))
    assert image is not None
    assert 3000 < image.shape[0] < 5000


def test_the_state_of_the_callers_matplotlib_does_not_change(street: Path) -> None:
    code = (  # reading the setting 'backend' would choose one
        "import sys; from matplotlib import rcParams;"
        "kept = lambda: {key: rcParams[key] for key in rcParams if key != 'backend'}; before = kept();"
        "from fairmot_dla34.evaluation import evaluate;"
        f"evaluate({str(street / 'gt')!r}, {str(street / 'results')!r}, plots={str(street / 'plots')!r});"
        "print('matplotlib.pyplot' in sys.modules, before == kept())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_plot_that_cannot_be_written_is_an_output_error(street: Path) -> None:
    (street / "plots").write_text("")
    with pytest.raises(OutputError, match="plots cannot be written"):
        evaluate(street / "gt", street / "results", plots=street / "plots")
    (street / "plots2" / "A_ids.png").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"A_ids\.png cannot be written"):
        evaluate(street / "gt", street / "results", plots=street / "plots2")


def test_marked_switches_equal_the_counted_ones(test_data: Path) -> None:
    gt, results = test_data / "MOT17" / "gt", test_data / "MOT17" / "results" / "Lif_T"
    for name, expected in (("MOT17-05", 30), ("MOT17-09", 10), ("MOT17-10", 73)):
        (files,) = find_sequences(gt / f"{name}.txt", results)
        assert sum(span.switched for span in matched_spans(prepare(read_sequence(files)))) == expected


def test_plots_have_the_length_of_seqinfo(street: Path) -> None:
    seqinfo(street / "seqinfo" / "A.ini", 500)
    assert evaluate(street / "gt", street / "results", plots=street / "plots").combined.truth_boxes == 27
