"""Tests of the training targets beyond their parity with PaddleDetection: ignored areas, neighbours, many boxes."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from fairmot_dla34.config import InputSize  # noqa: E402  (after the check)
from fairmot_dla34.datasets.values import ImageLabels  # noqa: E402
from fairmot_dla34.errors import InvalidInputError  # noqa: E402
from fairmot_dla34.training.losses.targets import Targets, make_targets  # noqa: E402

SIZE = InputSize(96, 64)


def labels(boxes: list[list[float]], ignored: list[list[float]] | None = None, class_id: int = 0) -> ImageLabels:
    number = len(boxes)
    return ImageLabels(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.arange(number),
        np.full(number, class_id),
        np.array(ignored or [], np.float32).reshape(-1, 4),
    )


def targets_of(*batch: ImageLabels, neighbours: bool = False, num_classes: int = 1) -> Targets:
    return make_targets(batch, SIZE, stride=4, num_classes=num_classes, neighbours=neighbours)


def test_size_and_offset_give_the_box_back() -> None:
    box = [13.0, 9.0, 42.0, 61.0]
    targets = targets_of(labels([box]))
    corner = targets.cells[0, [2, 1]] + targets.offsets[0]
    found = torch.cat((corner - targets.sizes[0, :2], corner + targets.sizes[0, 2:])) * 4
    torch.testing.assert_close(found, torch.tensor(box))


def test_neighbours_describe_the_same_box() -> None:
    targets = targets_of(labels([[13, 9, 42, 61]]), neighbours=True)
    assert targets.centres.tolist() == [True, False, False, False, False]
    corners = targets.cells[:, [2, 1]] + targets.offsets
    torch.testing.assert_close(corners, corners[:1].expand(5, 2))
    torch.testing.assert_close(targets.sizes, targets.sizes[:1].expand(5, 4))
    assert targets.ids.tolist() == [0] * 5


def test_neighbours_are_within_the_map_and_not_the_centre_of_another() -> None:
    corner, beside = [-8.0, -8.0, 8.0, 8.0], [-4.0, -8.0, 12.0, 8.0]  # centres in cells (0, 0) and (0, 1)
    targets = targets_of(labels([corner, beside]), neighbours=True)
    assert targets.cells[:, 1:].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2]]
    assert targets.ids.tolist() == [0, 1, 0, 1, 1]


def test_only_ignored_areas_clear_the_mask() -> None:
    targets = targets_of(labels([[40, 20, 60, 60]], [[9, 7, 21, 17], [90, 60, 500, 500]]), labels([]))
    expected = np.ones((2, 16, 24), bool)
    expected[0, 1:5, 2:6] = False
    expected[0, 15:, 22:] = False
    np.testing.assert_array_equal(targets.heatmap_mask.numpy(), expected)


def test_a_person_in_an_ignored_area_counts() -> None:
    targets = targets_of(labels([[40, 20, 60, 60]], [[0, 0, 96, 64]]))
    mask = targets.heatmap_mask[0]
    torch.testing.assert_close(mask, targets.heatmap[0, 0] > 0.5)
    assert mask[10, 12]


def test_more_than_500_boxes_all_have_targets() -> None:
    boxes = np.random.default_rng(0).uniform(0, 60, (700, 2))
    targets = targets_of(labels([[x, y, x + 5, y + 4] for x, y in boxes.tolist()]))
    assert len(targets.cells) == 700


def test_boxes_without_area_have_no_target() -> None:
    targets = targets_of(labels([[5, 5, 5, 30], [5, 5, 30, 5], [30, 30, 20, 40]]))
    assert len(targets.cells) == 0
    assert not targets.heatmap.any()


def test_an_empty_batch_of_images_has_empty_targets() -> None:
    targets = targets_of(labels([]), labels([]), neighbours=True)
    assert targets.heatmap.shape == (2, 1, 16, 24)
    assert targets.cells.shape == (0, 3)
    assert targets.sizes.shape == (0, 4)
    assert targets.offsets.shape == (0, 2)
    assert targets.heatmap_mask.all()


def test_a_class_without_a_channel_is_refused() -> None:
    assert targets_of(labels([[5, 5, 30, 30]], class_id=1), num_classes=2).heatmap[0].amax(dim=(1, 2)).tolist() == [
        0,
        1,
    ]
    with pytest.raises(InvalidInputError, match="class 2; expected a class from 0 to 1"):
        targets_of(labels([[5, 5, 30, 30]], class_id=2), num_classes=2)


def test_targets_move_to_a_device() -> None:
    targets = targets_of(labels([[5, 5, 30, 30]])).to("cpu")
    assert isinstance(targets, Targets)
    assert targets.centres.dtype == torch.bool
