"""Reader of CityPersons: the published JSON files, and JDE's version of the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from label_trees import counts, images_of, read, write_image, write_json, write_text

from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError

STEM = "aachen_000000_000019"


def item(label: str, box: list[int], visible: list[int] | None = None) -> dict[str, Any]:
    return {"instanceId": 24000, "label": label, "bbox": box, "bboxVis": visible or box}


def tree(root: Path, *items: dict[str, Any], part: str = "train", city: str = "aachen", stem: str = STEM) -> Path:
    labels = root / "gtBbox_cityPersons_trainval" / "gtBboxCityPersons" / part / city
    write_image(root / "leftImg8bit_trainvaltest" / "leftImg8bit" / part / city / f"{stem}_leftImg8bit.png")
    return write_json(
        labels / f"{stem}_gtBboxCityPersons.json", {"imgHeight": 48, "imgWidth": 64, "objects": list(items)}
    )


def test_pedestrians_are_boxes_and_the_rest_is_ignored(tmp_path: Path) -> None:
    tree(
        tmp_path, item("pedestrian", [10, 5, 10, 30]), item("rider", [1, 1, 9, 9]), item("ignore", [2, 2, 9, 9]),
        item("person group", [3, 3, 9, 9]), item("sitting person", [4, 4, 9, 9]), item("person (other)", [5, 5, 9, 9]),
        item("pedestrian", [30, 5, 10, 30], [30, 5, 2, 5]),
    )  # fmt: skip
    tree(tmp_path, part="val", city="munster", stem="munster_000000_000019")
    report = DropReport()
    sequences = read("citypersons", tmp_path, report)
    assert [(sequence.name, sequence.part, sequence.classes) for sequence in sequences] == [
        ("train", "train", ("person",)), ("val", "val", ("person",)),
    ]  # fmt: skip
    first, second = images_of(sequences)
    assert first.labels.boxes.tolist() == [[10, 5, 20, 35]]
    assert first.labels.ids.tolist() == [-1]
    assert len(first.labels.ignored) == sum(counts(report).values()) == 6
    assert len(second.labels) == 0, "images without people are kept"


def test_other_classes_can_be_named(tmp_path: Path) -> None:
    tree(tmp_path, item("pedestrian", [10, 5, 10, 30]), item("rider", [1, 1, 9, 9]))
    (sequence,) = read("citypersons", tmp_path, classes=("rider", "pedestrian"))
    assert sequence.classes == ("rider", "pedestrian")
    assert sequence.images[0].labels.class_ids.tolist() == [1, 0]


def test_the_version_of_jde(tmp_path: Path) -> None:
    root = tmp_path / "Citypersons"
    write_image(root / "images/train/aachen/aachen_1.png")
    write_text(root / "labels_with_ids/train/aachen/aachen_1.txt", "0 -1 0.5 0.5 0.25 0.5")
    (sequence,) = read("citypersons", root)
    assert (sequence.name, sequence.part) == ("aachen", "train")
    assert sequence.images[0].labels.boxes.tolist() == [[24, 12, 40, 36]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected an object"),
        ({"objects": 5}, "expected a list"),
        ({}, "expected a list"),
        ({"objects": [{"label": "dog", "bbox": [1, 1, 2, 2]}]}, "label 'dog'"),
        ({"objects": [{"label": "rider"}]}, "box None"),
    ],
)
def test_damaged_labels_are_named(tmp_path: Path, content: Any, message: str) -> None:
    path = tree(tmp_path)
    write_json(path, content)
    with pytest.raises(DatasetError, match=message) as caught:
        read("citypersons", tmp_path)
    assert path.name in str(caught.value)


def test_missing_parts(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder gtBboxCityPersons"):
        read("citypersons", tmp_path)
    path = tree(tmp_path, item("pedestrian", [10, 5, 10, 30]))
    for image in tmp_path.rglob("*.png"):
        image.unlink()
    with pytest.raises(DatasetError, match="labels 1 images, and none is in"):
        read("citypersons", tmp_path)
    assert path.exists()
