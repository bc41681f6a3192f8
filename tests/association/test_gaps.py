"""Gap filling: `--fill-gaps` adds the tracks within short gaps and changes nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.association.gaps import GapFiller, with_filled_gaps
from fairmot_dla34.errors import InvalidInputError, SourceError


def track(index: int, track_id: int = 1) -> Track:
    """Return a track of 20x50 px that moves by 10 px per frame and whose score rises by 0.01 per frame."""
    left = 10.0 * index + 1000 * track_id
    return Track(track_id, (left, 5.0, left + 20, 55.0), 0.2 + index / 100, index)


def results(*visible: str, period_s: float = 0.1, stride: int = 1) -> list[FrameResult]:
    """Return one result per character; ``x`` in the i-th text means that track i + 1 is in that result."""
    return [
        FrameResult(
            stride * index,
            stride * index * period_s,
            tuple(track(index, i + 1) for i, text in enumerate(visible) if text[index] == "x"),
        )
        for index in range(len(visible[0]))
    ]


def pattern(filled: list[FrameResult], track_id: int = 1) -> str:
    """Return one character per result: ``x`` for a detected track, ``o`` for a filled one, ``.`` for none."""
    of_id = [[one for one in result.tracks if one.track_id == track_id] for result in filled]
    assert all(len(found) <= 1 for found in of_id)
    return "".join("." if not found else "o" if found[0].filled else "x" for found in of_id)


@pytest.mark.parametrize(
    ("visible", "max_gap", "expected"),
    [
        ("x..x", 2, "xoox"),
        ("x...x", 2, "x...x"),  # one frame too long: not even in part
        ("x..x", 0, "x..x"),
        ("..x.x..", 3, "..xox.."),  # nothing before the first detection, nothing after the last
        ("x.x.x", 1, "xoxox"),
        ("x.x...x.x", 1, "xox...xox"),
        ("x.", 5, "x."),
        ("x", 5, "x"),
        ("...", 2, "..."),
        ("x" + "." * 300 + "x", 300, "x" + "o" * 300 + "x"),
        ("x" + "." * 301 + "x", 300, "x" + "." * 301 + "x"),
    ],
)
def test_gaps_up_to_the_limit_are_filled(visible: str, max_gap: int, expected: str) -> None:
    assert pattern(list(with_filled_gaps(results(visible), max_gap))) == expected


def test_filled_tracks_lie_on_the_line_between_two_detections() -> None:
    for index, result in enumerate(with_filled_gaps(results("x...x"), 3)):
        (found,) = result.tracks
        expected = track(index)
        assert found.box == pytest.approx(expected.box)
        assert found.score == pytest.approx(expected.score)
        assert (found.track_id, found.age_frames, found.class_id) == (1, index, 0)


def test_interpolation_is_linear_in_time() -> None:
    """The camera lost frames between the second and the third frame."""
    first, second, third = results("x.x")
    late = [first, FrameResult(1, 0.1, second.tracks), FrameResult(9, 1.0, third.tracks)]
    filled = list(with_filled_gaps(late, 1))
    assert filled[1].tracks[0].box[0] == pytest.approx(1000 + 0.1 * 20)
    assert [result.time_s for result in filled] == [0, 0.1, 1.0]


def test_interpolation_is_linear_in_results_if_times_are_equal() -> None:
    filled = list(with_filled_gaps(results("x.x", period_s=0.0), 1))
    assert filled[1].tracks[0].box[0] == pytest.approx(1010)


def test_interpolation_never_leaves_the_gap_if_times_are_not_in_order() -> None:
    """A source from outside the package may repeat times or go back."""
    first, second, third = results("x.x")
    shuffled = [first, FrameResult(1, 5.0, second.tracks), FrameResult(2, 2.0, third.tracks)]
    filled = list(with_filled_gaps(shuffled, 1))
    assert filled[1].tracks[0].box[0] == pytest.approx(1010)


def test_gaps_are_counted_in_results_not_in_frames() -> None:
    filled = list(with_filled_gaps(results("x..x", stride=5), 2))
    assert pattern(filled) == "xoox"
    assert [result.index for result in filled] == [0, 5, 10, 15]


def test_each_track_is_filled_separately_and_after_the_detected_ones() -> None:
    filled = list(with_filled_gaps(results("x.xx.x", "xxx..x", ".x...x"), 2))
    assert [pattern(filled, i) for i in (1, 2, 3)] == ["xoxxox", "xxxoox", ".x...x"]
    assert [[one.track_id for one in result.tracks] for result in filled] == [
        [1, 2],
        [2, 3, 1],
        [1, 2],
        [1, 2],
        [1, 2],
        [1, 2, 3],
    ]


def test_each_result_is_returned_once_and_max_gap_results_later() -> None:
    filler = GapFiller(3)
    original = results("x.x..x.x")
    ready = [filler.push(result) for result in original]
    assert [[result.index for result in results] for results in ready] == [[], [], [], [0], [1], [2], [3], [4]]
    assert [result.index for result in filler.flush()] == [5, 6, 7]
    assert filler.flush() == []


def test_a_limit_of_zero_returns_each_result_at_once_and_unchanged() -> None:
    filler = GapFiller(0)
    for result in results("x.x"):
        (returned,) = filler.push(result)
        assert returned is result
    assert filler.flush() == []


def test_an_error_is_raised_after_the_results_before_it() -> None:
    def broken() -> Iterator[FrameResult]:
        yield from results("x.xx")
        raise SourceError("the cable was pulled")

    found: list[FrameResult] = []
    with pytest.raises(SourceError, match="cable"):
        found.extend(with_filled_gaps(broken(), 2))
    assert pattern(found) == "xoxx"


@pytest.mark.parametrize("value", [-1, 301, 1.5, True, "3", None])
def test_invalid_limits_are_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"fill_gaps is .* from 0 \(none\) to 300"):
        GapFiller(value)  # type: ignore[arg-type]


@given(st.lists(st.text("x.", min_size=12, max_size=12), min_size=1, max_size=3), st.integers(0, 12))
def test_only_inner_gaps_up_to_the_limit_change(visible: list[str], max_gap: int) -> None:
    """The order and number of results and all detected tracks must stay the same."""
    original = results(*visible)
    filled = list(with_filled_gaps(original, max_gap))
    assert [result.index for result in filled] == [result.index for result in original]
    for before, after in zip(original, filled, strict=True):
        assert after.tracks[: len(before.tracks)] == before.tracks
    for number, text in enumerate(visible, start=1):
        inner = text.strip(".")
        start = len(text) - len(text.lstrip("."))
        gaps = inner.replace("x", " ").split()
        expected = inner
        for gap in gaps:
            if len(gap) <= max_gap:
                expected = expected.replace(f"x{gap}x", f"x{'o' * len(gap)}x", 1)
        assert pattern(filled, number) == (text[:start] + expected).ljust(len(text), ".")
