"""Tests of the measurements of `auto`, which the tracker and the text of the summary report."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34 import Detections, Tracker, TrackerConfig
from fairmot_dla34.console.summary import summary_text
from fairmot_dla34.values import Measured, TrackingSummary

PEOPLE = 8


def tracker_after(frames: int, *, shake_px: float = 0.0, score: float = 0.8, alike: float = 0.0) -> Tracker:
    """Return a tracker that saw people who stand 100 px apart, 40 px wide and 100 px high.

    Args:
        frames: Number of frames.
        shake_px: Standard deviation of the camera's motion.
        score: Score of all detections.
        alike: Share of the embeddings that all people have in common.
    """
    rng = np.random.default_rng(0)
    looks, common = rng.normal(size=(PEOPLE, 32)), rng.normal(size=32)
    tracker = Tracker(TrackerConfig(method="auto"))
    for _ in range(frames):
        left = 100 * np.arange(PEOPLE) + rng.normal(0, 0.5, PEOPLE) + rng.normal(0, shake_px)
        boxes = np.column_stack([left, np.full(PEOPLE, 50), left + 40, np.full(PEOPLE, 150)])
        embeddings = (1 - alike) * looks + alike * common + rng.normal(0, 0.3, looks.shape)
        tracker.update(Detections(boxes, np.full(PEOPLE, score), embeddings))
    return tracker


def test_a_new_tracker_has_measured_nothing() -> None:
    tracker = tracker_after(1)
    assert tracker.measured == Measured()
    tracker = tracker_after(20)
    tracker.reset()
    assert tracker.measured == Measured()


def test_methods_that_measure_nothing_report_nothing() -> None:
    tracker = Tracker(TrackerConfig(method="byte"))
    for _ in range(20):
        tracker.update(Detections([[0, 0, 40, 100]], [0.9]))
    assert tracker.measured == Measured()


def test_the_motion_of_the_camera_is_reported_in_heights_of_a_person() -> None:
    still, shaken = tracker_after(60).measured.camera_motion, tracker_after(60, shake_px=8).measured.camera_motion
    assert still is not None
    assert shaken is not None
    assert still < 0.02
    assert 0.04 < shaken < 0.25


def test_the_typical_score_is_reported() -> None:
    assert tracker_after(60, score=0.35).measured.person_score == pytest.approx(0.35, abs=0.03)
    assert tracker_after(60, score=0.95).measured.person_score == pytest.approx(0.95, abs=0.06)


def test_embeddings_that_say_nothing_are_reported_as_such() -> None:
    good, bad = tracker_after(60).measured.appearance, tracker_after(60, alike=1.0).measured.appearance
    assert good is not None
    assert bad is not None
    assert good > 0.95
    assert 0.4 < bad < 0.6


def test_without_embeddings_nothing_is_reported_on_them() -> None:
    tracker = Tracker(TrackerConfig(method="auto"))
    for _ in range(20):
        tracker.update(Detections([[0, 0, 40, 100]], [0.9]))
    assert tracker.measured.appearance is None
    assert tracker.measured.person_score is not None


def test_the_summary_shows_what_was_measured_and_nothing_else() -> None:
    def text(measured: Measured) -> str:
        return summary_text(TrackingSummary("a", (), 10, 0, 0, 3, 1.0, {}, "fake", measured=measured))

    shown = text(Measured(person_score=0.63, camera_motion=0.104, appearance=0.978))
    assert "measured: score of a person 0.63, camera moves 10.4% of a person's height per frame, embeddings" in shown
    assert "measured" not in text(Measured())
