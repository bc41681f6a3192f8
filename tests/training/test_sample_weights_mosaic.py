"""Mosaics of crops: labels stay on their people, and what the cuts hide is not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from crops.mosaic import Cell, cell_labels, draw_cells, mosaic
from numpy.typing import NDArray

from fairmot_dla34.datasets import ImageLabels

SIZE = 96
LEFT_HALF, RIGHT_HALF = Cell(0, 0, 100, 200), Cell(100, 0, 200, 200)


def labels_of(boxes: Sequence[Sequence[float]], ignored: Sequence[Sequence[float]] = ()) -> ImageLabels:
    count = len(boxes)
    areas = np.array(ignored, np.float32).reshape(-1, 4)
    return ImageLabels(np.array(boxes, np.float32), np.arange(7, 7 + count), np.arange(count), areas)


def coded_part(number: int) -> NDArray[np.uint8]:
    """Return a crop whose pixels hold their column, their row and the number of the crop."""
    image = np.full((SIZE, SIZE, 3), number, np.uint8)
    image[..., 0], image[..., 1] = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    return image


class TestCellLabels:
    def test_a_person_inside_the_cell_is_moved_with_its_crop(self) -> None:
        labels = cell_labels(labels_of([[10, 20, 30, 80]]), LEFT_HALF, (5, -10), 200)
        assert labels.boxes.tolist() == [[15, 10, 35, 70]]
        assert labels.ids.tolist() == [7]
        assert labels.ignored.tolist() == []

    def test_a_person_cut_by_a_cell_keeps_the_visible_part(self) -> None:
        labels = cell_labels(labels_of([[80, 20, 120, 80], [10, 20, 30, 80]]), LEFT_HALF, (0, 0), 200)
        assert labels.boxes.tolist() == [[80, 20, 100, 80], [10, 20, 30, 80]]
        assert (labels.ids.tolist(), labels.class_ids.tolist()) == ([7, 8], [0, 1])

    def test_a_box_reaches_beyond_the_border_of_the_mosaic(self) -> None:
        boxes = [[-10, -20, 30, 80], [90, 150, 110, 220]]
        labels = cell_labels(labels_of(boxes), LEFT_HALF, (0, 0), 200)
        assert labels.boxes.tolist() == [[-10, -20, 30, 80], [90, 150, 100, 220]]

    def test_a_person_mostly_hidden_is_an_ignored_area(self) -> None:
        labels = cell_labels(labels_of([[91, 20, 131, 80]]), LEFT_HALF, (0, 0), 200)
        assert len(labels) == 0
        assert labels.ignored.tolist() == [[91, 20, 100, 80]]

    def test_a_person_in_another_cell_leaves_no_label(self) -> None:
        labels = cell_labels(labels_of([[20, 20, 60, 80]]), RIGHT_HALF, (0, 0), 200)
        assert len(labels) == len(labels.ignored) == 0

    def test_ignored_areas_are_clipped_at_the_cell(self) -> None:
        labels = cell_labels(labels_of([[120, 0, 130, 9]], [[50, 10, 150, 20], [0, 0, 9, 9]]), RIGHT_HALF, (0, 0), 200)
        assert labels.ignored.tolist() == [[100, 10, 150, 20]]


class TestMosaic:
    @pytest.mark.parametrize("count", [2, 3, 4])
    @pytest.mark.parametrize("seed", range(4))
    def test_cells_cover_the_square_once(self, count: int, seed: int) -> None:
        covered = np.zeros((SIZE, SIZE), int)
        cells = draw_cells(count, SIZE, np.random.default_rng(seed))
        for left, top, right, bottom in cells:
            covered[top:bottom, left:right] += 1
        assert len(cells) == count
        assert (covered == 1).all()

    @pytest.mark.parametrize("seed", range(8))
    def test_labels_are_at_the_pixels_of_their_people(self, seed: int) -> None:
        box = [30, 25, 60, 70]
        parts = [(coded_part(number), labels_of([box])) for number in range(2 + seed % 3)]
        image, labels = mosaic(parts, SIZE, np.random.default_rng(seed))
        column, row = image[..., 0], image[..., 1]
        inside = (column >= box[0]) & (column < box[2]) & (row >= box[1]) & (row < box[3])
        expected: list[list[int]] = []
        hidden: list[list[int]] = []
        for number in range(len(parts)):
            rows, columns = np.nonzero(inside & (image[..., 2] == number))
            if len(rows):
                seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                (expected if len(rows) >= 0.25 * 30 * 45 else hidden).append(seen)
        assert np.clip(labels.boxes, 0, SIZE).tolist() == expected
        assert labels.ignored.tolist() == hidden
        assert set(labels.ids.tolist()) <= {7}

    def test_same_generator_state_gives_the_same_mosaic(self) -> None:
        parts = [(coded_part(number), labels_of([[30, 25, 60, 70]])) for number in range(3)]
        (first, first_labels), (second, second_labels) = (mosaic(parts, 64, np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first_labels.boxes, second_labels.boxes)

    def test_crops_without_people_are_joined(self) -> None:
        parts = [(coded_part(number), ImageLabels.empty()) for number in range(4)]
        image, labels = mosaic(parts, SIZE, np.random.default_rng(0))
        assert image.shape == (SIZE, SIZE, 3)
        assert len(labels) == 0
        assert labels.boxes.dtype == np.float32
        assert labels.ids.dtype == np.int64

    @pytest.mark.parametrize("count", [1, 5])
    def test_a_wrong_number_of_crops_is_refused(self, count: int) -> None:
        with pytest.raises(ValueError, match=f"{count} crops"):
            mosaic([(coded_part(0), ImageLabels.empty())] * count, SIZE, np.random.default_rng(0))

    def test_a_crop_that_is_too_small_is_refused(self) -> None:
        with pytest.raises(ValueError, match="96x96"):
            mosaic([(coded_part(0), ImageLabels.empty())] * 2, SIZE + 1, np.random.default_rng(0))
