"""Ground truth of the validation: names, areas that are not scored, and classes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from labelled_images import LabelledImages, labels_of

from fairmot_dla34.errors import DatasetError
from fairmot_dla34.evaluation import evaluate
from fairmot_dla34.outputs.text_formats import mot_lines
from fairmot_dla34.training.validation.data import (
    LabelledPositions,
    scored_tracks,
    spread,
    validation_sequences,
    write_truth,
)
from fairmot_dla34.values import Track

IMAGE = np.zeros((200, 400, 3), np.uint8)
PERSON, CROWD = (10.0, 10.0, 50.0, 130.0), (200.0, 0.0, 400.0, 200.0)
IN_CROWD = [(210.0, 20.0, 250.0, 140.0), (300.0, 30.0, 340.0, 150.0), (345.0, 40.0, 380.0, 150.0)]
needs_trackeval = pytest.mark.skipif(importlib.util.find_spec("trackeval") is None, reason="needs the extra eval")


def test_names_are_unique_whatever_the_case() -> None:
    data = [LabelledImages(name, [IMAGE], [labels_of([])]).dataset for name in ("gt", "A", "a", "a")]
    found = [sequence.names for sequence in validation_sequences(data, "val")]
    assert found == [("gt_gt",), ("A",), ("a_a",), ("2_a_a",)]


def test_each_class_has_its_own_files() -> None:
    data = LabelledImages("street", [IMAGE], [labels_of([])], classes=("person", "car/van"))
    assert validation_sequences([data.dataset], "val")[0].names == ("street_person", "street_car_van")


@needs_trackeval
def test_tracks_in_ignored_areas_are_neither_punished_nor_rewarded(tmp_path: Path) -> None:
    """Three tracks in a crowd, one on a person without an identity, and one that covers a person in the crowd."""
    anonymous = (100.0, 10.0, 140.0, 130.0)
    labels = labels_of([PERSON, anonymous, IN_CROWD[0]], [4, -1, 7], ignored=[CROWD])
    data = LabelledImages("street", [IMAGE] * 3, [labels] * 3)
    (sequence,) = validation_sequences([data.dataset], "val")
    assert write_truth(sequence, tmp_path / "gt") == ["street"]
    boxes = [PERSON, anonymous, *IN_CROWD]
    tracks = tuple(Track(number, box, 0.9, 0) for number, box in enumerate(boxes, start=1))
    scored = scored_tracks(tracks, labels, 0)
    assert [track.track_id for track in scored] == [1, 3]
    (tmp_path / "street.txt").write_text("".join(mot_lines(frame, scored) for frame in range(3)))
    scores = evaluate(tmp_path / "gt", tmp_path / "street.txt").combined
    assert (scores.mota, scores.idf1, scores.hota) == pytest.approx((100, 100, 100))
    assert (scores.truth_boxes, scores.truth_ids) == (6, 2)


@needs_trackeval
def test_a_person_in_front_of_an_ignored_one_is_not_taken_for_it(tmp_path: Path) -> None:
    """As a distractor, the ignored box would take the track, which fits it better, and the person would be missed."""
    hidden = tuple(value + 2 for value in PERSON)
    labels = labels_of([PERSON], [0], ignored=[hidden])
    (sequence,) = validation_sequences([LabelledImages("street", [IMAGE], [labels]).dataset], "val")
    write_truth(sequence, tmp_path / "gt")
    track = Track(1, (hidden[0], hidden[1], hidden[2], hidden[3]), 0.9, 0)
    (tmp_path / "street.txt").write_text(mot_lines(0, scored_tracks([track], labels, 0)))
    assert evaluate(tmp_path / "gt", tmp_path / "street.txt").combined.mota == pytest.approx(100)


@needs_trackeval
def test_results_after_the_last_labelled_person_are_scored(tmp_path: Path) -> None:
    """The length of the sequence is stated: a frame without people is not beyond its end."""
    data = LabelledImages("street", [IMAGE] * 2, [labels_of([PERSON], [0]), labels_of([])], first=7)
    (sequence,) = validation_sequences([data.dataset], "val")
    write_truth(sequence, tmp_path / "gt")
    track = Track(1, PERSON, 0.9, 0)
    (tmp_path / "street.txt").write_text("".join(mot_lines(frame, [track]) for frame in range(2)))
    scores = evaluate(tmp_path / "gt", tmp_path / "street.txt").combined
    assert (scores.false_positives, scores.false_negatives) == (1, 0)


def test_a_video_without_identities_has_no_ground_truth(tmp_path: Path) -> None:
    (sequence,) = validation_sequences([LabelledImages("street", [IMAGE], [labels_of([PERSON])]).dataset], "val")
    assert write_truth(sequence, tmp_path / "gt") == []
    assert not (tmp_path / "gt").exists()


def test_tracks_of_other_classes_are_left_out() -> None:
    tracks = [Track(1, PERSON, 0.9, 0, class_id=0), Track(2, PERSON, 0.9, 0, class_id=1)]
    assert [track.track_id for track in scored_tracks(tracks, labels_of([]), 1)] == [2]


def test_an_identity_twice_in_an_image_is_an_error() -> None:
    data = LabelledImages("street", [IMAGE], [labels_of([PERSON, IN_CROWD[0]], [2, 2])])
    with pytest.raises(DatasetError, match=r"0\.png has identity 2 twice; expected one box"):
        LabelledPositions.read(validation_sequences([data.dataset], "val"))


def test_a_track_without_width_is_left_out() -> None:
    tracks = [Track(1, (10, 10, 10.001, 900), 0.9, 0), Track(2, PERSON, 0.9, 0)]
    assert [track.track_id for track in scored_tracks(tracks, labels_of([]), 0)] == [2]


def test_spread_covers_the_whole_range() -> None:
    assert spread(10, 4) == [0, 2, 5, 7]
    assert spread(3, 8) == [0, 1, 2]
    assert spread(0, 4) == []
