"""Drawing of tracks on any image, without a change of the input, and the progress bar."""

from __future__ import annotations

import colorsys
import io
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.console import progress_bar
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.outputs import Trails, draw_tracks
from fairmot_dla34.outputs.colours import colour_of, text_colour_on
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


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    tracks = [Track(i, (200, 150, 230, 230), 0.9, 0) for i in (1, 2)]
    drawn = draw_tracks(np.zeros((360, 480, 3), np.uint8), tracks)
    for i in (1, 2):
        seen = coloured(drawn, i)
        assert seen[:148].sum() + seen[232:].sum() > 250  # above or below the box both share


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


def test_colours_are_stable_bright_and_spread() -> None:
    assert colour_of(1) == colour_of(1)
    hues = []
    for i in range(1, 25):
        blue, green, red = colour_of(i)
        hue, _, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
        hues.append(hue)
        assert value > 0.7
        text = text_colour_on((blue, green, red))[0]
        assert abs(text - (0.299 * red + 0.587 * green + 0.114 * blue)) > 100  # black on bright, white on dark
    gaps = np.diff(np.sort(hues))
    assert gaps.min() > 0.015
    neighbours = np.abs(np.diff(hues))
    assert np.minimum(neighbours, 1 - neighbours).min() > 0.3


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
