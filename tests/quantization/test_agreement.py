"""Agreement of int8 with fp32, the figures of the quantisation report, compared with values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.quantization.agreement import agreement
from fairmot_dla34.values import Peaks

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def peaks(*rows: tuple[list[float], float, list[float]]) -> Peaks:
    boxes, scores, embeddings = zip(*rows, strict=True) if rows else ([], [], [])
    return Peaks(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(embeddings, np.float32).reshape(-1, 2),
        np.zeros(len(rows), np.int64),
    )


def test_the_figures_equal_those_computed_by_hand() -> None:
    fp32 = peaks(([0, 0, 9, 9], 0.9, EAST), ([50, 0, 59, 9], 0.5, EAST), ([100, 0, 109, 9], 0.3, EAST))
    int8 = peaks(([0, 0, 9, 8], 0.8, EAST), ([50, 0, 59, 9], 0.3, NORTH), ([200, 0, 209, 9], 0.6, EAST))
    found = agreement([fp32, peaks()], [int8, peaks()])
    assert (found.frames, found.fp32_peaks, found.int8_peaks, found.matched) == (2, 2, 2, 2)
    assert found.mean_iou == pytest.approx((0.9 + 1) / 2)
    assert found.mean_score_difference == pytest.approx((0.1 + 0.2) / 2)
    assert found.mean_cosine == pytest.approx((1 + 0) / 2)


def test_a_person_that_int8_misses_is_counted() -> None:
    fp32 = peaks(([0, 0, 9, 9], 0.9, EAST))
    for int8 in (peaks(), peaks(([0, 0, 9, 9], 0.1, EAST)), peaks(([0, 0, 3, 9], 0.9, EAST))):
        found = agreement([fp32], [int8])
        assert (found.fp32_peaks, found.matched, found.mean_iou) == (1, 0, None)


def test_images_without_people_have_no_figures() -> None:
    assert agreement([peaks()], [peaks()]).mean_cosine is None
