"""Reader of YOLO labels: both usual trees, names of classes, missing files and damaged lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from label_trees import boxes_of, counts, images_of, read, write_image, write_text

from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError

LINE = "0 0.5 0.5 0.25 0.5"
BOX = [24.0, 12.0, 40.0, 36.0]


def image(root: Path, name: str, *lines: str, labels: bool = True) -> Path:
    """Write ``images/<name>`` or ``<part>/images/<name>`` and its labels."""
    path = write_image(root / (name if "images/" in name else f"images/{name}"))
    if labels:
        relative = path.relative_to(root).as_posix().replace("images/", "labels/", 1)
        write_text((root / relative).with_suffix(".txt"), *lines)
    return path


class TestTrees:
    @pytest.mark.parametrize(
        "names", [("images/train/a.jpg", "images/val/b.jpg"), ("train/images/a.jpg", "valid/images/b.jpg")]
    )
    def test_train_and_val(self, tmp_path: Path, names: tuple[str, str]) -> None:
        for name in names:
            image(tmp_path, name, LINE)
        found = {sequence.part: sequence for sequence in read("yolo", tmp_path)}
        assert {part: sequence.name for part, sequence in found.items()} == {"train": "train", "val": "val"}
        assert not found["train"].is_video
        assert found["train"].images[0].labels.boxes.tolist() == [BOX]

    def test_without_parts_and_with_images_in_the_path_of_the_root(self, tmp_path: Path) -> None:
        root = tmp_path / "images" / "my images"
        image(root, "a.jpg", LINE)
        image(root, "b.jpeg")
        image(root, "sub/c.PNG", LINE)
        sequences = read("yolo", root)
        assert [(sequence.name, sequence.part, len(sequence.images)) for sequence in sequences] == [
            ("images", None, 2), ("sub", None, 1),
        ]  # fmt: skip
        assert boxes_of(sequences) == [[BOX], [], [BOX]]

    def test_the_test_part_is_left_out(self, tmp_path: Path) -> None:
        for part in ("train", "test"):
            image(tmp_path, f"{part}/images/a.jpg", LINE)
        report = DropReport()
        assert len(images_of(read("yolo", tmp_path, report))) == 1
        assert counts(report) == {"images of the published test part": 1}

    def test_parts_that_the_yaml_file_states(self, tmp_path: Path) -> None:
        image(tmp_path, "monday/a.jpg", LINE)
        image(tmp_path, "tuesday/a.jpg", LINE)
        write_text(
            tmp_path / "data.yaml", "train: ../images/monday  # days", "val: images/tuesday", "nc: 1", "names: [person]"
        )
        assert {sequence.name: sequence.part for sequence in read("yolo", tmp_path)} == {
            "monday": "train",
            "tuesday": "val",
        }

    def test_names_in_another_case(self, tmp_path: Path) -> None:
        write_image(tmp_path / "Images" / "A.JPG")
        write_text(tmp_path / "Labels" / "a.TXT", LINE)
        assert boxes_of(read("yolo", tmp_path)) == [[BOX]]

    def test_exif_rotation(self, tmp_path: Path) -> None:
        write_image(tmp_path / "images/a.jpg", orientation=6)
        write_text(tmp_path / "labels/a.txt", "0 0.5 0.25 0.5 0.25")
        assert boxes_of(read("yolo", tmp_path)) == [[[12, 8, 36, 24]]], "of the image as it is shown, 48x64"

    def test_two_images_with_one_label_file(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", LINE)
        image(tmp_path, "a.png", LINE)
        with pytest.raises(DatasetError, match="one label file"):
            read("yolo", tmp_path)


class TestLabels:
    def test_missing_files_are_images_without_people(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", LINE)
        image(tmp_path, "b.jpg", labels=False)
        report = DropReport()
        assert boxes_of(read("yolo", tmp_path, report)) == [[BOX], []]
        assert counts(report) == {"images without a label file, taken as images without people": 1}

    def test_no_label_file_at_all(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", labels=False)
        with pytest.raises(DatasetError, match=r"no label file for any of its images; expected labels.*a.txt"):
            read("yolo", tmp_path)

    def test_identities_in_column_six_make_a_video(self, tmp_path: Path) -> None:
        for number in range(1, 12):
            image(tmp_path, f"cam/f{number}.jpg", f"{LINE} {7 if number < 11 else -1}")
        (sequence,) = read("yolo", tmp_path)
        assert sequence.is_video
        assert [item.path.stem for item in sequence.images] == [f"f{number}" for number in range(1, 12)]
        assert sequence.images[0].labels.ids.tolist() == [7]
        assert sequence.images[10].labels.ids.tolist() == [-1]
        assert images_of(read("yolo", tmp_path, use_ids=False))[0].labels.ids.tolist() == [-1]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("0 0.5 0.5 0 0.5", "width and height above 0"),
            ("0 0.5 0.5 -0.1 0.5", "width and height above 0"),
            ("0 320 240 50 100", "shares of the image"),
            ("0 2.5 0.5 0.1 0.5", "shares of the image"),
            ("0 nan 0.5 0.1 0.5", "NaN"),
            ("0 inf 0.5 0.1 0.5", "infinity"),
            ("0 0.5 0.5 1e308 0.5", "shares of the image"),
            ("-1 0.5 0.5 0.1 0.5", "class -1"),
            ("0.5 0.5 0.5 0.1 0.5", "class 0.5"),
            ("person 0.5 0.5 0.1 0.5", "'person' is not a number"),
            ("0 0.5 0.5 0.1 0.5 0.87", "id 0.87"),
            ("0 0.5 0.5 0.1", "4 columns; expected 5 or 6"),
            ("0 0.5 0.5 0.1 0.5 0.1 0.2 0.3 0.4", "Polygons"),
            ("\x00\x07", "columns"),
        ],
    )
    def test_a_damaged_line_is_named(self, tmp_path: Path, line: str, message: str) -> None:
        image(tmp_path, "a.jpg", LINE, line)
        with pytest.raises(DatasetError, match=rf"a.txt, line 2: .*{message}"):
            read("yolo", tmp_path)

    def test_boxes_may_leave_the_image(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", "0 0.0 0.5 0.25 0.5", "0 1.2 0.5 0.1 0.1")
        report = DropReport()
        assert boxes_of(read("yolo", tmp_path, report)) == [[[-8, 12, 8, 36]]]
        assert counts(report) == {"boxes wholly outside their image": 1}

    def test_marks_tabs_and_line_ends(self, tmp_path: Path) -> None:
        path = image(tmp_path, "a.jpg")
        label = tmp_path / "labels" / f"{path.stem}.txt"
        label.write_bytes(b"\xef\xbb\xbf" + LINE.replace(" ", "\t").encode() + b"\r\n\r\n")
        assert boxes_of(read("yolo", tmp_path)) == [[BOX]]
        label.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(DatasetError, match="not a text file in UTF-8"):
            read("yolo", tmp_path)


class TestClasses:
    @pytest.mark.parametrize(
        "lines",
        [
            ["names: [car, person]"],
            ["names: ['car', \"person\"]  # two"],
            ["names:", "  0: car", "  1: 'person'  # us", "nc: 2"],
            ["nc: 2", "names:", "- car", "- person"],
            ["names: [", "  'car',", "  'person',", "]"],
            ["names: {0: car, 1: person}"],
        ],
    )
    def test_people_are_the_default(self, tmp_path: Path, lines: list[str]) -> None:
        image(tmp_path, "a.jpg", LINE, "1 0.5 0.5 0.5 0.5")
        write_text(tmp_path / "data.yaml", *lines)
        report = DropReport()
        (sequence,) = read("yolo", tmp_path, report)
        assert sequence.classes == ("person",)
        assert sequence.images[0].labels.boxes.tolist() == [[16, 12, 48, 36]]
        assert sequence.images[0].labels.class_ids.tolist() == [0]
        assert counts(report) == {"boxes of other classes": 1}

    @pytest.mark.parametrize("name", ["classes.txt", "obj.names"])
    def test_lists_of_names(self, tmp_path: Path, name: str) -> None:
        image(tmp_path, "a.jpg", LINE, "1 0.5 0.5 0.5 0.5")
        write_text(tmp_path / name, "dog", "cat")
        with pytest.raises(DatasetError, match="0 dog, 1 cat, none of them of people"):
            read("yolo", tmp_path)
        (sequence,) = read("yolo", tmp_path, classes=("cat", "0"))
        assert sequence.classes == ("cat", "dog")
        assert sequence.images[0].labels.class_ids.tolist() == [1, 0]

    def test_one_unnamed_class_is_people_and_two_must_be_chosen(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", "3 0.5 0.5 0.25 0.5")
        assert read("yolo", tmp_path)[0].classes == ("person",)
        image(tmp_path, "b.jpg", LINE)
        with pytest.raises(DatasetError, match=r"classes 0, 3, none of them of people; expected --classes"):
            read("yolo", tmp_path)
        assert boxes_of(read("yolo", tmp_path, classes=("3",))) == [[BOX], []]

    def test_a_class_without_a_name_is_an_error(self, tmp_path: Path) -> None:
        image(tmp_path, "a.jpg", LINE, "7 0.5 0.5 0.25 0.5")
        write_text(tmp_path / "data.yaml", "names: [person]")
        with pytest.raises(DatasetError, match=r"a.txt, line 2: class 7"):
            read("yolo", tmp_path)


def test_an_empty_folder_and_images_elsewhere(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(DatasetError, match="no folder images with images"):
            read("yolo", tmp_path)
        write_image(tmp_path / "a.jpg")


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    image(tmp_path, "a.jpg", LINE)
    try:
        (tmp_path / "images" / "again").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links")
    assert len(images_of(read("yolo", tmp_path))) == 1
