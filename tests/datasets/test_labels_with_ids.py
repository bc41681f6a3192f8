"""Reader of FairMOT's and JDE's format: trees, lists of images, identities and missing files."""

from __future__ import annotations

from pathlib import Path

import pytest
from label_trees import boxes_of, counts, images_of, read, write_image, write_text

from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError

BOX = [24.0, 12.0, 40.0, 36.0]


def line(identity: int = 3, class_id: int = 0) -> str:
    return f"{class_id} {identity} 0.5 0.5 0.25 0.5"


def image(root: Path, name: str, *lines: str) -> Path:
    write_text((root / "labels_with_ids" / name).with_suffix(".txt"), *lines)
    return write_image(root / "images" / name)


def test_the_tree_of_fairmot(tmp_path: Path) -> None:
    """Of MOT17's copies one is used, although labels exist for all of them."""
    root = tmp_path / "images" / "MOT17"
    for copy in ("DPM", "SDP"):
        for number in (1, 2, 3):
            image(root, f"train/MOT17-02-{copy}/img1/00000{number}.jpg", line())
        write_text(root / f"images/train/MOT17-02-{copy}/seqinfo.ini", "[Sequence]", "frameRate=14")
    (sequence,) = read("labels_with_ids", root)
    assert (sequence.name, sequence.part, sequence.is_video, sequence.frame_rate) == ("MOT17-02", "train", True, 14)
    assert boxes_of([sequence]) == [[BOX]] * 3
    assert {item.path.parent.parent.name for item in sequence.images} == {"MOT17-02-SDP"}


def test_the_trees_of_jde(tmp_path: Path) -> None:
    """CUHK-SYSU is flat; ETHZ has several trees, one below the other's root."""
    image(tmp_path / "CUHK-SYSU", "s1.jpg", line(5), line(-1))
    image(tmp_path / "CUHK-SYSU", "s2.jpg", line(6))
    (sequence,) = read("labels_with_ids", tmp_path / "CUHK-SYSU")
    assert not sequence.is_video
    assert [item.labels.ids.tolist() for item in sequence.images] == [[5, -1], [6]]
    for place in ("eth01", "eth02"):
        image(tmp_path / "ETHZ" / place, "00000000.png", line())
    report = DropReport()
    assert [item.name for item in read("labels_with_ids", tmp_path / "ETHZ", report)] == ["eth01", "eth02"]
    assert counts(report) == {"identities whose number is in several folders, taken as different people": 1}


@pytest.mark.parametrize("prefix", ["", "DATA/", "absolute"])
def test_lists_of_images(tmp_path: Path, prefix: str) -> None:
    root = tmp_path / "DATA"
    paths = [image(root, f"a/{number}.jpg", line()) for number in (1, 2, 3, 10)]
    if prefix == "absolute":
        prefix = f"{root}/"
    write_text(root / "mot17.train", *(f"{prefix}images/a/{number}.jpg" for number in (10, 1)))
    write_text(root / "mot17.val", f"{prefix}images/a/3.jpg", "")
    report = DropReport()
    sequences = read("labels_with_ids", root, report)
    assert [(item.name, item.part) for item in sequences] == [("a", "train"), ("a-val", "val")]
    assert [item.path for item in images_of(sequences)] == [paths[0], paths[3], paths[2]], "in the order of time"
    assert counts(report)["images that are in no list of images"] == 1


def test_lists_with_a_missing_image_or_one_in_both(tmp_path: Path) -> None:
    image(tmp_path, "a.jpg", line())
    write_text(tmp_path / "train.txt", "images/a.jpg", "images/b.jpg")
    with pytest.raises(DatasetError, match=r"train.txt, line 2: images/b.jpg does not exist"):
        read("labels_with_ids", tmp_path)
    write_text(tmp_path / "train.txt", "images/a.jpg")
    write_text(tmp_path / "val.txt", "images/a.jpg")
    with pytest.raises(DatasetError, match="of train and of val"):
        read("labels_with_ids", tmp_path)
    write_text(tmp_path / "val.txt", "../images/a.jpg")
    with pytest.raises(DatasetError, match="relative path"):
        read("labels_with_ids", tmp_path)


def test_a_missing_label_file_is_an_error(tmp_path: Path) -> None:
    image(tmp_path, "a.jpg", line())
    image(tmp_path, "b.jpg")
    assert boxes_of(read("labels_with_ids", tmp_path)) == [[BOX], []], "an empty file is an image without people"
    (tmp_path / "labels_with_ids/b.txt").unlink()
    with pytest.raises(DatasetError, match=r"b.jpg has no label file; expected .*labels_with_ids.*b.txt"):
        read("labels_with_ids", tmp_path)


def test_boxes_may_leave_the_image(tmp_path: Path) -> None:
    image(tmp_path, "a.jpg", "0 1 0.0 0.5 0.5 1.5")
    assert boxes_of(read("labels_with_ids", tmp_path)) == [[[-16, -12, 16, 60]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.25 0.5", "5 columns; expected 6"),
        ("0 1.5 0.5 0.5 0.25 0.5", "id 1.5"),
        ("0 -2 0.5 0.5 0.25 0.5", "id -2"),
        ("0 1e17 0.5 0.5 0.25 0.5", "id 1e"),
        ("0 1 0.5 0.5 0.25 nan", "NaN"),
        ("0 1 -1.5 0.5 0.25 0.5", "shares of the image"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    image(tmp_path, "a.jpg", line(), text)
    with pytest.raises(DatasetError, match=rf"a.txt, line 2: .*{message}"):
        read("labels_with_ids", tmp_path)


def test_ids_minus_one_everywhere_and_one_identity_only(tmp_path: Path) -> None:
    image(tmp_path, "a.jpg", line(-1))
    assert images_of(read("labels_with_ids", tmp_path))[0].labels.ids.tolist() == [-1]
    image(tmp_path, "a.jpg", line(0))
    assert images_of(read("labels_with_ids", tmp_path))[0].labels.ids.tolist() == [0]
    assert images_of(read("labels_with_ids", tmp_path, use_ids=False))[0].labels.ids.tolist() == [-1]


def test_areas_of_a_prepared_dataset(tmp_path: Path) -> None:
    image(tmp_path, "train/street/a.jpg", line(), line(4, class_id=1))
    write_text(tmp_path / "ignored/train/street/a.txt", "0.5 0.5 2.5 0.5")
    write_text(tmp_path / "dataset.json", '{"classes": ["person", "dog"]}')
    (sequence,) = read("labels_with_ids", tmp_path)
    assert (sequence.name, sequence.part, sequence.classes) == ("street", "train", ("person",))
    assert sequence.images[0].labels.ignored.tolist() == [[0, 12, 64, 36]]
    assert len(sequence.images[0].labels) == 1
