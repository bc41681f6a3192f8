"""Loops of the caller: `FairMOT.update` and `Session.update`, image by image."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import FairMOT, InputSize
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, StateError
from fairmot_dla34.values import Peaks


@pytest.fixture
def model() -> FairMOT:
    return FairMOT.from_backend(FakeBackend())


def test_a_loop_gives_what_track_gives(model: FairMOT) -> None:
    results = [model.update(image) for image in walking_boxes(40)]
    assert results == list(model.track(walking_boxes(40)))  # index and time too
    assert {track.track_id for result in results for track in result.tracks} == {1, 2}


def test_a_session_gives_what_track_gives_at_its_frame_rate(model: FairMOT) -> None:
    session = model.session(12.5)
    results = [session.update(image) for image in walking_boxes(20)]
    assert results == list(model.track(walking_boxes(20), frame_rate=12.5))


def test_ids_continue_until_the_reset(model: FairMOT) -> None:
    first = [model.update(image) for image in walking_boxes(5)]
    for image in walking_boxes(5):
        model.update(image)
    model.reset()
    assert [model.update(image) for image in walking_boxes(5)] == first


def test_a_reset_before_the_first_image_changes_nothing(model: FairMOT) -> None:
    model.reset()
    assert model.update(next(walking_boxes(1))).index == 0


def test_track_detect_and_sessions_leave_the_loop_alone(model: FairMOT) -> None:
    alone = [model.update(image) for image in walking_boxes(10)]
    model.reset()
    session, results = model.session(30.0), []
    for image in walking_boxes(10):
        results.append(model.update(image))
        assert len(list(model.track(walking_boxes(2, people=3)))) == 2
        model.detect(image)
        session.update(next(walking_boxes(1, people=1)))
    assert results == alone


def test_times_are_those_of_the_caller_and_continue_without_them(model: FairMOT) -> None:
    given = [None, None, 10.0, None, None, 1.7e9, 5, 5]
    times = [model.update(image, time_s).time_s for image, time_s in zip(walking_boxes(8), given, strict=True)]
    expected = [0, 1 / 30, 10, 10 + 1 / 30, 10 + 2 / 30, 1.7e9, 5, 5]
    assert times == pytest.approx(expected)
    assert all(type(time_s) is float for time_s in times)


def test_the_lost_buffer_is_seconds_of_the_given_times(model: FairMOT) -> None:
    """At five images a second somebody is found again after 0.8 s, and not after a minute."""
    people = next(walking_boxes(1))
    nobody = np.full_like(people, 90)
    for pause_s, ids in ((0.8, {1, 2}), (60.0, {3, 4})):
        model.reset()
        for number in range(5):
            model.update(people, number * 0.2)
        model.update(nobody, 1.0)
        for number in range(3):
            result = model.update(people, 0.8 + pause_s + number * 0.2)
        assert {track.track_id for track in result.tracks} == ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "image is a NoneType; expected a BGR image"),  # cv2.VideoCapture.read at the end of a video
        ((np.zeros((8, 8), np.uint8),), "COLOR_GRAY2BGR"),
        ((np.zeros((8, 8, 3), np.float32),), "dtype float32"),
        ((np.zeros((0, 8, 3), np.uint8),), "is empty"),
        ((np.zeros((8, 8, 3), np.uint8), float("nan")), "time_s is nan; expected a finite number of seconds, or None"),
        ((np.zeros((8, 8, 3), np.uint8), float("inf")), "time_s is inf"),
        ((np.zeros((8, 8, 3), np.uint8), "1"), "time_s is '1'"),
        ((np.zeros((8, 8, 3), np.uint8), True), "time_s is True"),
    ],
)
def test_a_call_that_is_refused_changes_nothing(model: FairMOT, arguments: tuple[Any, ...], message: str) -> None:
    results = []
    for image in walking_boxes(6):
        with pytest.raises(InvalidInputError, match=message):
            model.update(*arguments)
        results.append(model.update(image))
    assert results == list(model.track(walking_boxes(6)))


def test_a_closed_model_refuses_images(model: FairMOT) -> None:
    model.update(next(walking_boxes(1)))
    model.close()
    with pytest.raises(StateError, match="closed"):
        model.update(next(walking_boxes(1)))


def test_the_image_is_unchanged(model: FairMOT) -> None:
    image = next(walking_boxes(1))
    before = image.copy()
    image.setflags(write=False)
    model.update(image)
    np.testing.assert_array_equal(image, before)


def test_a_bad_frame_rate_is_refused(model: FairMOT) -> None:
    with pytest.raises(InvalidInputError, match="frame_rate is 0"):
        model.session(0)


class WaitingBackend(FakeBackend):
    """Waits inside the network until it may continue."""

    def __init__(self) -> None:
        super().__init__(InputSize(320, 192), streams=2)
        self.entered, self.released = threading.Event(), threading.Event()

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self.entered.set()
        assert self.released.wait(20)
        return super()._infer(image)


def test_two_cameras_in_one_loop_are_refused_and_have_a_session_each() -> None:
    """Their people would share ids, and nobody would know."""
    backend = WaitingBackend()
    model = FairMOT.from_backend(backend)
    image = next(walking_boxes(1))
    other = threading.Thread(target=model.update, args=(image,))
    other.start()
    assert backend.entered.wait(20)
    try:
        with pytest.raises(StateError, match=r"another thread.*FairMOT\.session"):
            model.update(image)
    finally:
        backend.released.set()
        other.join(20)
    assert model.session(30.0).update(image).index == 0
    assert model.update(image).index == 1
