"""Every format from its published layout to a dataset that opens, through the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made_sources import SIZE, write_image

from fairmot_dla34.commands.main import main
from fairmot_dla34.datasets import READERS, Dataset

WIDTH, HEIGHT = SIZE


def text(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def mot(*names: str) -> Callable[[Path], None]:
    """MOTChallenge: two people who move for four frames."""

    def make(root: Path) -> None:
        for place, name in enumerate(names):
            folder = root / name
            for frame in range(1, 5):
                write_image(folder / "img1" / f"{frame:06d}.jpg", 10 * place + frame)
            rows = [
                f"{frame},{person},{3 * frame + 25 * person},5,12,30,1,1,1"
                for person in (0, 1)
                for frame in range(1, 5)
            ]
            text(folder / "gt" / "gt.txt", *rows)
            text(
                folder / "seqinfo.ini", "[Sequence]", f"name={folder.name}", "imDir=img1", "frameRate=14",
                "seqLength=4", f"imWidth={WIDTH}", f"imHeight={HEIGHT}", "imExt=.jpg",
            )  # fmt: skip

    return make


def mot15(root: Path) -> None:
    mot("train/TUD-Campus", "train/PETS09-S2L1")(root)
    for path in root.rglob("gt.txt"):
        rows = [[*row.split(",")[:7], "1.5", "2.5", "0"] for row in path.read_text().splitlines()]
        text(path, *(",".join(row) for row in rows))


def crowdhuman(root: Path) -> None:
    for part, count in (("train", 3), ("val", 1)):
        lines = []
        for number in range(count):
            write_image(root / "Images" / f"{part},{number}.jpg", hash_of(part, number))
            person = {
                "tag": "person",
                "fbox": [5, 5, 20, 30],
                "vbox": [5, 5, 20, 20],
                "hbox": [8, 5, 5, 5],
                "extra": {},
            }
            crowd = {"tag": "mask", "fbox": [40, 5, 20, 30], "vbox": [40, 5, 20, 30], "extra": {"ignore": 1}}
            lines.append(json.dumps({"ID": f"{part},{number}", "gtboxes": [person, crowd]}))
        text(root / f"annotation_{part}.odgt", *lines)


def citypersons(root: Path) -> None:
    for part, city in (("train", "aachen"), ("val", "bonn")):
        name = f"{city}_000001_000019"
        write_image(root / "leftImg8bit" / part / city / f"{name}_leftImg8bit.png", hash_of(part, 0))
        box = {"label": "pedestrian", "bbox": [5, 5, 12, 30], "bboxVis": [5, 5, 12, 28], "instanceId": 24000}
        content = {"imgHeight": HEIGHT, "imgWidth": WIDTH, "objects": [box]}
        text(root / "gtBboxCityPersons" / part / city / f"{name}_gtBboxCityPersons.json", json.dumps(content))


def yolo(root: Path) -> None:
    for part in ("train", "val"):
        for number in range(2):
            write_image(root / "images" / part / f"{number}.jpg", hash_of(part, number))
            text(root / "labels" / part / f"{number}.txt", "0 0.5 0.5 0.25 0.5")
    text(root / "data.yaml", "names: ['person']")


def coco(root: Path) -> None:
    for part in ("train", "val"):
        images, annotations = [], []
        for number in range(2):
            write_image(root / f"{part}2017" / f"{number}.jpg", hash_of(part, number))
            images.append({"id": number, "file_name": f"{number}.jpg", "width": WIDTH, "height": HEIGHT})
            annotations.append(
                {"id": number, "image_id": number, "category_id": 1, "bbox": [5, 5, 20, 30], "iscrowd": 0}
            )
        content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
        text(root / "annotations" / f"instances_{part}2017.json", json.dumps(content))


def labels_with_ids(root: Path) -> None:
    for number in range(4):
        write_image(root / "images" / "street" / f"{number}.jpg", number)
        text(root / "labels_with_ids" / "street" / f"{number}.txt", f"0 7 {0.3 + 0.05 * number} 0.5 0.2 0.5")


def cvat(root: Path) -> None:
    boxes = ""
    for number in range(4):
        write_image(root / "street" / "images" / f"frame_{number:06d}.png", number)
        boxes += f'<box frame="{number}" outside="0" xtl="10" ytl="5" xbr="{30 + number}" ybr="40"/>'
    text(
        root / "street" / "annotations.xml", f'<annotations><track id="0" label="person">{boxes}</track></annotations>'
    )


def label_studio(root: Path) -> None:
    for number in range(4):
        write_image(root / "images" / f"{number}.jpg", number)
    key = {"frame": 1, "enabled": True, "x": 10, "y": 10, "width": 30, "height": 50}
    region = {"type": "videorectangle", "value": {"labels": ["person"], "framesCount": 4, "sequence": [key]}}
    task = {"data": {"video": "street.mp4"}, "annotations": [{"result": [region]}]}
    text(root / "project-1.json", json.dumps([task]))


def hash_of(part: str, number: int) -> int:
    return 100 * (part == "val") + number


TREES: dict[str, Callable[[Path], None]] = {
    "mot17": mot("train/MOT17-02-DPM", "train/MOT17-04-DPM"),
    "mot20": mot("train/MOT20-01", "train/MOT20-02"),
    "mot15": mot15,
    "dancetrack": mot("train/dancetrack0001", "val/dancetrack0004"),
    "mot": mot("shop", "street"),
    "crowdhuman": crowdhuman,
    "citypersons": citypersons,
    "yolo": yolo,
    "coco": coco,
    "labels_with_ids": labels_with_ids,
    "cvat": cvat,
    "labelstudio": label_studio,
}


def test_every_format_has_a_tree_here() -> None:
    assert TREES.keys() == READERS.keys()


@pytest.mark.parametrize("name", TREES)
def test_a_published_layout_becomes_a_dataset(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TREES[name](tmp_path / "source")
    command = ["prepare", name, str(tmp_path / "source"), "--output-dir", str(tmp_path / "out"), "--preview", "2"]
    assert main([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    dataset = Dataset.open(tmp_path / "out")
    images = dataset.images("train") + dataset.images("val")
    assert report["digest"] == dataset.digest
    assert report["source"]["format"] == name
    assert sum(report["counts"][part]["images"] for part in ("train", "val")) == len(images)
    assert sum(report["counts"][part]["boxes"] for part in ("train", "val")) == sum(
        len(dataset.labels(image)) for image in images
    )
    assert len(report["previews"]) == 2
    for image in images:
        assert dataset.read_image(image).shape == (HEIGHT, WIDTH, 3)
        assert len(dataset.labels(image))
    published = name in {"dancetrack", "crowdhuman", "citypersons", "yolo", "coco"}
    assert bool(dataset.images("val")) == published
    assert all(sequence.clip_boxes == (name == "mot20") for sequence in dataset.sequences("train"))
    assert main([*command, "--val", "0.5"]) == 0
    assert Dataset.open(tmp_path / "out").images("val")


def test_a_prepared_dataset_can_be_prepared_again(tmp_path: Path) -> None:
    labels_with_ids(tmp_path / "source")
    for source, output in (("source", "first"), ("first", "second")):
        command = ["prepare", "labels_with_ids", str(tmp_path / source), "--output-dir", str(tmp_path / output)]
        assert main(command) == 0
    first, second = Dataset.open(tmp_path / "first"), Dataset.open(tmp_path / "second")
    assert [second.labels(image).boxes.tolist() for image in second.images("train")] == [
        first.labels(image).boxes.tolist() for image in first.images("train")
    ]
    assert second.images("train")[0].path.resolve() == (tmp_path / "source" / "images" / "street" / "0.jpg").resolve()
