"""Identity retrieval: hand-counted cases, ties, and equality with the definitions of eval_emb."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.training.validation.retrieval import retrieval


def directions(*degrees: float) -> NDArray[np.float32]:
    angles = np.deg2rad(np.array(degrees))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_embeddings_that_separate_all_people_give_100_per_cent() -> None:
    figures = retrieval(7 * directions(0, 1, 90, 91, 180, 181), np.array([4, 4, 9, 9, 2, 2]))
    assert figures.map_id == pytest.approx(100)
    assert figures.tpr_far == pytest.approx(100)


def test_map_counts_the_ranks_of_the_same_person() -> None:
    """Queries at 0 and 40 find their like at ranks 2 and 3; 10 and 25 have none."""
    figures = retrieval(directions(0, 10, 25, 40), np.array([0, 1, 2, 0]))
    assert figures.map_id == pytest.approx(100 * (1 / 3 + 1 / 3) / 2)


def test_boxes_of_other_galleries_are_not_searched_for_map() -> None:
    ids, where = np.array([0, 1, 0]), np.array([5, 6, 5])
    assert retrieval(directions(0, 1, 60), ids, where).map_id == pytest.approx(100)
    assert retrieval(directions(0, 1, 60), ids).map_id == pytest.approx(50)


def test_equal_embeddings_find_nobody() -> None:
    figures = retrieval(np.full((40, 8), 0.3, np.float32), np.arange(40) % 20)
    assert figures.map_id == pytest.approx(100 / 39), "the same person is last of 39"
    assert figures.tpr_far == pytest.approx(10), "as by chance"


def test_without_a_pair_a_figure_is_undefined() -> None:
    assert retrieval(directions(0, 10), np.array([0, 1])) == (None, None)
    assert retrieval(np.empty((0, 4), np.float32), np.empty(0, np.int64)) == (None, None)
    assert retrieval(directions(0, 10), np.array([3, 3])).tpr_far is None


def test_zero_embeddings_do_not_crash() -> None:
    figures = retrieval(np.zeros((4, 8), np.float32), np.array([0, 0, 1, 1]))
    assert figures.map_id is not None


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_a_plain_computation(seed: int) -> None:
    """300 boxes: more than one block of queries."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 12, 300)
    vectors = (rng.normal(size=(12, 16))[ids] + 1.5 * rng.normal(size=(300, 16))).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = np.round(unit @ unit.T, 5)
    precisions = []
    for query in range(300):
        order = [k for k in np.argsort(-similarity[query], kind="stable") if k != query]
        right = ids[order] == ids[query]
        precisions.append((np.cumsum(right) / np.arange(1, 300))[right].mean())
    upper = np.triu_indices(300, 1)
    values, same = similarity[upper], (ids[:, None] == ids)[upper]
    curve = [((values[~same] >= t).mean(), (values[same] >= t).mean()) for t in np.unique(values)[::50]]
    figures = retrieval(vectors, ids)
    assert figures.map_id == pytest.approx(100 * np.mean(precisions), abs=0.05), "ties may be ordered differently"
    accepted, right = (np.array(axis)[::-1] for axis in zip(*curve, strict=True))
    assert figures.tpr_far == pytest.approx(100 * np.interp(0.1, accepted, right), abs=0.5)
