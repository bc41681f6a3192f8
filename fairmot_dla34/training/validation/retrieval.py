"""Identity retrieval of embeddings: mean average precision, and true positive rate at a false accept rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FALSE_ACCEPT_RATE = 0.1
_QUERIES_AT_A_TIME = 256  # rows of the matrix of similarities that are in memory


class Retrieval(NamedTuple):
    """Figures of identity retrieval in per cent; None if they are undefined.

    Attributes:
        map_id: Mean average precision. Each box is a query among the other boxes of its gallery; None if no identity
            has two boxes in one gallery.
        tpr_far: True positive rate at a false accept rate of 0.1 over all pairs of boxes; None unless there is a pair
            of one identity and a pair of two.
    """

    map_id: float | None
    tpr_far: float | None


def retrieval(
    embeddings: NDArray[np.float32], ids: NDArray[np.int64], galleries: NDArray[np.int64] | None = None
) -> Retrieval:
    """Compute both figures.

    Args:
        embeddings: ``(N, E)`` embeddings of any length; they are compared by cosine similarity.
        ids: ``(N,)`` identities.
        galleries: ``(N,)`` number of the gallery of each box: the sequence it belongs to; None: all in one.
    """
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.maximum(norms, 1e-12)
    galleries = np.zeros(len(ids), np.int64) if galleries is None else galleries
    precisions = [
        average_precisions(unit[members], ids[members])
        for members in (np.flatnonzero(galleries == gallery) for gallery in np.unique(galleries))
    ]
    found = np.concatenate([*precisions, np.empty(0)])
    return Retrieval(100 * float(found.mean()) if len(found) else None, true_positive_rate(unit, ids))


def average_precisions(unit: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the average precision of each query that has another box of its identity.

    Of boxes of equal similarity, those of other identities come first: a network that gives every box the same
    embedding finds nobody.

    Args:
        unit: ``(N, E)`` embeddings of unit length.
        ids: ``(N,)`` identities.
    """
    found = []
    for start in range(0, len(ids), _QUERIES_AT_A_TIME):
        similarity = _similarity(unit[start : start + _QUERIES_AT_A_TIME], unit)
        for row, query in enumerate(range(start, start + len(similarity))):
            others = np.delete(similarity[row], query)
            same = np.delete(ids == ids[query], query)
            if not same.any():
                continue
            ranks = np.flatnonzero(same[np.lexsort((same, -others))]) + 1
            found.append(float((np.arange(1, len(ranks) + 1) / ranks).mean()))
    return np.array(found, np.float64)


def true_positive_rate(
    unit: NDArray[np.float32], ids: NDArray[np.int64], false_accept_rate: float = FALSE_ACCEPT_RATE
) -> float | None:
    """Return the share of the pairs of one identity that are accepted, in per cent.

    The threshold on the similarity is the one that accepts this share of the pairs of two identities; between two
    points of the curve, both shares are interpolated. Source: ``eval_emb`` of FairMOT and JDE (``src/track.py``,
    ``test_emb.py``), which computes it with ``sklearn.metrics.roc_curve`` and ``scipy.interpolate.interp1d``.

    Args:
        unit: ``(N, E)`` embeddings of unit length.
        ids: ``(N,)`` identities.
        false_accept_rate: The share of the pairs of two identities.
    """
    same, other = _pairs(unit, ids)
    if not len(same) or not len(other):
        return None
    thresholds = np.unique(np.concatenate([same, other]))[::-1]
    accepted = np.concatenate([[0], len(same) - np.searchsorted(np.sort(same), thresholds)]) / len(same)
    false_accepted = np.concatenate([[0], len(other) - np.searchsorted(np.sort(other), thresholds)]) / len(other)
    last = int(np.searchsorted(false_accepted, false_accept_rate, side="right")) - 1
    if last == len(thresholds):
        return 100 * float(accepted[last])
    share = (false_accept_rate - false_accepted[last]) / (false_accepted[last + 1] - false_accepted[last])
    return 100 * float(accepted[last] + share * (accepted[last + 1] - accepted[last]))


def _pairs(unit: NDArray[np.float32], ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the similarities of the pairs of one identity, and those of the pairs of two; each pair once."""
    same, other = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for start in range(0, len(ids), _QUERIES_AT_A_TIME):
        stop = min(start + _QUERIES_AT_A_TIME, len(ids))
        similarity = _similarity(unit[start:stop], unit)
        later = np.arange(len(ids)) > np.arange(start, stop)[:, None]
        equal = ids == ids[start:stop, None]
        same.append(similarity[later & equal])
        other.append(similarity[later & ~equal])
    return np.concatenate(same), np.concatenate(other)


def _similarity(queries: NDArray[np.float32], unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine similarities, rounded: equal embeddings tie, whatever order BLAS adds in."""
    similarity: NDArray[np.float32] = np.round(queries @ unit.T, 5)
    return similarity
