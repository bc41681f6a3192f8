"""Learned distributions of cosine distances: informative embeddings are trusted, others change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.association.appearance import AppearanceModel
from fairmot_dla34.association.candidates import unit_rows

FloatArray = NDArray[np.float32]


def learned(noise: float, likeness: float = 0.0, people: int = 8, frames: int = 100) -> AppearanceModel:
    """Return a model that saw people whose embeddings have some noise and a part that all share."""
    rng = np.random.default_rng(0)
    looks = rng.normal(size=(people, 64)) / 8
    looks = (1 - likeness) ** 0.5 * looks + likeness**0.5 * rng.normal(size=64) / 8
    model = AppearanceModel()
    for _ in range(frames):
        seen = [unit_rows((looks + rng.normal(0, noise / 8, looks.shape)).astype(np.float32)) for _ in range(2)]
        model.add(*seen)
    return model


def distances(*values: float) -> FloatArray:
    return np.array([values], np.float32)


@pytest.mark.parametrize("likeness", [0.0, 0.6])
def test_good_embeddings_tell_people_apart(likeness: float) -> None:
    model = learned(noise=0.3, likeness=likeness)
    near, far = model.same.mean, model.different.mean
    same, middle, different = model.probability(distances(near, (near + far) / 2, far))[0]
    assert same > 0.97
    assert different < 0.03
    assert different <= middle <= same


def test_useless_embeddings_change_nothing() -> None:
    probability = learned(noise=30.0).probability(distances(0.0, 0.3, 0.9, 1.5))
    assert np.abs(probability - 0.5).max() < 0.15


def test_the_probability_falls_with_the_distance() -> None:
    probability = learned(noise=0.7).probability(np.linspace(0, 2, 50, dtype=np.float32)[None])[0]
    assert (np.diff(probability) <= 1e-6).all()


def test_an_unknown_embedding_says_nothing() -> None:
    model = learned(noise=0.3)
    assert model.probability(distances(np.inf))[0, 0] == 0.5
    before = (model.same.mean, model.different.mean)
    zeros = np.zeros((3, 64), np.float32)
    model.add(zeros, zeros)
    assert (model.same.mean, model.different.mean) == before


def test_one_person_alone_shows_no_difference_between_people() -> None:
    model = AppearanceModel()
    before = model.different.mean
    look = unit_rows(np.ones((1, 64), np.float32))
    for _ in range(200):
        model.add(look, look)
    assert model.different.mean == before
    assert model.same.mean < 0.01


def test_identical_embeddings_of_all_people_are_finite() -> None:
    model = AppearanceModel()
    look = unit_rows(np.ones((5, 64), np.float32))
    for _ in range(500):
        model.add(look, look)
    assert np.isfinite(model.probability(distances(0.0, 1e-6, 1.0, 2.0))).all()
