"""Reader of CVAT's corrected tracks: keyframes, gaps, ranges, archives, and files that must be refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import index_of
from label_trees import boxes_of, counts, images_of, read, write_image
from track_files import FRAMES, OUTSIDE, TRUTH, video, write_results

from fairmot_dla34.datasets import prepare
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError
from fairmot_dla34.interchange import export_tracks

HEAD = "<annotations><meta><task><labels><label><name>person</name></label></labels>{meta}</task></meta>"
BOX = '<box frame="{0}" outside="{1}" keyframe="1" occluded="0" xtl="{2}" ytl="10" xbr="{3}" ybr="60"/>'


def box(frame: int, left: float, outside: int = 0) -> str:
    return BOX.format(frame, outside, left, left + 30)


def track(number: int, *boxes: str, label: str = "person") -> str:
    return f'<track id="{number}" label="{label}">{"".join(boxes)}</track>'


def write_cvat(folder: Path, *tracks: str, meta: str = "", name: str = "street.xml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([HEAD.format(meta=meta), *tracks, "</annotations>"]), "utf-8")
    return path


def test_an_export_comes_back_as_it_was(street: Path, tmp_path: Path) -> None:
    """Boxes, identities and gaps of ``export-tracks --format cvat`` survive, and each belongs to its frame."""
    results = write_results(tmp_path, ".txt")
    export_tracks(results, "cvat", source=street / "street.mp4", output=street / "street.xml")
    report = DropReport()
    (sequence,) = read("cvat", street, report)
    assert (sequence.name, sequence.frame_rate, len(sequence.images)) == ("street", 25, FRAMES)
    found = {
        (frame, int(number)): corners
        for frame, image in enumerate(sequence.images, 1)
        for number, corners in zip(image.labels.ids, image.labels.boxes, strict=True)
    }
    assert found.keys() == TRUTH.keys() - OUTSIDE
    for key, corners in found.items():
        np.testing.assert_allclose(corners, TRUTH[key], atol=0.011)
    assert counts(report) == {"boxes wholly outside their image": len(OUTSIDE)}
    prepare("cvat", street, tmp_path / "prepared", val=0.25, progress=False)
    images = sorted((tmp_path / "prepared/images").rglob("*.jpg"))
    pixels = [np.asarray(cv2.imread(str(image)), np.uint8) for image in images]
    assert [index_of(image) for image in pixels] == list(range(FRAMES))


def test_boxes_between_keyframes_are_interpolated_up_to_the_outside_one(street: Path) -> None:
    write_cvat(street, track(4, box(2, 10), box(6, 30), box(8, 30, outside=1), box(10, 50)))
    boxes = boxes_of(read("cvat", street))
    lefts = {frame: corners[0][0] for frame, corners in enumerate(boxes) if corners}
    assert lefts == {2: 10, 3: 15, 4: 20, 5: 25, 6: 30, 7: 30, 10: 50}


def test_frames_outside_the_labelled_range_are_ignored_areas(street: Path) -> None:
    meta = "<start_frame>4</start_frame><stop_frame>8</stop_frame><frame_filter>step=2</frame_filter>"
    write_cvat(street, track(1, box(4, 10), box(8, 30)), meta=meta)
    report = DropReport()
    images = images_of(read("cvat", street, report))
    labelled = [4, 6, 8]
    assert [frame for frame, image in enumerate(images) if len(image.labels)] == labelled
    for frame, image in enumerate(images):
        areas = image.labels.ignored.tolist()
        assert areas == ([] if frame in labelled else [[0, 0, image.width, image.height]])
    assert counts(report) == {"frames that were not labelled, now ignored areas": FRAMES - 3}


def test_an_archive_is_read_in_place(street: Path) -> None:
    path = write_cvat(street, track(1, box(0, 10)))
    with zipfile.ZipFile(street / "job_3.zip", "w") as archive:
        archive.write(path, "annotations.xml")
        archive.writestr("../../evil.txt", "x")
    path.unlink()
    assert len(images_of(read("cvat", street))[0].labels) == 1
    assert not (street.parent.parent / "evil.txt").exists()


def test_images_of_a_task_are_used_by_their_number(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / "a" / "images" / f"frame_{number:06d}.png", 64, 48)
    write_cvat(tmp_path / "a", track(1, box(1, 5)), name="annotations.xml")
    (sequence,) = read("cvat", tmp_path)
    assert sequence.video is None
    assert [len(image.labels) for image in sequence.images] == [0, 1, 0]
    (tmp_path / "a/images/frame_000000.png").unlink()
    with pytest.raises(DatasetError, match="expected every frame from 0 on"):
        read("cvat", tmp_path)
    for number in (9, 10):
        (tmp_path / f"a/images/frame_{number - 8:06d}.png").rename(tmp_path / f"a/images/{number}.png")
    with pytest.raises(DatasetError, match="order in which they were labelled is not certain"):
        read("cvat", tmp_path)


def test_other_shapes_and_classes_are_counted(street: Path) -> None:
    polygon = '<polygon frame="1" outside="0" points="1,2;3,4;5,6"/>'
    turned = box(2, 10).replace("/>", ' rotation="30.0"/>')
    write_cvat(street, track(1, box(0, 10), polygon, turned), track(2, box(3, 10), label="car"))
    report = DropReport()
    boxes = boxes_of(read("cvat", street, report))
    assert [frame for frame, corners in enumerate(boxes) if corners] == [0, 1]
    assert counts(report) == {"shapes other than upright boxes": 2, "boxes of other classes": 1}
    assert len(images_of(read("cvat", street, classes=("car",)))[3].labels) == 1


def test_the_video_is_found_by_the_stated_name_or_the_stem(street: Path) -> None:
    video(street, "other.mp4", frames=5)
    path = write_cvat(street, track(1, box(19, 10)), meta="<source>STREET.mp4</source>", name="annotations.xml")
    assert len(read("cvat", street)[0].images) == FRAMES
    path.rename(street / "street.corrected.xml")
    assert len(read("cvat", street / "street.corrected.xml")[0].images) == FRAMES
    write_cvat(street, track(1, box(0, 10)), meta="<source>/srv/../lost.mp4</source>", name="lost.xml")
    with pytest.raises(DatasetError, match=r"none clearly that of lost\.xml; expected lost\.mp4 beside"):
        read("cvat", street / "lost.xml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><annotations>&c;</annotations>',
            "line 1: a document type definition, which is refused",
        ),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "document type definition"),
        ("<annotations>\n<track", "line 2: not XML"),
        ("", "not XML"),
        ("\0" * 100, "not XML"),
        ('<?xml version="1.0" encoding="klingon"?><annotations/>', "klingon|not XML"),
        ("<View/>", "<View> instead of <annotations>"),
        ("<annotations><image id='0' name='a.jpg'/></annotations>", "CVAT for images"),
        ("<annotations><meta><project/></meta></annotations>", "whole project"),
        ("<annotations>" + "<a>" * 1000, "nested more than 50 deep"),
        (HEAD + track(1, box(3, 1), box(3, 1)), "frame 3 after frame 3"),
        (HEAD + track(1, box(0, 1).replace('frame="0"', "")), "frame ''"),
        (HEAD + track(1, box(0, 1).replace('frame="0"', 'frame="99999999999999999999"')), "expected a whole number"),
        (HEAD + track(1, box(0, 1).replace('"10"', '"nan"')), "ytl 'nan'"),
        (HEAD + track(1, box(0, 1).replace('"10"', '"1e9"')), "ytl '1e9'"),
        (HEAD + track(1, box(0, 1), label=" "), "track without a label"),
        (HEAD + track(1, box(20, 1)) + "</annotations>", "beyond the 20 frames"),
        (HEAD + track(1, box(0, 1), box(9999999, 1)) + "</annotations>", "beyond the 20 frames"),
        (HEAD + track(1, box(0, 1), box(9999999, 1, outside=1)) + "</annotations>", "frame 9999998, .* beyond the 20"),
        (HEAD + track(1, box(0, 1)) + track(1, box(0, 1)) + "</annotations>", "id 1 is in frame 0 twice"),
        (HEAD.format(meta="<original_size><width>9</width><height>9</height></original_size>") + track(1, box(0, 1))
         + "</annotations>", "labels frames of 9x9 px"),
        (HEAD + "</annotations>", "no box to train on|has the classes"),
    ],
)  # fmt: skip
def test_files_that_are_refused(content: str, message: str, street: Path) -> None:
    (street / "street.xml").write_text(content, "utf-8")
    with pytest.raises(DatasetError, match=message):
        read("cvat", street)


def test_archives_that_are_refused(street: Path) -> None:
    for number, (data, message) in enumerate(
        ((b"", "cannot be read as a zip archive"), (b"PK\x03\x04" + b"\0" * 50, "cannot be read as a zip archive"))
    ):
        path = street / f"{number}.zip"
        path.write_bytes(data)
        with pytest.raises(DatasetError, match=message):
            read("cvat", path)
    with zipfile.ZipFile(street / "a.zip", "w") as archive:
        archive.writestr("gt/gt.txt", "")
    with pytest.raises(DatasetError, match=r"has 0 files annotations\.xml"):
        read("cvat", street / "a.zip")
    with pytest.raises(DatasetError, match=r"ends in \.mp4"):
        read("cvat", street / "street.mp4")
