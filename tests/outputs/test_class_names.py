"""Outputs of networks with several classes: a car is not written as a person, and drawn labels name the class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairmot_dla34.outputs import SinkContext, draw_tracks, find_sink
from fairmot_dla34.values import Frame, FrameResult, Track

TRACKS = (Track(1, (4, 4, 40, 60), 0.9, 3, class_id=0), Track(2, (50, 20, 90, 40), 0.8, 3, class_id=1))


def line_of_second_track(folder: Path, kind: str, class_names: tuple[str, ...]) -> list[str]:
    sink = find_sink(kind).open(folder / "out", SinkContext(10, class_names=class_names))
    sink.write(Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8)), FrameResult(0, 0.0, TRACKS))
    sink.close()
    return (folder / "out").read_text().splitlines()[1].replace(",", " ").split()


@pytest.mark.parametrize(
    ("class_names", "kitti", "mot"),
    [
        (("pedestrian", "car"), "Car", "1"),
        (("car", "other vehicle"), "Other_vehicle", "1"),
        ((), "Class_1", "-1"),
        (("person",), "Class_1", "-1"),
    ],
)
def test_text_has_the_class(tmp_path: Path, class_names: tuple[str, ...], kitti: str, mot: str) -> None:
    """The class is column 8 in PaddleDetection's results of several classes."""
    assert line_of_second_track(tmp_path, "kitti", class_names)[2] == kitti
    assert line_of_second_track(tmp_path, "mot", class_names)[7:] == [mot, "-1", "-1"]


def test_labels_name_the_class_only_if_there_are_several() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    tracks = [Track(1, (200, 100, 300, 350), 0.9, 3)]
    plain, one = draw_tracks(image, tracks), draw_tracks(image, tracks, class_names=["person"])
    several = draw_tracks(image, tracks, class_names=["person", "car"])
    np.testing.assert_array_equal(plain, one)
    assert several.any(axis=2).sum() > plain.any(axis=2).sum()
