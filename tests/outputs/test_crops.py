"""Crops of each person: which frames, the best one, limits, and folders of other runs."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from outputs.striped_people import striped_people

from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.outputs import crop_sink
from fairmot_dla34.outputs.crop_sink import CropSink
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import Frame, FrameResult, Track

RATE = 10.0


def write(folder: Path, tracks: dict[int, list[Track]], frames: int, interval_s: float = 1.0) -> Path:
    """Write crops of frames whose grey level is their number; return the index."""
    index_file = folder / "crops.csv"
    with CropSink(index_file, interval_s) as sink:
        for index in range(frames):
            image = np.full((96, 128, 3), index, np.uint8)
            sink.write(
                Frame(index, index / RATE, image), FrameResult(index, index / RATE, tuple(tracks.get(index, ())))
            )
    return index_file


def person(track_id: int, score: float = 0.9, *, filled: bool = False) -> Track:
    return Track(track_id, (10.0, 10.0, 30.0, 50.0), score, 0, filled=filled)


def mean(path: Path) -> float:
    return float(np.asarray(cv2.imread(str(path)), np.uint8).mean())


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))


def test_one_crop_a_second_and_the_best_one(tmp_path: Path) -> None:
    tracks = {index: [person(3, 0.5 + 0.001 * index if index != 17 else 0.95)] for index in range(25)}
    index_file = write(tmp_path, tracks, 40)
    assert names(tmp_path) == ["3/000001.jpg", "3/000011.jpg", "3/000021.jpg", "3/best.jpg"]
    assert mean(tmp_path / "3" / "best.jpg") == pytest.approx(17, abs=1)
    assert mean(tmp_path / "3" / "000021.jpg") == pytest.approx(20, abs=1)
    rows = list(csv.DictReader(index_file.read_text().splitlines()))
    assert [row["file"] for row in rows] == ["3/000001.jpg", "3/000011.jpg", "3/000021.jpg"]
    assert rows[1] == {
        "frame": "11", "time_s": "1.000", "id": "3", "score": "0.5100", "x1": "10.00", "y1": "10.00", "x2": "30.00",
        "y2": "50.00", "file": "3/000011.jpg",
    }  # fmt: skip


def test_the_best_score_is_kept_when_a_person_comes_back(tmp_path: Path) -> None:
    tracks = {index: [person(3, 0.9 if index < 5 else 0.4)] for index in (*range(5), *range(60, 70))}
    write(tmp_path, tracks, 80)
    assert mean(tmp_path / "3" / "best.jpg") == pytest.approx(0, abs=1)


def test_every_frame_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_sink, "MAX_CROPS", 7)
    write(tmp_path, {index: [person(1)] for index in range(12)}, 12, interval_s=0)
    assert names(tmp_path) == [*(f"1/{number:06d}.jpg" for number in range(1, 8)), "1/best.jpg"]


def test_interpolated_boxes_and_boxes_outside_the_image_have_no_crop(tmp_path: Path) -> None:
    outside = [
        Track(2, (-50, 0, -10, 40), 0.9, 0),
        Track(4, (float("inf"), 0, 1, 2), 0.9, 0),
        Track(5, (9, 9, 9, 9), 1, 0),
    ]
    write(tmp_path, {0: [person(1, filled=True), *outside, Track(6, (-20, -20, 3, 3), 0.9, 0)]}, 2)
    assert {name.split("/")[0] for name in names(tmp_path)} <= {"5", "6"}


def test_memory_does_not_grow_with_the_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_sink, "_MAX_PEOPLE", 5)
    with CropSink(tmp_path / "crops.csv") as sink:
        for index in range(30):
            image = np.full((96, 128, 3), index, np.uint8)
            sink.write(Frame(index, index / RATE, image), FrameResult(index, index / RATE, (person(index + 1),)))
            assert len(sink._people) <= 5
            assert sum(state.best is not None for state in sink._people.values()) <= 1
    assert len(list(tmp_path.glob("*/best.jpg"))) == 30


def run(folder: Path, **settings: object) -> list[str]:
    with Module.from_backend(FakeBackend()) as module:
        module.tracking(
            striped_people(15),
            folder,
            frame_rate=RATE,
            visualization=False,
            progress=False,
            **settings,  # type: ignore[arg-type]
        )
    return names(folder / "mot_outputs" / "inputimages_crops")


def test_a_second_run_replaces_the_crops_and_nothing_else(tmp_path: Path) -> None:
    first = run(tmp_path, save_crops=True, crop_interval_s=0.2)
    assert len(first) == 2 * (8 + 1)
    own = tmp_path / "mot_outputs" / "inputimages_crops" / "1" / "notes.txt"
    own.write_text("mine")
    assert run(tmp_path, save_crops=True) == [
        f"{i}/{name}.jpg" for i in (1, 2) for name in ("000001", "000011", "best")
    ]
    assert own.read_text() == "mine"


def test_crops_of_unknown_origin_are_kept_unless_they_may_be_overwritten(tmp_path: Path) -> None:
    old = tmp_path / "mot_outputs" / "inputimages_crops" / "7" / "000001.jpg"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"inputimages_crops has crops, but no run of this source.*--overwrite"):
        run(tmp_path, save_crops=True)
    assert old.read_bytes() == b"mine"
    run(tmp_path, save_crops=True, overwrite=True)
    assert not old.exists()


def test_crops_of_another_source_are_kept(tmp_path: Path) -> None:
    run(tmp_path, save_crops=True, name="door")
    images = tmp_path / "images"
    images.mkdir()
    for number, image in enumerate(striped_people(3)):
        cv2.imwrite(str(images / f"{number}.png"), image)
    with Module.from_backend(FakeBackend()) as module, pytest.raises(OutputError, match="another source"):
        module.tracking(images, tmp_path, name="door", formats=["jsonl"], save_crops=True, progress=False)


def test_a_crop_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("a file where the folder of id 1 is needed")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path, {0: [person(1)]}, 1)


@pytest.mark.parametrize("value", [-1, float("nan"), "1", 1e9, True])
def test_other_intervals_are_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="crop_interval_s"):
        OutputOptions(save_crops=True, crop_interval_s=value)  # type: ignore[arg-type]


def test_an_interval_without_crops_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="there are no crops without save_crops=True"):
        OutputOptions(crop_interval_s=2.0)
