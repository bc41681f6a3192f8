"""Drawing of tracks on any image, without a change of the input, and the progress bar."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.console.progress import progress_bar
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.outputs import Trails, draw_tracks
from fairmot_dla34.outputs import labels as labels_module
from fairmot_dla34.outputs.colours import colour_of
from fairmot_dla34.outputs.label_places import LabelPlaces
from fairmot_dla34.values import Track

ANY = st.floats(width=32) | st.floats(-2000, 2000)
Box = tuple[float, float, float, float]
BOXES = st.tuples(ANY, ANY, ANY, ANY)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(BOXES, st.integers(1, 10**9), st.floats(0, 1)), max_size=6),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_any_box_can_be_drawn_on_any_image(boxes: list[tuple[Box, int, float]], width: int, height: int) -> None:
    image = np.full((height, width, 3), 128, np.uint8)
    image.flags.writeable = False
    tracks = [Track(i, box, score, 0) for box, i, score in boxes]
    trails = Trails()
    for step in range(3):
        trails.update(tracks, step / 10)
    drawn = draw_tracks(image, tracks, trails=trails)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, image)
    assert (image == 128).all()


@pytest.mark.parametrize("padding", [0, 4])  # FFmpeg's rows may be longer than the image
def test_drawing_in_place_draws_the_same_on_the_input(padding: int) -> None:
    rows = np.full((120, 160 + padding, 3), 128, np.uint8)
    tracks, trails = [Track(1, (20.4, 30, 60, 100.5), 0.9, 3), Track(2, (-1e9, 40, 1e9, 60), 0.8, 0)], Trails()
    for step in range(4):
        trails.update([Track(1, (20.4 + step, 30, 60, 100.5), 0.9, 0)], step / 10)
    expected = draw_tracks(rows[:, :160], tracks, trails=trails)
    assert (rows == 128).all()
    drawn = draw_tracks(rows[:, :160], tracks, trails=trails, in_place=True)
    assert np.shares_memory(drawn, rows)
    assert np.array_equal(drawn, expected)
    assert (rows[:, 160:] == 128).all()


@pytest.mark.parametrize("view", [lambda a: a[:, ::-1], lambda a: a[::-1], lambda a: a.transpose(1, 0, 2)])
def test_an_image_that_cannot_be_drawn_on_is_copied(view: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    image = np.full((60, 80, 3), 128, np.uint8)
    track = Track(1, (5, 5, 40, 50), 0.9, 0)
    expected = draw_tracks(view(image), [track])
    assert np.array_equal(draw_tracks(view(image), [track], in_place=True), expected)
    image[:] = 128
    image.flags.writeable = False
    assert not np.shares_memory(draw_tracks(image, [track], in_place=True), image)


def coloured(drawn: NDArray[np.uint8], track_id: int) -> NDArray[np.bool_]:
    matches: NDArray[np.bool_] = (drawn == np.array(colour_of(track_id), np.uint8)).all(axis=2)
    return matches


@pytest.mark.parametrize("size", [(320, 240), (480, 360), (1920, 1080), (3840, 2160)])
def test_the_label_is_complete_for_any_position_of_the_box(size: tuple[int, int]) -> None:
    width, height = size

    def label_at(x: float, y: float) -> int:
        left, top = x * (width - 4), y * (height - 4)
        track = Track(3, (left, top, left + 4, top + 4), 0.87, 0)
        return int(coloured(draw_tracks(np.zeros((height, width, 3), np.uint8), [track]), 3).sum())

    middle = label_at(0.5, 0.5)
    for corner in ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, -3), (-9, 0.5), (9, 9)):
        assert label_at(*corner) > 0.7 * middle  # the box itself may be outside or below its label


def test_pixels_away_from_the_box_stay_unchanged() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    drawn = draw_tracks(image, [Track(1, (100, 100, 140, 200), 0.9, 0)])
    changed = np.argwhere(drawn.any(axis=2))
    assert changed.min(axis=0).tolist() >= [80, 95]
    assert changed.max(axis=0)[0] <= 203
    assert not drawn[120:180, 110:130].any()  # the person is not covered
    assert np.array_equal(draw_tracks(image, []), image)
    assert np.array_equal(draw_tracks(image, [Track(1, (1, 1, 9, 9), 0.4, 0)], draw_threshold=0.5), image)


def crowd(people: int, width: int, height: int, seed: int) -> list[Track]:
    """Return people at random places, the nearer (lower in the image) the larger."""
    random = np.random.default_rng(seed)
    feet, x = random.uniform(0.15 * height, height, people), random.uniform(0, width, people)
    tall = 0.05 * height + 0.25 * feet
    boxes = np.stack([x - 0.2 * tall, feet - tall, x + 0.2 * tall, feet], axis=1).tolist()
    return [Track(i, (box[0], box[1], box[2], box[3]), 0.87, 0) for i, box in enumerate(boxes, 1)]


@dataclass
class Placed:
    """Rectangles (left, top, right, bottom) in px of the labels drawn on one image."""

    drawn: list[tuple[int, int, int, int]]


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Placed]:
    """Draw tracks on a black image and return the rectangles that labels got."""
    found: list[tuple[int, int, int, int]] = []

    class Recorder(LabelPlaces):
        def take_first_free(self, places: Sequence[Sequence[int]], size: Sequence[int]) -> tuple[int, int] | None:
            place = super().take_first_free(places, size)
            if place is not None:
                found.append((*place, place[0] + size[0], place[1] + size[1]))
            return place

    monkeypatch.setattr(labels_module, "LabelPlaces", Recorder)

    def draw(tracks: list[Track], width: int, height: int, labels: str = "auto") -> Placed:
        found.clear()
        draw_tracks(np.zeros((height, width, 3), np.uint8), tracks, labels=labels)
        return Placed(list(found))

    return draw


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080)])
@pytest.mark.parametrize("people", [5, 40, 100])
@pytest.mark.parametrize("labels", ["auto", "score"])
def test_a_label_covers_neither_a_head_nor_another_label(
    placed: Callable[..., Placed], size: tuple[int, int], people: int, labels: str
) -> None:
    for seed in range(4):
        tracks = crowd(people, *size, seed)
        result = placed(tracks, *size, labels)
        heads = [(x1, y1, x2, y1 + 0.25 * (y2 - y1)) for x1, y1, x2, y2 in (t.box for t in tracks)]
        for index, label in enumerate(result.drawn):
            assert 0 <= label[0] < label[2] <= size[0]
            assert 0 <= label[1] < label[3] <= size[1]
            assert not any(overlap(label, head) for head in heads)
            assert not any(overlap(label, other) for other in result.drawn[:index])
        if people <= 40:
            assert len(result.drawn) >= 0.9 * people  # only a dense crowd leaves numbers out


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5, 0.9])
def test_a_person_alone_has_the_label_above_the_box(placed: Callable[..., Placed], shift: float) -> None:
    (label,) = placed([Track(7, (300 + shift, 200 + shift, 360 + shift, 360 + shift), 0.9, 0)], 640, 480).drawn
    assert label[0] == 300
    assert label[3] == 200
    (inside,) = placed([Track(7, (300, shift, 360, 160 + shift), 0.9, 0)], 640, 480).drawn  # no room above
    assert 40 <= inside[1] < inside[3] < 80


def test_a_label_scales_with_its_box_and_a_small_one_has_no_score(placed: Callable[..., Placed]) -> None:
    def size(height: float, labels: str = "auto") -> tuple[int, int]:
        (box,) = placed([Track(12, (900, 900 - height, 900 + 0.4 * height, 900), 0.87, 0)], 1920, 1080, labels).drawn
        return box[2] - box[0], box[3] - box[1]

    heights = [size(height)[1] for height in (40, 150, 300, 430)]
    assert heights[0] == heights[1] < heights[2] < heights[3]
    assert size(150) == size(150, "id")
    assert size(300) == size(300, "score")
    assert size(300, "id")[0] < 0.6 * size(300)[0]
    assert size(300)[0] <= 1.2 * 0.4 * 300  # not wider than the person
    assert heights[0] >= 12  # legible
    assert not placed([Track(12, (900, 600, 1000, 900), 0.87, 0)], 1920, 1080, "none").drawn


@pytest.mark.parametrize("labels", ["", "ID", "scores", None, 1, ["id"]])
def test_unknown_labels_are_refused(labels: Any) -> None:
    with pytest.raises(InvalidInputError, match="labels"):
        draw_tracks(np.zeros((40, 40, 3), np.uint8), [], labels=labels)


@pytest.mark.parametrize("line_width", [0, -1, 101, 2.0, "2", True, 10**400])
def test_a_wrong_line_width_is_refused(line_width: Any) -> None:
    with pytest.raises(InvalidInputError, match="line_width"):
        draw_tracks(np.zeros((40, 40, 3), np.uint8), [], line_width=line_width)


def test_the_line_width_fits_the_box_or_is_the_one_asked_for() -> None:
    def width(height: float, line_width: int | None = None) -> int:
        image = np.zeros((1080, 1920, 3), np.uint8)
        track = Track(1, (900, 100, 1100, 100 + height), 0.9, 0)
        drawn = draw_tracks(image, [track], labels="none", line_width=line_width)
        return int(coloured(drawn, 1)[100 + round(height / 2), 860:950].sum())

    assert width(60) == 2 + 1  # OpenCV draws even widths one wider
    assert width(60) < width(160) <= width(400) == 5
    assert width(400, 1) == 1
    assert 15 <= width(60, 15) <= 17


def test_a_trail_covers_the_last_second() -> None:
    trails = Trails(1.0)
    for i in range(50):
        trails.update([Track(4, (i, 0, i + 10, 50), 0.9, i)], i / 25)
    points = trails.points_of(4)
    assert len(points) == 26
    assert points[-1] == (54.0, 50.0)
    drawn = draw_tracks(np.zeros((100, 200, 3), np.uint8), [Track(4, (49, 0, 59, 50), 0.9, 50)], trails=trails)
    assert drawn[48:53, 30:45].any()
    trails.update([], 9.0)
    assert trails.points_of(4) == []
    assert not trails._points


def test_an_image_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="dtype"):
        draw_tracks(np.zeros((4, 4, 3), np.float32), [])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, enabled, shown in (
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), True, False),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar("street", 3, enabled=enabled) as bar:
            for _ in range(3):
                bar.update()
        text = stream.getvalue()
        assert ("3/3" in text and "street" in text) == shown
        assert bool(text) == shown
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar("street") as bar:
        bar.update()
