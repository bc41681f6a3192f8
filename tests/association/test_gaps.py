"""Filled gaps: what `--fill-gaps` adds, and that it adds nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.association.gaps import GapFiller, with_filled_gaps
from fairmot_dla34.errors import InvalidInputError, SourceError


def track(index: int, track_id: int = 1) -> Track:
    """Person ``track_id`` walks 10 px a frame, is 20 px wide, 50 high; the score rises a hundredth a frame."""
    left = 10.0 * index + 1000 * track_id
    return Track(track_id, (left, 5.0, left + 20, 55.0), 0.2 + index / 100, index)


def results(*seen: str, period_s: float = 0.1, stride: int = 1) -> list[FrameResult]:
    """One result a character; in the i-th text ``x`` says that person i + 1 is seen there."""
    return [
        FrameResult(
            stride * index,
            stride * index * period_s,
            tuple(track(index, i + 1) for i, text in enumerate(seen) if text[index] == "x"),
        )
        for index in range(len(seen[0]))
    ]


def picture(filled: list[FrameResult], track_id: int = 1) -> str:
    """``x`` seen, ``o`` filled, ``.`` not there."""
    of_id = [[one for one in result.tracks if one.track_id == track_id] for result in filled]
    assert all(len(found) <= 1 for found in of_id)
    return "".join("." if not found else "o" if found[0].filled else "x" for found in of_id)


@pytest.mark.parametrize(
    ("seen", "max_gap", "expected"),
    [
        ("x..x", 2, "xoox"),
        ("x...x", 2, "x...x"),  # one frame too long: not even in part
        ("x..x", 0, "x..x"),
        ("..x.x..", 3, "..xox.."),  # nothing before the first sighting, nothing after the last
        ("x.x.x", 1, "xoxox"),
        ("x.x...x.x", 1, "xox...xox"),
        ("x.", 5, "x."),
        ("x", 5, "x"),
        ("...", 2, "..."),
        ("x" + "." * 300 + "x", 300, "x" + "o" * 300 + "x"),
        ("x" + "." * 301 + "x", 300, "x" + "." * 301 + "x"),
    ],
)
def test_gaps_up_to_the_limit_are_filled(seen: str, max_gap: int, expected: str) -> None:
    assert picture(list(with_filled_gaps(results(seen), max_gap))) == expected


def test_what_is_filled_lies_on_the_line_between_two_sightings() -> None:
    for index, result in enumerate(with_filled_gaps(results("x...x"), 3)):
        (found,) = result.tracks
        expected = track(index)
        assert found.box == pytest.approx(expected.box)
        assert found.score == pytest.approx(expected.score)
        assert (found.track_id, found.age_frames, found.class_id) == (1, index, 0)


def test_the_line_is_drawn_over_time() -> None:
    """A camera that lost frames between the second and the third picture."""
    first, second, third = results("x.x")
    late = [first, FrameResult(1, 0.1, second.tracks), FrameResult(9, 1.0, third.tracks)]
    filled = list(with_filled_gaps(late, 1))
    assert filled[1].tracks[0].box[0] == pytest.approx(1000 + 0.1 * 20)
    assert [result.time_s for result in filled] == [0, 0.1, 1.0]


def test_time_that_stands_still_divides_by_results() -> None:
    filled = list(with_filled_gaps(results("x.x", period_s=0.0), 1))
    assert filled[1].tracks[0].box[0] == pytest.approx(1010)


def test_a_stride_does_not_count() -> None:
    filled = list(with_filled_gaps(results("x..x", stride=5), 2))
    assert picture(filled) == "xoox"
    assert [result.index for result in filled] == [0, 5, 10, 15]


def test_people_are_filled_apart_and_the_seen_come_first() -> None:
    filled = list(with_filled_gaps(results("x.xx.x", "xxx..x", ".x...x"), 2))
    assert [picture(filled, i) for i in (1, 2, 3)] == ["xoxxox", "xxxoox", ".x...x"]
    assert [[one.track_id for one in result.tracks] for result in filled] == [
        [1, 2],
        [2, 3, 1],
        [1, 2],
        [1, 2],
        [1, 2],
        [1, 2, 3],
    ]


def test_each_result_comes_once_max_gap_later() -> None:
    filler = GapFiller(3)
    given_results = results("x.x..x.x")
    ready = [filler.push(result) for result in given_results]
    assert [[result.index for result in results] for results in ready] == [[], [], [], [0], [1], [2], [3], [4]]
    assert [result.index for result in filler.flush()] == [5, 6, 7]
    assert filler.flush() == []


def test_without_a_gap_to_fill_results_pass_at_once_and_as_they_are() -> None:
    filler = GapFiller(0)
    for result in results("x.x"):
        (passed,) = filler.push(result)
        assert passed is result
    assert filler.flush() == []


def test_an_error_comes_after_the_results_before_it() -> None:
    def broken() -> Iterator[FrameResult]:
        yield from results("x.xx")
        raise SourceError("the cable was pulled")

    found: list[FrameResult] = []
    with pytest.raises(SourceError, match="cable"):
        found.extend(with_filled_gaps(broken(), 2))
    assert picture(found) == "xoxx"


@pytest.mark.parametrize("value", [-1, 301, 1.5, True, "3", None])
def test_a_limit_that_is_none(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"fill_gaps is .* from 0 \(none\) to 300"):
        GapFiller(value)  # type: ignore[arg-type]


@given(st.lists(st.text("x.", min_size=12, max_size=12), min_size=1, max_size=3), st.integers(0, 12))
def test_only_inner_gaps_up_to_the_limit_change(seen: list[str], max_gap: int) -> None:
    """Whatever is seen: order and number of results stay, and so does every track that was seen."""
    given_results = results(*seen)
    filled = list(with_filled_gaps(given_results, max_gap))
    assert [result.index for result in filled] == [result.index for result in given_results]
    for before, after in zip(given_results, filled, strict=True):
        assert after.tracks[: len(before.tracks)] == before.tracks
    for number, text in enumerate(seen, start=1):
        inner = text.strip(".")
        start = len(text) - len(text.lstrip("."))
        gaps = inner.replace("x", " ").split()
        expected = inner
        for gap in gaps:
            if len(gap) <= max_gap:
                expected = expected.replace(f"x{gap}x", f"x{'o' * len(gap)}x", 1)
        assert picture(filled, number) == (text[:start] + expected).ljust(len(text), ".")
