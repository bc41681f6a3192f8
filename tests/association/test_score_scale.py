"""The running median of scores: from the prior to the scores of the video, in constant memory."""

from __future__ import annotations

import numpy as np
import pytest

from fairmot_dla34.association.score_scale import ScoreScale


def filled(scores: list[float], updates: int, prior: float = 0.5) -> ScoreScale:
    scale = ScoreScale(prior)
    for _ in range(updates):
        scale.add(np.array(scores, np.float32))
    return scale


def test_without_scores_it_is_the_prior() -> None:
    assert ScoreScale(0.37).median == 0.37
    assert filled([], 10, prior=0.37).median == 0.37


@pytest.mark.parametrize("score", [0.25, 0.6, 0.999, 1.0])
def test_it_approaches_the_score_of_the_video(score: float) -> None:
    assert abs(filled([score] * 5, 300).median - score) < 0.03


def test_few_scores_move_it_little() -> None:
    assert 0.5 < filled([0.9], 5).median < 0.56


def test_it_is_the_median_and_not_the_mean() -> None:
    assert abs(filled([0.1, 0.8, 0.82, 0.84, 0.9], 300).median - 0.82) < 0.02


def test_old_scores_are_forgotten() -> None:
    scale = filled([0.9] * 4, 2000)
    for _ in range(2000):
        scale.add(np.full(4, 0.3, np.float32))
    assert abs(scale.median - 0.3) < 0.02


def test_scores_outside_0_to_1_count_as_the_nearest() -> None:
    assert filled([40.0] * 3, 300).median > 0.95
    assert filled([-40.0] * 3, 300).median == 0.2


def test_it_is_never_below_a_fifth() -> None:
    """Noise in an empty scene must not become the measure of people."""
    assert filled([0.07] * 3, 3000).median == 0.2


def test_before_people_are_tracked_the_best_score_replaces_a_higher_prior() -> None:
    scale = ScoreScale(0.5)
    scale.see(np.array([0.1, 0.34], np.float32))
    assert abs(scale.median - 0.34) < 1e-6
    scale.see(np.array([0.9], np.float32))
    assert scale.median == 0.5
