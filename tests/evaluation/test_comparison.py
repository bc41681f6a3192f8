"""Comparison of two checkpoints: figures computed by hand, the verdict, and the limits of float16."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from fairmot_dla34.config import InputSize
from fairmot_dla34.evaluation.comparison import _Counts
from fairmot_dla34.evaluation.comparison_report import FLOAT16_LIMITS, LIMITS, Comparison, comparison_text
from fairmot_dla34.values import Peaks, Track

EQUAL = Comparison(
    "a.npz", "b.pth", "street", InputSize(64, 64), 4, 200, 0, 0.0, 0.0, 0.0, tracks=3, equal_ids=True, limits=LIMITS
)


def peaks(*rows: tuple[list[float], float, list[float]], classes: tuple[int, ...] = ()) -> Peaks:
    boxes, scores, embeddings = zip(*rows, strict=True) if rows else ([], [], [])
    return Peaks(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(embeddings, np.float32).reshape(-1, 2),
        np.array(classes or [0] * len(rows), np.int64),
    )


def test_the_largest_differences_equal_those_computed_by_hand() -> None:
    counts = _Counts()
    a = peaks(([0, 0, 9, 9], 0.9, [1, 0]), ([50, 0, 59, 9], 0.5, [1, 0]), ([100, 0, 109, 9], 0.3, [1, 0]))
    b = peaks(([0, 0, 9, 8], 0.8, [1, 0]), ([50, 0, 59, 9], 0.35, [0, 1]), ([200, 0, 209, 9], 0.6, [1, 0]))
    counts.add(a, b)
    counts.add(peaks(), peaks())
    assert (counts.frames, counts.detections, counts.unmatched) == (2, 3, 1)
    np.testing.assert_allclose(counts.worst, [0.15, 1, 1], atol=1e-6)


def test_a_network_is_equal_to_itself_also_with_several_boxes_at_one_place() -> None:
    """Two classes in one cell share their box; an untrained network exchanges its sides."""
    one, other = ([9.0, 9.0, 0.0, 0.0], 0.9, [1.0, 0.0]), ([9.0, 9.0, 0.0, 0.0], 0.8, [0.0, 1.0])
    counts = _Counts()
    counts.add(peaks(one, other, classes=(0, 1)), peaks(other, one, classes=(1, 0)))
    counts.add(peaks(one, other), peaks(other, one))
    assert (counts.detections, counts.unmatched, counts.worst) == (4, 0, [0, 0, 0])


@pytest.mark.parametrize(
    ("b", "equal"),
    [
        ([(1, 0.0), (2, 50.0)], True),
        ([(1, 1.0), (2, 51.0)], True),
        ([(1, 0.0), (3, 50.0)], False),
        ([(2, 0.0), (1, 50.0)], False),
        ([(1, 0.0)], False),
        ([(1, 0.0), (2, 50.0), (3, 99.0)], False),
    ],
)
def test_ids_are_equal_if_each_is_at_the_same_place(b: list[tuple[int, float]], equal: bool) -> None:
    first, second = (
        tuple(Track(number, (left, 0.0, left + 20, 40.0), 0.9, 0) for number, left in rows)
        for rows in ([(1, 0.0), (2, 50.0)], b)
    )
    counts = _Counts()
    counts.add_tracks(first, second)
    assert counts.equal_ids is equal


@pytest.mark.parametrize(
    "change",
    [
        {"score": 2e-4},
        {"box_px": 0.06},
        {"embedding": 2e-4},
        {"unmatched": 1},
        {"equal_ids": False},
        {"score": float("nan")},
    ],
)
def test_each_difference_beyond_its_limit_decides(change: dict[str, Any]) -> None:
    assert EQUAL.agrees
    found = dataclasses.replace(EQUAL, **change)
    assert len(found.excess) == 1
    assert comparison_text(found).endswith("verdict: DIFFERENT")


def test_float16_differs_more() -> None:
    """Ids may differ after a score has crossed a threshold."""
    found = dataclasses.replace(
        EQUAL, limits=FLOAT16_LIMITS, score=2e-3, box_px=0.2, embedding=1e-4, unmatched=1, equal_ids=False
    )
    assert found.agrees
    assert comparison_text(found).endswith("verdict: the same within the rounding of float16")
    assert not dataclasses.replace(found, box_px=1.0).agrees
