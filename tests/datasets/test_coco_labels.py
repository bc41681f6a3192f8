"""Reader of COCO's annotations: crowds, identities, videos, places of images and damaged files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from label_trees import boxes_of, counts, images_of, read, write_image, write_json

from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError

CATEGORIES = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]


def entry(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": 64, "height": 48, **more}


def item(image: int, box: list[float] | None = None, category: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": box or [10, 5, 20, 30], "iscrowd": 0, **more}


def content(images: list[Any], annotations: list[Any], **more: Any) -> dict[str, Any]:
    return {"images": images, "annotations": annotations, "categories": CATEGORIES, **more}


def test_people_crowds_and_other_classes(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write_image(tmp_path / f"{part}2017" / "000000000001.jpg")
        annotations = [
            item(1), item(1, [1, 1, 9, 9], iscrowd=1), item(1, [1, 1, 9, 9], 3), item(1, [1, 1, 0, 5]),
            item(1, [2, 2, 9, 9], ignore=1),
        ]  # fmt: skip
        write_json(
            tmp_path / f"annotations/instances_{part}2017.json",
            content([entry(1, "000000000001.jpg")], annotations),
        )
        write_json(tmp_path / f"annotations/captions_{part}2017.json", {"images": []})
    report = DropReport()
    sequences = read("coco", tmp_path, report)
    assert [(item.name, item.part, item.is_video) for item in sequences] == [
        ("train2017", "train", False), ("val2017", "val", False),
    ]  # fmt: skip
    image = images_of(sequences)[0]
    assert image.labels.boxes.tolist() == [[10, 5, 30, 35]]
    assert image.labels.ignored.tolist() == [[1, 1, 10, 10], [2, 2, 11, 11]]
    assert counts(report) == {
        "areas marked as to be ignored": 4, "boxes of other classes": 2, "boxes without area": 2,
    }  # fmt: skip


def test_images_without_people_are_kept_and_classes_can_be_named(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpeg"):
        write_image(tmp_path / "images" / name)
    write_json(
        tmp_path / "labels.json", content([entry(1, "a.jpg"), entry(2, "b.jpeg")], [item(1), item(1, category=3)])
    )
    assert [len(image.labels) for image in images_of(read("coco", tmp_path))] == [1, 0]
    (sequence,) = read("coco", tmp_path, classes=("car", "person"))
    assert sequence.classes == ("car", "person")
    assert sequence.images[0].labels.class_ids.tolist() == [1, 0]


@pytest.mark.parametrize("place", ["track_id", "instance_id", "attributes"])
def test_identities(tmp_path: Path, place: str) -> None:
    for number in (1, 2):
        write_image(tmp_path / f"{number}.jpg")
    given: dict[str, Any] = {"attributes": {"track_id": "7"}} if place == "attributes" else {place: 7}
    write_json(
        tmp_path / "a.json", content([entry(n, f"{n}.jpg") for n in (1, 2)], [item(1, **given), item(2, **given)])
    )
    (sequence,) = read("coco", tmp_path)
    assert sequence.is_video
    assert [image.labels.ids.tolist() for image in sequence.images] == [[7], [7]]
    assert images_of(read("coco", tmp_path, use_ids=False))[0].labels.ids.tolist() == [-1]


def test_videos_as_trackers_store_them(tmp_path: Path) -> None:
    images = []
    for video, name in ((1, "MOT17-02-FRCNN"), (2, "MOT17-04-FRCNN")):
        for frame in (2, 1):
            file = f"{name}/img1/00000{frame}.jpg"
            write_image(tmp_path / "train" / file)
            images.append(entry(10 * video + frame, file, video_id=video, frame_id=frame))
    videos = [{"id": 1, "file_name": "MOT17-02-FRCNN", "fps": 14}, {"id": 2, "name": "a/MOT17-04-FRCNN"}]
    write_json(tmp_path / "annotations/train.json", content(images, [item(11, track_id=3)], videos=videos))
    first, second = read("coco", tmp_path)
    assert (first.name, second.name, first.frame_rate, second.frame_rate) == (
        "MOT17-02-FRCNN", "MOT17-04-FRCNN", 14, 30,
    )  # fmt: skip
    assert first.is_video
    assert [image.path.stem for image in first.images] == ["000001", "000002"]


def test_exports_of_roboflow_and_one_file(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        write_image(tmp_path / part / "a.jpg")
        write_json(tmp_path / part / "_annotations.coco.json", content([entry(0, "a.jpg")], [item(0)]))
    report = DropReport()
    assert {sequence.name: sequence.part for sequence in read("coco", tmp_path, report)} == {
        "train": "train", "valid": "val",
    }  # fmt: skip
    assert counts(report) == {"files of annotations of the published test part": 1}
    assert len(read("coco", tmp_path / "train" / "_annotations.coco.json")) == 1


def test_labels_of_the_image_before_its_rotation(tmp_path: Path) -> None:
    """The size that the labels state decides; the file is shown as 48x64."""
    write_image(tmp_path / "a.jpg", orientation=6)
    write_json(tmp_path / "a.json", content([entry(1, "a.jpg")], [item(1, [40, 10, 20, 30])]))
    assert boxes_of(read("coco", tmp_path)) == [[[8, 40, 38, 60]]]
    write_json(tmp_path / "a.json", content([entry(1, "a.jpg", width=48, height=64)], [item(1, [4, 10, 20, 30])]))
    assert boxes_of(read("coco", tmp_path)) == [[[4, 10, 24, 40]]]
    write_json(tmp_path / "a.json", content([entry(1, "a.jpg", width=640, height=480)], [item(1)]))
    with pytest.raises(DatasetError, match="640x480 px in the labels, and 48x64"):
        read("coco", tmp_path)


def test_names_in_another_case_and_with_backslashes(tmp_path: Path) -> None:
    write_image(tmp_path / "Images" / "A.JPG")
    write_json(tmp_path / "a.json", content([entry(1, "images\\a.jpg")], [item(1)]))
    assert len(images_of(read("coco", tmp_path))) == 1


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/etc/passwd", "x/../../a.jpg", "C:\\a.jpg", "..\\a.jpg", "a\0.jpg", "//a/b"]
)
def test_names_outside_the_root_are_refused(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "a.jpg")
    write_json(tmp_path / "root" / "a.json", content([entry(1, name)], [item(1)]))
    with pytest.raises(DatasetError, match="relative path to a file below"):
        read("coco", tmp_path / "root")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 5}, "images is 5; expected a list"),
        ({"annotations": [1]}, "expected a list of objects"),
        ({"categories": []}, "no categories"),
        ({"categories": [{"id": "1", "name": "person"}]}, "new id and a name"),
        ({"images": [{"id": 1}]}, "expected an id and a file_name"),
        ({"images": [entry(1, "a.jpg"), entry(1, "b.jpg")]}, "id 1 is there twice"),
        ({"images": [entry(1, "a.jpg"), entry(2, "a.jpg")]}, "file_name a.jpg is there twice"),
        ({"annotations": [item(9)]}, r"annotations\[0\]: image_id 9"),
        ({"annotations": [{**item(1), "image_id": [1]}]}, "image_id"),
        ({"annotations": [item(1, category=77)]}, "category_id 77"),
        ({"annotations": [{**item(1), "bbox": None}]}, "box None"),
        ({"annotations": [item(1, [1, 2, float("nan"), 4])]}, "box"),
        ({"annotations": [item(1, [1, 2, -3, 4])]}, "no negative size"),
        ({"annotations": [item(1, [10**400, 2, 3, 4])]}, "box"),
        ({"annotations": [item(1, track_id=1.5)]}, "track_id 1.5"),
        ({"annotations": [item(1, track_id=10**20)]}, "track_id"),
        ({"annotations": [item(1, track_id=True)]}, "track_id True"),
        ({"images": [entry(1, "absent.jpg")]}, "labels 1 images, and none is below"),
        ({"annotations": []}, "no box to train on"),
    ],
)
def test_damage_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_image(tmp_path / name)
    write_json(tmp_path / "a.json", {**content([entry(1, "a.jpg")], [item(1)]), **change})
    with pytest.raises(DatasetError, match=message):
        read("coco", tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"images": [], "annotations": [], "categories": [}', "\ufeff" + "[" * 200_000]
)
def test_files_that_are_not_annotations(tmp_path: Path, text: str) -> None:
    (tmp_path / "instances_train.json").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"instances_train.json"):
        read("coco", tmp_path)


def test_a_missing_image_is_counted(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg")
    write_json(tmp_path / "a.json", content([entry(1, "a.jpg"), entry(2, "b.jpg")], [item(1), item(2)]))
    report = DropReport()
    assert len(images_of(read("coco", tmp_path, report))) == 1
    assert counts(report) == {"labelled images that are missing": 1}
