"""Readers of MOTChallenge's layouts: each trap of the published files, and damaged ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from label_trees import boxes_of, counts, images_of, mot_sequence, read, write_image, write_text

from fairmot_dla34.datasets import NO_IDENTITY
from fairmot_dla34.datasets.formats.mot_rows import read_truth
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError
from fairmot_dla34.outputs.mp4 import H264Encoder

PERSON = "1,1,10,5,20,30,1,1,1"


class TestMot17:
    def test_one_of_three_detector_copies_is_used_under_the_short_name(self, tmp_path: Path) -> None:
        for copy in ("DPM", "FRCNN", "SDP"):
            for number in ("02", "04"):
                mot_sequence(tmp_path / "train" / f"MOT17-{number}-{copy}", PERSON)
            mot_sequence(tmp_path / "test" / f"MOT17-01-{copy}").joinpath("gt/gt.txt").unlink()
        report = DropReport()
        sequences = read("mot17", tmp_path, report)
        assert [sequence.name for sequence in sequences] == ["MOT17-02", "MOT17-04"]
        assert {image.path.parent.parent.name for image in images_of(sequences)} == {"MOT17-02-FRCNN", "MOT17-04-FRCNN"}
        assert all(sequence.part == "train" and sequence.frame_rate == 14 for sequence in sequences)
        assert counts(report) == {"copies of a sequence for another detector": 4, "sequences without ground truth": 3}

    def test_uncounted_hidden_and_similar_rows_become_ignored_and_other_classes_are_dropped(
        self, tmp_path: Path
    ) -> None:
        mot_sequence(
            tmp_path / "MOT17-02", PERSON, "1,2,20,5,10,10,0,1,1", "1,3,30,5,10,10,1,1,0.05", "1,4,1,1,9,9,0,7,1",
            "1,5,1,1,9,9,0,8,1", "1,6,1,1,9,9,0,12,1", "1,7,1,1,9,9,0,2,1", "1,8,1,1,9,9,0,3,1", "1,9,1,1,9,9,0,11,1",
        )  # fmt: skip
        report = DropReport()
        sequences = read("mot17", tmp_path, report)
        image = images_of(sequences)[0]
        assert image.labels.boxes.tolist() == [[10, 5, 30, 35]]
        assert len(image.labels.ignored) == 6
        assert sum(counts(report).values()) == 8
        assert counts(report)["boxes of other classes"] == 2

    def test_the_minimum_visibility_can_be_set(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", "1,1,10,5,20,30,1,1,0.0", "2,1,10,5,20,30,1,1,0.5")
        assert list(map(len, boxes_of(read("mot17", tmp_path, min_visibility=0.0)))) == [1, 1, 0]
        assert list(map(len, boxes_of(read("mot17", tmp_path, min_visibility=0.5)))) == [0, 1, 0]

    def test_boxes_that_leave_the_image_are_kept_whole(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", "1,1,-8.5,-3,20,60,1,1,0.4", "1,2,64,5,20,30,1,1,1", "1,3,5,5,0,30,1,1,1")
        report = DropReport()
        (sequence,) = read("mot17", tmp_path, report)
        assert sequence.images[0].labels.boxes.tolist() == [[-8.5, -3, 11.5, 57]]
        assert not sequence.clip_boxes
        assert counts(report) == {"boxes wholly outside their image": 1, "boxes without area": 1}

    def test_boxes_of_mot20_are_clipped_by_training(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "train" / "MOT20-01", "1,1,-8,-3,20,30,1,1,0.4", "1,2,3,3,9,9,0,13,1")
        (sequence,) = read("mot20", tmp_path)
        assert sequence.clip_boxes
        assert sequence.images[0].labels.boxes.tolist() == [[-8, -3, 12, 27]]
        assert len(sequence.images[0].labels.ignored) == 1, "crowd"

    def test_frames_without_people_are_kept(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", "2,1,10,5,20,30,1,1,1", frames=4)
        assert [len(image.labels) for image in images_of(read("mot17", tmp_path))] == [0, 1, 0, 0]

    def test_classes_are_chosen_by_name_or_number(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON, "1,2,1,1,9,9,0,3,1", "1,3,1,1,9,9,0,7,1")
        (sequence,) = read("mot17", tmp_path, classes=("Car", "1"))
        assert sequence.classes == ("car", "pedestrian")
        assert sequence.images[0].labels.class_ids.tolist() == [1, 0]
        with pytest.raises(DatasetError, match="no class 'dog'"):
            read("mot17", tmp_path, classes=("dog",))
        with pytest.raises(DatasetError, match="twice"):
            read("mot17", tmp_path, classes=("1", "pedestrian"))


class TestMot15:
    def test_unsorted_rows_of_ten_columns(self, tmp_path: Path) -> None:
        mot_sequence(
            tmp_path / "train" / "KITTI-17", "3,7,1,1,9,9,1,-1,-1,-1", "1,7,3,3,9,9,1,12.5,2,0", "2,7,2,2,9,9,1,8,1,1",
            "1,9,5,5,9,9,0,7,7,7", rate=None,
        )  # fmt: skip
        (sequence,) = read("mot15", tmp_path)
        assert [image.labels.boxes[0, 0] for image in sequence.images] == [3, 2, 1], "columns 8 to 10 are in 3D"
        assert all(image.labels.ids.tolist() == [7] for image in sequence.images)
        assert len(sequence.images[0].labels.ignored) == 1
        assert sequence.frame_rate == 30


class TestLayouts:
    def test_dancetrack(self, tmp_path: Path) -> None:
        names = [f"{number:08d}.jpg" for number in (1, 2)]
        for part in ("train", "val"):
            mot_sequence(tmp_path / part / f"dancetrack-{part}", PERSON, names=names, frames=2)
        found = {sequence.name: sequence.part for sequence in read("dancetrack", tmp_path)}
        assert found == {"dancetrack-train": "train", "dancetrack-val": "val"}

    @pytest.mark.parametrize("suffix", [".jpeg", ".JPG", ".png", ".bmp", ".webp"])
    def test_formats_of_images(self, tmp_path: Path, suffix: str) -> None:
        mot_sequence(tmp_path / "a", PERSON, names=[f"00000{number}{suffix}" for number in (1, 2)])
        assert [(image.width, image.height) for image in images_of(read("mot", tmp_path))] == [(64, 48)] * 2

    def test_the_root_may_be_the_sequence_itself(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = mot_sequence(tmp_path / "images" / "street", PERSON)
        assert read("mot", folder)[0].name == "street"
        monkeypatch.chdir(folder)
        assert read("mot", Path())[0].name == "street"

    def test_equal_names_in_two_folders_are_made_unique(self, tmp_path: Path) -> None:
        for place in ("a", "b"):
            mot_sequence(tmp_path / place / "cam1", PERSON)
        assert [sequence.name for sequence in read("mot", tmp_path)] == ["a_cam1", "b_cam1"]

    @pytest.mark.parametrize(
        ("names", "frames", "boxes"),
        [
            (["0.jpg", "1.jpg", "2.jpg"], (1, 2), [1, 1, 0]),  # numbered from 0: frame 1 is the first
            (["1.jpg", "2.jpg", "10.jpg"], (1, 10), [1, 0, 1]),  # natural order, and numbers with gaps
            (["x7.jpg", "x8.jpg", "x9.jpg"], (1, 3), [1, 0, 1]),  # a piece of a video, counted anew
            (["x7.jpg", "x8.jpg", "x9.jpg"], (7, 9), [1, 0, 1]),  # a piece of a video, not counted anew
            (["a.jpg", "b.jpg", "c.jpg"], (2,), [0, 1, 0]),
            (["0.jpg", "1.jpg", "2.jpg"], (0, 2), [1, 0, 1]),
        ],
    )
    def test_numbers_of_frames(
        self, tmp_path: Path, names: list[str], frames: tuple[int, ...], boxes: list[int]
    ) -> None:
        mot_sequence(tmp_path / "a", *(f"{frame},1,1,1,9,9" for frame in frames), names=names)
        assert [len(image.labels) for image in images_of(read("mot", tmp_path))] == boxes

    def test_rows_without_an_image_are_counted(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON, "9,1,1,1,9,9,1,1,1")
        report = DropReport()
        read("mot", tmp_path, report)
        assert counts(report) == {"boxes of frames without an image": 1}
        write_text(tmp_path / "a/gt/gt.txt", "9,1,1,1,9,9,1,1,1")
        with pytest.raises(DatasetError, match="line 1: frame 9"):
            read("mot", tmp_path)

    def test_names_of_classes_that_cvat_exports(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path, "1,1,1,1,9,9,1,1,1", "1,2,2,2,9,9,1,2,1", names=["frame_000000.png"])
        write_text(tmp_path / "gt/labels.txt", "car", "person")
        (sequence,) = read("mot", tmp_path)
        assert sequence.images[0].labels.boxes.tolist() == [[2, 2, 11, 11]]

    def test_a_video_instead_of_images(self, tmp_path: Path) -> None:
        (tmp_path / "s").mkdir()
        encoder = H264Encoder(tmp_path / "s" / "s.mp4", width=64, height=48, frame_rate=10)
        for index in range(4):
            encoder.write(np.full((48, 64, 3), 40 * index, np.uint8), index / 10)
        encoder.close()
        write_text(tmp_path / "s/gt/gt.txt", PERSON, "3,1,10,5,20,30,1,1,1")
        write_text(tmp_path / "s/seqinfo.ini", "[Sequence]", "imDir=.", "frameRate=10", "seqLength=4")
        (sequence,) = read("mot", tmp_path)
        assert sequence.video == tmp_path / "s" / "s.mp4"
        assert [image.path.stem for image in sequence.images] == ["000001", "000002", "000003", "000004"]
        assert [len(image.labels) for image in sequence.images] == [1, 0, 1, 0]
        assert (sequence.images[0].width, sequence.images[0].height) == (64, 48)
        (tmp_path / "s/s.mp4").write_bytes(b"no video")
        with pytest.raises(DatasetError, match="cannot be read as the video"):
            read("mot", tmp_path)


class TestIdentities:
    def test_minus_one_everywhere(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", "1,-1,1,1,9,9,1,1,1", "1,-1,9,9,9,9,1,1,1")
        assert images_of(read("mot", tmp_path))[0].labels.ids.tolist() == [NO_IDENTITY] * 2

    def test_they_can_be_left_out(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON)
        assert images_of(read("mot", tmp_path, use_ids=False))[0].labels.ids.tolist() == [NO_IDENTITY]

    def test_one_twice_in_a_frame_is_an_error(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON, "2,1,1,1,9,9,1,1,1", PERSON)
        with pytest.raises(DatasetError, match=r"gt.txt, line 3: id 1 is already in frame 1, in line 1"):
            read("mot", tmp_path)


class TestDamage:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1,1,nan,5,20,30,1,1,1", "NaN"),
            ("1,1,inf,5,20,30,1,1,1", "infinity"),
            ("1,1,1e300,5,20,30,1,1,1", "none beyond"),
            ("1,1,10,5,-20,30,1,1,1", "negative"),
            ("1.5,1,10,5,20,30,1,1,1", "frame 1.5"),
            ("-1,1,10,5,20,30,1,1,1", "frame -1"),
            ("1,-2,10,5,20,30,1,1,1", "id -2"),
            ("1,1e30,10,5,20,30,1,1,1", "id 1e"),
            ("1,1,10,5,20,30,1,1.5,1", "class 1.5"),
            ("1,1,10,5,20,x,1,1,1", "'x' is not a number"),
            ("1,1,10,5,20,30", "6 values; expected 9 columns"),
            ("1,1,10,5,,30,1,1,1,1", "values"),
            ("1,1,10,5,20,30,1,1,1,1,1", "11 values"),
            ("\0\x01\xff", "values"),
        ],
    )
    def test_a_line_is_named(self, tmp_path: Path, line: str, message: str) -> None:
        mot_sequence(tmp_path / "a", PERSON, "", line)
        with pytest.raises(DatasetError, match=f"gt.txt, line 3: .*{message}"):
            read("mot", tmp_path)

    def test_binary_content(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a")
        (tmp_path / "a/gt/gt.txt").write_bytes(bytes(range(256)))
        with pytest.raises(DatasetError, match="not a text file in UTF-8"):
            read("mot", tmp_path)

    @pytest.mark.parametrize("separator", [",", ", ", "\t", " ", ";\t".strip(";")])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_marks_separators_and_line_ends(self, tmp_path: Path, separator: str, end: str) -> None:
        text = "\ufeff" + end.join(PERSON.replace(",", separator) for _ in range(2)) + end * 2
        (tmp_path / "gt.txt").write_bytes(text.encode())
        assert read_truth(tmp_path / "gt.txt").boxes.tolist() == [[10, 5, 30, 35]] * 2

    def test_an_image_that_does_not_decode(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON)
        (tmp_path / "a/img1/000002.jpg").write_bytes(b"\xff\xd8junk")
        with pytest.raises(DatasetError, match=r"000002.jpg is not an image"):
            read("mot", tmp_path)

    def test_no_images_no_truth_no_folder_no_boxes(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="no sequence with ground truth"):
            read("mot", tmp_path)
        with pytest.raises(DatasetError, match="does not exist"):
            read("mot", tmp_path / "absent")
        write_text(tmp_path / "a/gt/gt.txt", PERSON)
        with pytest.raises(DatasetError, match="no images and no video"):
            read("mot", tmp_path)
        write_image(tmp_path / "a/img1/000001.png")
        write_text(tmp_path / "a/gt/gt.txt", "1,1,1,1,9,9,0,1,1")
        with pytest.raises(DatasetError, match=r"1 images but no box to train on \(1 people marked"):
            read("mot", tmp_path)

    def test_a_damaged_seqinfo(self, tmp_path: Path) -> None:
        mot_sequence(tmp_path / "a", PERSON)
        write_text(tmp_path / "a/seqinfo.ini", "frameRate=14")
        with pytest.raises(DatasetError, match=r"seqinfo.ini is damaged"):
            read("mot", tmp_path)


def test_real_sequences(test_data: Path) -> None:
    sequences = read("mot17", test_data / "MOT17-mini")
    assert len(sequences) == 7
    assert sum(map(len, boxes_of(sequences))) > 700
    image = images_of(sequences)[0]
    decoded = cv2.imread(str(image.path))
    assert decoded is not None
    assert decoded.shape == (image.height, image.width, 3)
