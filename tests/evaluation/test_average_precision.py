"""Average precision: matching rules, ignored areas, and equality with pycocotools."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.evaluation.average_precision import AveragePrecision, lies_in, match_detections

Boxes = NDArray[np.float32]


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


PERSON = (10, 10, 30, 70)


def test_the_best_detection_of_a_person_is_right_and_the_second_wrong() -> None:
    matches = match_detections(boxes(PERSON, (11, 10, 31, 70)), scores(0.5, 0.9), boxes(PERSON))
    assert matches.scores.tolist() == pytest.approx([0.9, 0.5])
    assert matches.right.tolist() == [True, False]
    assert matches.people == 1


def test_any_number_of_detections_in_an_ignored_area_is_left_out() -> None:
    crowd = boxes((100, 0, 200, 100))
    found = boxes((110, 10, 120, 40), (150, 10, 160, 40), (190, 10, 215, 40), PERSON)
    matches = match_detections(found, scores(0.9, 0.8, 0.7, 0.6), boxes(PERSON), crowd)
    assert matches.right.tolist() == [False, True], "the third box lies outside by more than half"
    assert lies_in(found, crowd).tolist() == [True, True, False, False]


def test_a_person_in_an_ignored_area_is_found_as_any_other() -> None:
    matches = match_detections(boxes(PERSON, PERSON), scores(0.9, 0.8), boxes(PERSON), boxes((0, 0, 100, 100)))
    assert matches.right.tolist() == [True], "the second detection is left out"


def test_small_people_and_small_detections_do_not_count() -> None:
    tiny = (0, 0, 5, 5)
    matches = match_detections(
        boxes(tiny, (50, 50, 55, 55), PERSON), scores(0.9, 0.8, 0.7), boxes(tiny, PERSON), min_area=100
    )
    assert (matches.right.tolist(), matches.people) == ([True], 1)


def test_the_value_is_the_area_under_the_envelope() -> None:
    """Right, wrong, right of three people: precision 1 up to a recall of 1/3, 2/3 up to 2/3."""
    found = AveragePrecision()
    found.add(match_detections(boxes(PERSON, (200, 0, 220, 60)), scores(0.9, 0.8), boxes(PERSON, (60, 0, 80, 60))))
    found.add(match_detections(boxes(PERSON), scores(0.7), boxes(PERSON)))
    assert found.value() == pytest.approx(100 * (1 + 2 / 3) / 3)
    assert found.recall_and_precision(0.75) == pytest.approx((100 / 3, 50))
    assert (found.images, found.people) == (2, 3)


def test_without_people_the_value_is_undefined_and_without_detections_it_is_0() -> None:
    nobody, nothing = AveragePrecision(), AveragePrecision()
    assert nobody.value() is None
    nobody.add(match_detections(boxes(PERSON), scores(0.9), boxes()))
    nothing.add(match_detections(boxes(), scores(), boxes(PERSON)))
    assert nobody.value() is None
    assert nothing.value() == 0
    assert nothing.recall_and_precision(0.5) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("min_area", [0.0, 1500.0])
def test_equal_to_pycocotools(seed: int, min_area: float) -> None:
    """With a recall threshold at each person, COCO's interpolated mean is the all-point area."""
    pytest.importorskip("pycocotools")
    rng = np.random.default_rng(seed)
    images = [_random_image(rng) for _ in range(12)]
    found = AveragePrecision()
    for image in images:
        found.add(match_detections(*image, min_area=min_area))
    assert found.people > 10
    assert found.value() == pytest.approx(_pycocotools(images, found.people, min_area), abs=1e-9)


def _random_image(rng: np.random.Generator) -> tuple[Boxes, NDArray[np.float32], Boxes, Boxes]:
    """Return detections, scores, people and ignored areas: noisy copies of people, and boxes anywhere."""

    def anywhere(count: int, size: float) -> Boxes:
        corner, side = rng.uniform(0, 200, (count, 2)), rng.uniform(0.2 * size, size, (count, 2))
        return np.concatenate([corner, corner + side], axis=1).astype(np.float32)

    people = anywhere(int(rng.integers(0, 8)), 80)
    noisy = np.repeat(people, 2, axis=0) + rng.normal(0, 4, (2 * len(people), 4))
    detections = np.concatenate([noisy, anywhere(int(rng.integers(0, 10)), 60)]).astype(np.float32)
    return detections, rng.random(len(detections)).round(1).astype(np.float32), people, anywhere(2, 90)


def _pycocotools(images: list[tuple[Boxes, NDArray[np.float32], Boxes, Boxes]], people: int, min_area: float) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def tlwh(box: NDArray[np.float64]) -> list[float]:
        return [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]

    truth: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    for number, (found, of_found, boxes_, areas) in enumerate(images, start=1):
        for crowd, rows in enumerate((boxes_, areas)):
            for box in rows.astype(np.float64):
                left, top, width, height = tlwh(box)
                row = {"id": len(truth) + 1, "image_id": number, "category_id": 1, "iscrowd": crowd}
                truth.append(row | {"bbox": [left, top, width, height], "area": width * height})
        for box, score in zip(found.astype(np.float64), of_found.tolist(), strict=True):
            results.append({"image_id": number, "category_id": 1, "bbox": tlwh(box), "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(1, len(images) + 1)],
            "annotations": truth,
            "categories": [{"id": 1, "name": "person"}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.recThrs = np.arange(1, people + 1) / people
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[min_area, 1e10]], ["all"]
        evaluation.params.maxDets = [500]
        evaluation.evaluate()
        evaluation.accumulate()
    return 100 * float(np.mean(evaluation.eval["precision"][0, :, 0, 0, 0]))
