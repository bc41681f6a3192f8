"""Reader of CrowdHuman: tags, ignored boxes, visible parts, rotated images and damaged records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from label_trees import boxes_of, counts, images_of, read, write_image, write_text

from fairmot_dla34.datasets import NO_IDENTITY
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError

NAME = "273271,c9db000d5146c15"  # as published: a comma, no suffix


def person(box: list[float], visible: list[float] | None = None, tag: str = "person", **extra: int) -> dict[str, Any]:
    return {
        "fbox": box, "tag": tag, "hbox": [1, 1, 2, 2], "extra": {"box_id": 0, "occ": 0, **extra},
        "vbox": visible or box, "head_attr": {"ignore": 0, "occ": 0, "unsure": 0},
    }  # fmt: skip


def record(*boxes: dict[str, Any], name: str = NAME) -> str:
    return json.dumps({"ID": name, "gtboxes": list(boxes)})


def tree(root: Path, *lines: str, part: str = "train", orientation: int | None = None) -> Path:
    write_image(root / "Images" / f"{NAME}.jpg", orientation=orientation)
    write_text(root / f"annotation_{part}.odgt", *lines)
    return root


def test_people_masks_and_ignored_boxes(tmp_path: Path) -> None:
    tree(
        tmp_path,
        record(
            person([-5, 5, 20, 40]), person([1, 1, 9, 9], ignore=1), person([2, 2, 9, 9], tag="mask", ignore=1),
            person([3, 3, 10, 10], [3, 3, 2, 2]), person([4, 4, 10, 10], ignore=0, unsure=1),
        ),
    )  # fmt: skip
    report = DropReport()
    (sequence,) = read("crowdhuman", tmp_path, report)
    (image,) = sequence.images
    assert (sequence.name, sequence.part, sequence.is_video) == ("train", "train", False)
    assert image.labels.boxes.tolist() == [[-5, 5, 15, 45], [4, 4, 14, 14]], "full boxes, also outside the image"
    assert image.labels.ids.tolist() == [NO_IDENTITY] * 2
    assert image.labels.ignored.tolist() == [[1, 1, 10, 10], [2, 2, 11, 11], [3, 3, 13, 13]]
    assert counts(report) == {
        "areas marked as to be ignored": 2, "people less visible than the minimum, now ignored areas": 1,
    }  # fmt: skip


def test_published_parts_and_images_of_fairmot(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_image(tmp_path / "images" / part / f"{part}.jpg")
        write_text(tmp_path / f"annotation_{part}.odgt", record(person([1, 1, 9, 9]), name=part))
    assert {sequence.name: sequence.part for sequence in read("crowdhuman", tmp_path)} == {
        "train": "train", "val": "val",
    }  # fmt: skip


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_labels_of_the_image_as_it_is_shown(tmp_path: Path, orientation: int) -> None:
    tree(tmp_path, record(person([1, 1, 40, 46])), orientation=orientation)
    sequences = read("crowdhuman", tmp_path)
    assert boxes_of(sequences) == [[[1, 1, 41, 47]]]
    size = (48, 64) if orientation in {6, 8} else (64, 48)
    assert [(image.width, image.height) for image in images_of(sequences)] == [size]


def test_labels_of_the_stored_image_are_rotated_too(tmp_path: Path) -> None:
    """Only the stored image, 64 px wide, has room for the visible part."""
    tree(tmp_path, record(person([40, 10, 20, 30]), person([1, 2, 3, 4], ignore=1)), orientation=6)
    report = DropReport()
    (image,) = images_of(read("crowdhuman", tmp_path, report))
    assert image.labels.boxes.tolist() == [[8, 40, 38, 60]]
    assert image.labels.ignored.tolist() == [[42, 1, 46, 4]]
    assert any("EXIF" in reason for reason in counts(report))


def test_images_without_people_are_kept(tmp_path: Path) -> None:
    write_image(tmp_path / "Images" / "b.JPG")
    tree(tmp_path, record(person([1, 1, 9, 9])), record(name="b"))
    assert [len(image.labels) for image in images_of(read("crowdhuman", tmp_path))] == [1, 0]


def test_missing_images_are_counted_and_an_error_if_all_are(tmp_path: Path) -> None:
    tree(tmp_path, record(person([1, 1, 9, 9])), record(name="absent"))
    report = DropReport()
    assert len(images_of(read("crowdhuman", tmp_path, report))) == 1
    assert counts(report) == {"labelled images that are missing": 1}
    (tmp_path / "Images" / f"{NAME}.jpg").unlink()
    with pytest.raises(DatasetError, match="labels 2 images, and none is below"):
        read("crowdhuman", tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "expected one JSON object per line"),
        ("[" * 100_000, "not JSON"),
        ('{"ID": 5, "gtboxes": []}', "ID is 5"),
        ('{"ID": "", "gtboxes": []}', "ID is ''"),
        ('{"ID": "../Images/x", "gtboxes": []}', "relative path"),
        ('{"ID": "/etc/passwd", "gtboxes": []}', "relative path"),
        (f'{{"ID": "{NAME}2"}}', "missing"),
        (f'{{"ID": "{NAME}", "gtboxes": []}}', "already in line 1"),
        ('{"ID": "b", "gtboxes": 3}', "expected a list of objects"),
        ('{"ID": "b", "gtboxes": [{"tag": "person", "fbox": [1, 2, 3]}]}', "box"),
        ('{"ID": "b", "gtboxes": [{"tag": "person", "fbox": [1, 2, NaN, 4]}]}', "box"),
        ('{"ID": "b", "gtboxes": [{"tag": "person", "fbox": [1, 2, -3, 4]}]}', "no negative size"),
        ('{"ID": "b", "gtboxes": [{"tag": "person", "fbox": [1, 2, 1e99, 4]}]}', "none beyond"),
        ('{"ID": "b", "gtboxes": [{"tag": "person", "fbox": "1234"}]}', "box"),
        (f'{{"ID": "b", "gtboxes": [{{"tag": "person", "fbox": [1{"0" * 5000}, 2, 3, 4]}}]}}', "not JSON"),
    ],
)
def test_a_damaged_record_is_named(tmp_path: Path, line: str, message: str) -> None:
    write_image(tmp_path / "Images" / "b.jpg")
    tree(tmp_path, record(person([1, 1, 9, 9])), line)
    if message == "missing":
        report = DropReport()
        read("crowdhuman", tmp_path, report)
        assert "labelled images that are missing" in counts(report)
        return
    with pytest.raises(DatasetError, match=message) as caught:
        read("crowdhuman", tmp_path)
    assert "line 2" in str(caught.value) or "relative path" in message


def test_no_annotations_and_another_class(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no file ending in .odgt"):
        read("crowdhuman", tmp_path)
    tree(tmp_path, record(person([1, 1, 9, 9])))
    with pytest.raises(DatasetError, match="no class 'car'"):
        read("crowdhuman", tmp_path, classes=("car",))
