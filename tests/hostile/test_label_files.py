"""Hostile training data: damaged label files of every format give valid labels or one error of the package."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from damage import damaged
from label_trees import images_of, mot_sequence, read, write_image, write_json, write_text
from trials import Trials

from fairmot_dla34.errors import DatasetError


def mot(root: Path) -> Path:
    return mot_sequence(root / "a", *(f"{frame},{frame},10,5,20,30,1,1,1" for frame in (1, 2, 3))) / "gt" / "gt.txt"


def seqinfo(root: Path) -> Path:
    mot(root)
    return root / "a" / "seqinfo.ini"


def crowdhuman(root: Path) -> Path:
    write_image(root / "Images" / "a.jpg", orientation=6)
    box = '{"tag": "person", "fbox": [1, 2, 9, 9], "vbox": [1, 2, 9, 9], "extra": {"ignore": 0}}'
    return write_text(root / "annotation_train.odgt", f'{{"ID": "a", "gtboxes": [{box}, {box}]}}')


def citypersons(root: Path) -> Path:
    write_image(root / "leftImg8bit/train/aachen/a_leftImg8bit.png")
    content = {"objects": [{"label": "pedestrian", "bbox": [1, 2, 9, 9], "bboxVis": [1, 2, 9, 9]}]}
    return write_json(root / "gtBboxCityPersons/train/aachen/a_gtBboxCityPersons.json", content)


def yolo(root: Path) -> Path:
    write_image(root / "images" / "a.jpg")
    return write_text(root / "labels" / "a.txt", "0 0.5 0.5 0.25 0.5", "0 0.5 0.5 0.25 0.5 7")


def yaml(root: Path) -> Path:
    yolo(root)
    return write_text(root / "data.yaml", "train: images/train", "names:", "  0: 'person'", '  1: "car"', "nc: 2")


def labels_with_ids(root: Path) -> Path:
    write_image(root / "images" / "a.jpg")
    return write_text(root / "labels_with_ids" / "a.txt", "0 3 0.5 0.5 0.25 0.5", "0 -1 0.5 0.5 0.25 0.5")


def image_list(root: Path) -> Path:
    labels_with_ids(root)
    return write_text(root / "x.train", "images/a.jpg")


def coco(root: Path) -> Path:
    write_image(root / "a.jpg")
    return write_json(
        root / "instances_train.json",
        {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48, "video_id": 1, "frame_id": 1}],
            "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 9, 9], "iscrowd": 0, "track_id": 7}],
            "categories": [{"id": 1, "name": "person"}],
            "videos": [{"id": 1, "name": "street", "fps": 10}],
        },
    )


def cvat(root: Path) -> Path:
    for number in range(3):
        write_image(root / "images" / f"frame_{number:06d}.jpg")
    boxes = "".join(f'<box frame="{n}" outside="{n // 2}" xtl="1" ytl="2" xbr="9" ybr="9"/>' for n in range(3))
    meta = "<meta><task><labels><label><name>person</name></label></labels><start_frame>0</start_frame></task></meta>"
    return write_text(
        root / "annotations.xml", "<annotations>", meta, f'<track id="3" label="person">{boxes}</track></annotations>'
    )


def label_studio(root: Path) -> Path:
    write_image(root / "images" / "1.jpg")
    write_image(root / "images" / "2.jpg")
    keys = [{"frame": n, "enabled": n == 1, "x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0} for n in (1, 2)]
    value = {"framesCount": 2, "duration": 0.08, "labels": ["person"], "sequence": keys}
    result = [{"type": "videorectangle", "value": value}]
    return write_json(root / "a.json", [{"data": {"video": "a.mp4"}, "annotations": [{"result": result}]}])


def check(condition: object) -> None:
    assert condition


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("mot17", mot), ("mot", seqinfo), ("crowdhuman", crowdhuman), ("citypersons", citypersons), ("yolo", yolo),
        ("yolo", yaml), ("labels_with_ids", labels_with_ids), ("labels_with_ids", image_list), ("coco", coco),
        ("cvat", cvat), ("labelstudio", label_studio),
    ],
)  # fmt: skip
def test_damaged_label_files(name: str, make: Callable[[Path], Path], tmp_path: Path, trials: Trials) -> None:
    path = make(tmp_path)
    whole = path.read_bytes()
    rng = random.Random(make.__name__)  # noqa: S311 (not for secrets)
    for number in range(150):
        path.write_bytes(damaged(whole, rng))
        with trials("training labels, damaged", f"{name} {number}: {path.read_bytes()!r}"):
            try:
                images = images_of(read(name, tmp_path))
            except DatasetError as error:
                check(len(str(error).splitlines()) == 1)
                continue
            for image in images:
                labels = image.labels
                check(image.path.resolve().is_relative_to(tmp_path.resolve()))
                check(np.isfinite(labels.boxes).all())
                check((labels.boxes[:, 2:] > labels.boxes[:, :2]).all())
                check((labels.ids >= -1).all())
                check((labels.class_ids == 0).all())
                check(len(labels.boxes) == len(labels.ids) == len(labels.class_ids))
