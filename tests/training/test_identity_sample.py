"""The sample of images for identity figures, and the cells of labelled people."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from labelled_images import labels_of

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets.prepared.dataset import DatasetImage
from fairmot_dla34.training.validation.identity_sample import _cells, spread_sample

pytestmark = pytest.mark.train


def test_a_small_set_is_used_whole() -> None:
    assert spread_sample([3, 0, 2], 16) == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)]


def test_of_many_sequences_some_are_left_out_and_the_others_keep_several_images() -> None:
    sample = spread_sample([100] * 50, 16)
    assert [sequence for sequence, _ in sample] == [0] * 8 + [25] * 8
    assert [position for _, position in sample[:3]] == [0, 12, 25]


def test_of_many_short_sequences_more_are_used() -> None:
    assert len(spread_sample([2] * 50, 16)) == 16


def test_a_short_sequence_leaves_its_share_to_the_next() -> None:
    assert [sequence for sequence, _ in spread_sample([2, 100], 16)] == [0] * 2 + [1] * 14


def test_cells_are_those_of_the_centres_within_the_image() -> None:
    """A 200x100 image in 320x192: 1.6 network px per image px, 16 px of padding above."""
    boxes = [(0, 0, 10, 10), (190, 90, 209, 109), (195, 95, 215, 115), (50, 20, 70, 60)]
    labels = labels_of(boxes, [3, 4, 5, -1])
    image = DatasetImage(Path("a"), Path("a"), None, 200, 100, "s", 0)
    cells, ids = _cells(labels, image, InputSize(320, 192), 4)
    assert ids.tolist() == [3, 4]
    assert cells.tolist() == [[0, 6, 2], [0, 43, 79]]
