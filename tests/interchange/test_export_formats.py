"""Export of tracks: what each format must state so that its tool shows the same boxes, ids and gaps."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from track_files import FRAMES, HEIGHT, LEAVES, OUTSIDE, RATE, TRUTH, WIDTH, Box, clipped, video, write_results
from videos import write_walking_boxes

from fairmot_dla34.errors import InvalidInputError, OutputError, TrackFileError
from fairmot_dla34.interchange import TRACK_FORMATS, TrackExport, export_tracks

SHOWN = {key: clipped(box) for key, box in TRUTH.items() if key not in OUTSIDE}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``street.mp4`` and its results."""
    folder = tmp_path_factory.mktemp("street")
    video(folder)
    for suffix in (".txt", ".jsonl", ".csv"):
        write_results(folder, suffix)
    return folder


def export(street: Path, name: str, target: Path, **options: Any) -> TrackExport:
    return export_tracks(street / "street.jsonl", name, source=street / "street.mp4", output=target, **options)


def check_boxes(found: dict[tuple[int, int], Box], expected: dict[tuple[int, int], Box], atol: float = 0.011) -> None:
    assert found.keys() == expected.keys()
    for key, box in expected.items():
        np.testing.assert_allclose(found[key], box, atol=atol, err_msg=str(key))


def xml_root(path: Path) -> ET.Element:
    return ET.parse(path).getroot()  # noqa: S314 (the export under test wrote it)


class TestCvat:
    def test_every_box_is_there_and_a_gap_is_outside(self, street: Path, tmp_path: Path) -> None:
        written = export(street, "cvat", tmp_path / "a.xml")
        root = xml_root(tmp_path / "a.xml")
        found, outside = {}, []
        for track in root.iter("track"):
            assert track.get("label") == "person"
            for box in track.iter("box"):
                key = (int(box.get("frame", "")) + 1, int(track.get("id", "")))
                if box.get("outside") == "1":
                    outside.append(key)
                    assert box.get("keyframe") == "1"
                else:
                    found[key] = tuple(float(box.get(name, "")) for name in ("xtl", "ytl", "xbr", "ybr"))
        check_boxes(found, TRUTH)  # type: ignore[arg-type]
        assert sorted(outside) == [(9, 2), (11, 9), (13, LEAVES), (16, 2), (20, 1)]
        assert (written.tracks, written.boxes, written.frames, written.left_out) == (4, len(TRUTH), FRAMES, 0)

    def test_keyframes_alone_give_every_box_within_the_tolerance(self, street: Path, tmp_path: Path) -> None:
        """CVAT reads keyframes only and interpolates."""
        for tolerance, most in ((0.0, 30), (0.5, 25), (5.0, 20)):
            export(street, "cvat", tmp_path / "a.xml", keyframe_tolerance=tolerance, overwrite=True)
            keys, found = 0, {}
            for track in xml_root(tmp_path / "a.xml").iter("track"):
                boxes = [box for box in track.iter("box") if box.get("keyframe") == "1"]
                for box, following in zip(boxes, [*boxes[1:], None], strict=True):
                    if box.get("outside") == "1":
                        continue
                    keys += 1
                    frames = [int(item.get("frame", "")) for item in (box, following) if item is not None]
                    sides = [
                        np.array([float(item.get(name, "")) for name in ("xtl", "ytl", "xbr", "ybr")])
                        for item in (box, following)
                        if item is not None
                    ]
                    for frame in range(frames[0], frames[-1] if following is not None else frames[0] + 1):
                        share = (frame - frames[0]) / max(frames[-1] - frames[0], 1)
                        found[frame + 1, int(track.get("id", ""))] = sides[0] + (sides[-1] - sides[0]) * share
            assert keys <= most
            check_boxes(found, TRUTH, tolerance + 0.021)

    def test_the_meta_data_state_the_video(self, street: Path, tmp_path: Path) -> None:
        export(street, "cvat", tmp_path / "a.xml", labels=['<person> & "co"'])
        task = xml_root(tmp_path / "a.xml").find("meta/task")
        assert task is not None
        assert task.findtext("size") == str(FRAMES)
        assert task.findtext("stop_frame") == str(FRAMES - 1)
        assert task.findtext("source") == "street.mp4"
        assert [task.findtext(f"original_size/{side}") for side in ("width", "height")] == [str(WIDTH), str(HEIGHT)]
        assert task.findtext("labels/label/name") == '<person> & "co"'


def test_cvat_mot_columns_mean_not_ignored_class_and_visibility(street: Path, tmp_path: Path) -> None:
    export_tracks(street / "street.txt", "cvat-mot", output=tmp_path / "a.zip")  # needs no video
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["gt/gt.txt", "gt/labels.txt"]
        rows = [line.split(",") for line in archive.read("gt/gt.txt").decode().splitlines()]
        assert archive.read("gt/labels.txt") == b"person\n"
    assert all(row[6:] == ["1", "1", "1"] for row in rows)
    boxes = {(int(row[0]), int(row[1])): [float(value) for value in row[2:6]] for row in rows}
    corners = {key: (left, top, left + width, top + height) for key, (left, top, width, height) in boxes.items()}
    check_boxes(corners, TRUTH, 0.021)
    first = (tmp_path / "a.zip").read_bytes()
    export_tracks(street / "street.csv", "cvat-mot", output=tmp_path / "a.zip", overwrite=True)
    assert (tmp_path / "a.zip").read_bytes() == first


def test_label_studio_hides_a_region_after_a_keyframe_that_is_not_enabled(street: Path, tmp_path: Path) -> None:
    written = export(street, "labelstudio", tmp_path / "a.json", keyframe_tolerance=0)
    (task,) = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert task["data"] == {"video": "/data/local-files/?d=street.mp4", "fps": RATE}
    found = {}
    for region in task["predictions"][0]["result"]:
        value = region["value"]
        assert (value["framesCount"], value["duration"], value["labels"]) == (FRAMES, FRAMES / RATE, ["person"])
        for key, following in zip(value["sequence"], [*value["sequence"][1:], None], strict=True):
            end = following["frame"] if key["enabled"] else key["frame"] + 1
            for frame in range(key["frame"], end):
                share = (frame - key["frame"]) / (end - key["frame"]) if key["enabled"] else 0.0
                x, y, width, height = (
                    key[name] + (following[name] - key[name]) * share if share else key[name]
                    for name in ("x", "y", "width", "height")
                )
                corners = np.array([x, y, x + width, y + height]) * [WIDTH, HEIGHT, WIDTH, HEIGHT] / 100
                found[frame, int(region["id"].removeprefix("track-"))] = tuple(corners.tolist())
    check_boxes(found, SHOWN)
    assert written.left_out == len(OUTSIDE) == 2
    config = xml_root(tmp_path / "a.config.xml")
    assert config.find("Video").get("frameRate") == "$fps"  # type: ignore[union-attr]
    export(street, "labelstudio", tmp_path / "b.json", video_url="https://host/street.mp4")
    assert json.loads((tmp_path / "b.json").read_text("utf-8"))[0]["data"]["video"] == "https://host/street.mp4"


def test_coco_video_links_images_videos_and_tracks(street: Path, tmp_path: Path) -> None:
    export(street, "coco-video", tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text("utf-8"))
    images = {image["id"]: image for image in content["images"]}
    assert [image["frame_index"] for image in content["images"]] == list(range(FRAMES))
    assert all((image["width"], image["height"], image["video_id"]) == (WIDTH, HEIGHT, 1) for image in images.values())
    assert {track["id"] for track in content["tracks"]} == {number for _, number in TRUTH}
    found = {}
    for item in content["annotations"]:
        left, top, width, height = item["bbox"]
        assert item["area"] == pytest.approx(width * height, abs=0.01)
        found[images[item["image_id"]]["frame_index"] + 1, item["track_id"]] = (left, top, left + width, top + height)
    check_boxes(found, TRUTH, 0.021)


def test_fiftyone_has_the_video_and_relative_boxes(street: Path, tmp_path: Path) -> None:
    export(street, "fiftyone", tmp_path / "a")
    (entry,) = json.loads((tmp_path / "a/manifest.json").read_text("utf-8"))["index"]
    assert (tmp_path / "a" / entry["data"]).read_bytes() == (street / "street.mp4").read_bytes()
    frames = json.loads((tmp_path / "a" / entry["labels"]).read_text("utf-8"))["frames"]
    found = {}
    for number, frame in frames.items():
        assert frame["frame_number"] == int(number)
        for item in frame["objects"]["objects"]:
            corners = [item["bounding_box"][place][axis] for place in ("top_left", "bottom_right") for axis in "xy"]
            found[int(number), item["index"]] = tuple((np.array(corners) * [WIDTH, HEIGHT, WIDTH, HEIGHT]).tolist())
    check_boxes(found, SHOWN)


def test_yolo_has_the_id_as_sixth_column_and_a_file_for_every_tracked_frame(street: Path, tmp_path: Path) -> None:
    export(street, "yolo", tmp_path / "a")
    assert '0: "person"' in (tmp_path / "a/data.yaml").read_text("utf-8")
    found = {}
    for frame in range(1, FRAMES + 1):
        for line in (tmp_path / f"a/labels/street_{frame}.txt").read_text("utf-8").splitlines():
            class_id, x, y, width, height, number = line.split()
            centre, half = np.array([float(x), float(y)]), np.array([float(width), float(height)]) / 2
            assert class_id == "0"
            assert ((centre - half >= -1e-6) & (centre + half <= 1 + 1e-6)).all()
            corners = np.concatenate([centre - half, centre + half]) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
            found[frame, int(number)] = tuple(corners.tolist())
    check_boxes(found, SHOWN)


def test_a_table_has_times_from_the_results_or_the_video(street: Path, tmp_path: Path) -> None:
    for number, (suffix, source) in enumerate(((".csv", None), (".txt", street / "street.mp4"), (".txt", None))):
        target = tmp_path / f"{number}.csv"
        export_tracks(street / f"street{suffix}", "csv", source=source, output=target)
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = {
            (int(row["frame"]), int(row["track_id"])): tuple(float(row[name]) for name in ("x1", "y1", "x2", "y2"))
            for row in rows
        }
        check_boxes(found, TRUTH)  # type: ignore[arg-type]
        times = [row["time_s"] for row in rows]
        if number == 2:
            assert set(times) == {""}
        else:
            assert [round(float(time) * RATE) + 1 for time in times] == [int(row["frame"]) for row in rows]


class TestBadInput:
    @pytest.mark.parametrize("name", [name for name, kind in TRACK_FORMATS.items() if kind.needs_video])
    def test_a_format_that_needs_the_video_asks_for_it(self, name: str, street: Path, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match=r"source is missing.*--source"):
            export_tracks(street / "street.txt", name, output=tmp_path / "a")
        assert not list(tmp_path.iterdir())

    def test_results_of_another_video_are_refused_with_the_line(self, street: Path, tmp_path: Path) -> None:
        short = video(tmp_path, "short.mp4", frames=5)
        with pytest.raises(TrackFileError, match=r"line \d+: frame 6 is beyond the 5 frames"):
            export_tracks(street / "street.txt", "csv", source=short, output=tmp_path / "a.csv")
        wide = tmp_path / "wide.txt"
        wide.write_text("1,1,10,10,20,20,0.5\n2,1,900,10,20,20,0.5\n")
        with pytest.raises(TrackFileError, match=r"line 2: box 900\.0.*far outside the 160x96"):
            export_tracks(wide, "cvat", source=street / "street.mp4", output=tmp_path / "a.xml")
        empty_end = tmp_path / "end.jsonl"
        empty_end.write_text('{"frame": 1, "time_s": 0, "tracks": []}\n{"frame": 99, "time_s": 4, "tracks": []}\n')
        with pytest.raises(InvalidInputError, match=r"20 frames, and .* has frame 99"):
            export_tracks(empty_end, "cvat", source=street / "street.mp4", output=tmp_path / "a.xml")

    def test_an_option_is_used_or_refused(self, street: Path, tmp_path: Path) -> None:
        target = tmp_path / "a"
        for name, options, message in (
            ("csv", {"keyframe_tolerance": 2.0}, "has no keyframes; it is for cvat and labelstudio"),
            ("cvat", {"keyframe_tolerance": -1}, "expected a number of px"),
            ("cvat", {"keyframe_tolerance": float("nan")}, "expected a number of px"),
            ("cvat", {"video_url": "x"}, "it is for labelstudio"),
            ("labelstudio", {"video_url": ""}, "expected a URL"),
            ("cvat", {"labels": "person"}, "labels is 'person'"),
            ("cvat", {"labels": ["a", "a"]}, "expected distinct names"),
            ("cvat", {"labels": ["a\n"]}, "expected distinct names"),
            ("pascal", {}, "format is 'pascal'"),
        ):
            with pytest.raises(InvalidInputError, match=message):
                export(street, name, target, **options)
        assert not target.exists()
        with pytest.raises(InvalidInputError, match="output is ''"):
            export_tracks(street / "street.txt", "csv", output="")

    def test_a_class_needs_a_name(self, street: Path, tmp_path: Path) -> None:
        path = write_results(tmp_path, ".jsonl", class_id=1)
        with pytest.raises(TrackFileError, match="line 1: class 1 has no name"):
            export_tracks(path, "csv", output=tmp_path / "a.csv")
        export_tracks(path, "csv", output=tmp_path / "a.csv", labels=["person", "car"])
        assert ",car," in (tmp_path / "a.csv").read_text("utf-8")

    def test_nothing_is_replaced_that_no_export_wrote(self, street: Path, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a/notes.txt").write_text("mine")
        with pytest.raises(OutputError, match="--overwrite"):
            export(street, "yolo", tmp_path / "a")
        with pytest.raises(OutputError, match=r"notes\.txt, which no export wrote"):
            export(street, "yolo", tmp_path / "a", overwrite=True)
        with pytest.raises(OutputError, match="is a folder"):
            export(street, "cvat", tmp_path / "a", overwrite=True)
        for read in ("street.jsonl", "street.mp4"):
            with pytest.raises(OutputError, match="what the export reads"):
                export(street, "cvat", street / read, overwrite=True)
        with pytest.raises(OutputError, match="which the export reads"):
            export(street, "yolo", street, overwrite=True)
        assert (tmp_path / "a/notes.txt").read_text() == "mine"
        export(street, "fiftyone", tmp_path / "b")
        export(street, "fiftyone", tmp_path / "b", overwrite=True)
        export(street, "yolo", tmp_path / "b", overwrite=True)
        assert not (tmp_path / "b/manifest.json").exists()
        assert (street / "street.mp4").stat().st_size > 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]

    def test_sources(self, street: Path, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="does not exist"):
            export_tracks(street / "street.txt", "cvat", source=tmp_path / "no.mp4", output=tmp_path / "a.xml")
        images = tmp_path / "images"
        images.mkdir()
        write_walking_boxes(images, FRAMES, WIDTH, HEIGHT)
        with pytest.raises(InvalidInputError, match="needs a video file"):
            export_tracks(street / "street.txt", "fiftyone", source=images, output=tmp_path / "a")
        export_tracks(street / "street.txt", "yolo", source=images, output=tmp_path / "a")
        assert (tmp_path / "a/labels/000000.txt").is_file()  # named like the images
        (images / "000019.png").rename(images / "000000.jpg")
        with pytest.raises(InvalidInputError, match="several images named 000000"):
            export_tracks(street / "street.txt", "yolo", source=images, output=tmp_path / "b")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "images"]

    def test_names_that_utf_8_cannot_write(self, street: Path, tmp_path: Path) -> None:
        odd = tmp_path / os.fsdecode(b"a\xff\x01.mp4")
        odd.write_bytes((street / "street.mp4").read_bytes())
        for name in TRACK_FORMATS:
            export_tracks(street / "street.txt", name, source=odd, output=tmp_path / name)
        assert xml_root(tmp_path / "cvat").findtext("meta/task/source") == "a__.mp4"
        with pytest.raises(InvalidInputError, match=r"output is '\.'"):
            export_tracks(street / "street.txt", "csv", output=".")


def test_results_without_tracks_are_exported_too(street: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    for name in TRACK_FORMATS:
        written = export_tracks(
            tmp_path / "empty.txt", name, source=street / "street.mp4", output=tmp_path / f"out-{name}"
        )
        assert (written.tracks, written.boxes) == (0, 0)
