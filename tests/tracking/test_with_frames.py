"""`FairMOT.track` with frames: each result comes with its own frame, whatever the delay."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import walking_boxes, write_walking_boxes

from fairmot_dla34 import FairMOT, Frame, FrameResult
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError


@pytest.fixture
def model() -> FairMOT:
    return FairMOT.from_backend(FakeBackend())


def assert_boxes_fit(frame: Frame, result: FrameResult) -> None:
    """The people of `walking_boxes` are where the image of the same frame has their colours."""
    assert (frame.index, frame.time_s) == (result.index, result.time_s)
    assert len(result.tracks) == 2
    for track in result.tracks:
        left, top, right, bottom = (round(side) for side in track.box)
        inside = frame.image[top + 4 : bottom - 4, left + 4 : right - 4]
        assert inside.size
        assert (inside.max(axis=2) > 150).all()  # grey is 90


@pytest.mark.parametrize("fill_gaps", [0, 3])
def test_a_result_has_the_frame_it_was_found_in(model: FairMOT, tmp_path: Path, fill_gaps: int) -> None:
    folder = write_walking_boxes(tmp_path, 12)
    pairs = list(model.track(folder, with_frames=True, fill_gaps=fill_gaps))
    assert [frame.index for frame, _ in pairs] == list(range(12))
    for frame, result in pairs:
        assert_boxes_fit(frame, result)
    assert [result for _, result in pairs] == list(model.track(folder, fill_gaps=fill_gaps))


@pytest.mark.parametrize("fill_gaps", [0, 4])
def test_an_array_that_the_caller_reuses_is_right_when_it_is_yielded(model: FairMOT, fill_gaps: int) -> None:
    def reused() -> Iterator[NDArray[np.uint8]]:
        buffer = np.empty((192, 320, 3), np.uint8)
        for image in walking_boxes(12):
            buffer[:] = image
            yield buffer

    count = 0
    for frame, result in model.track(reused(), with_frames=True, fill_gaps=fill_gaps):
        assert_boxes_fit(frame, result)
        count += 1
    assert count == 12


def test_gaps_are_filled_in_the_frames_they_belong_to(model: FairMOT) -> None:
    images = list(walking_boxes(12))
    for image in images[5:7]:
        image[70:130] = 90  # the second person is hidden
    pairs = list(model.track(images, with_frames=True, fill_gaps=4))
    assert [len(result.tracks) for _, result in pairs] == [2] * 12
    filled = [frame.index for frame, result in pairs for track in result.tracks if track.filled]
    assert filled == [5, 6]
    assert all(np.array_equal(frame.image, image) for (frame, _), image in zip(pairs, images, strict=True))


def test_frames_before_an_error_are_yielded_with_their_results(model: FairMOT) -> None:
    images = [*walking_boxes(3), np.zeros((4, 4), np.uint8)]
    pairs = model.track(images, with_frames=True, fill_gaps=10)
    for index in range(3):
        frame, result = next(pairs)
        assert (frame.index, result.index) == (index, index)
    with pytest.raises(InvalidInputError, match="shape"):
        next(pairs)


def test_images_of_a_video_may_be_drawn_on(model: FairMOT, tmp_path: Path) -> None:
    folder = write_walking_boxes(tmp_path, 6)
    undisturbed = list(model.track(folder))
    results = []
    for frame, result in model.track(folder, with_frames=True):
        cv2.rectangle(frame.image, (0, 0), (319, 191), (0, 255, 255), -1)
        results.append(result)
    assert results == undisturbed


def test_a_stride_yields_the_frames_it_keeps(model: FairMOT) -> None:
    pairs = model.track(walking_boxes(20), frame_rate=10.0, frame_stride=5, with_frames=True)
    assert [(frame.index, result.index) for frame, result in pairs] == [(0, 0), (5, 5), (10, 10), (15, 15)]


@pytest.mark.parametrize("value", ["yes", None, 2])
def test_a_value_that_is_neither_true_nor_false_is_refused(model: FairMOT, value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"with_frames is .*; expected True or False"):
        model.track(walking_boxes(1), with_frames=value)  # type: ignore[call-overload]


def test_a_generator_that_is_left_early_frees_its_threads(tmp_path: Path) -> None:
    code = (
        "import sys, threading; from fairmot_dla34 import FairMOT; from fairmot_dla34.backends.fake import FakeBackend;"
        "pairs = FairMOT.from_backend(FakeBackend()).track(sys.argv[1], with_frames=True, fill_gaps=2);"
        "next(pairs); pairs.close(); print(threading.active_count())"
    )
    folder = write_walking_boxes(tmp_path, 30)
    assert subprocess.check_output([sys.executable, "-c", code, folder], text=True).strip() == "1"


def test_types_follow_the_argument(model: FairMOT) -> None:
    """Checked by mypy: a result has no image, and a pair has no tracks."""
    for result in itertools.islice(model.track(walking_boxes(1)), 1):
        assert result.tracks
    for result in model.track(walking_boxes(1), with_frames=False):
        assert result.tracks
    for frame, result in model.track(walking_boxes(1), with_frames=True):
        assert frame.image.size
        assert result.tracks
