"""Tests of datasets without labels, made of the frames of a video or of the images of a folder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import index_of, numbered_image, write_clip

from fairmot_dla34.datasets import Dataset, prepare_sequences
from fairmot_dla34.datasets.preparation import frames
from fairmot_dla34.datasets.preparation.frames import is_unlabelled, prepare_frames
from fairmot_dla34.datasets.values import ImageLabels, SourceImage, SourceSequence
from fairmot_dla34.errors import DatasetError, SourceError

CLASSES = ("person",)


def made(source: Path, folder: Path, *, excluded: tuple[Dataset, ...] = ()) -> tuple[Dataset, list[int], int]:
    """Return the dataset, the indices of the frames in it, and how many were left out."""
    left_out = prepare_frames(source, folder, classes=CLASSES, excluded=excluded, part="train", progress=False)
    dataset = Dataset.open(folder)
    return dataset, [index_of(dataset.read_image(image)) for image in dataset.images("train")], left_out


def write_images(folder: Path, indices: range) -> Path:
    folder.mkdir()
    for index in indices:
        (folder / f"{index}.png").write_bytes(cv2.imencode(".png", numbered_image(index))[1].tobytes())
    return folder


def test_frames_are_five_a_second_over_the_whole_video(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 60, rate=Fraction(30))
    dataset, indices, _ = made(clip, tmp_path / "frames")
    assert indices == list(range(0, 60, 6))
    (sequence,) = dataset.sequences("train")
    assert sequence.is_video
    assert sequence.frame_rate == pytest.approx(5)
    assert is_unlabelled(dataset)


def test_a_long_video_is_thinned_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAMES", 10)
    clip = write_clip(tmp_path / "clip.mp4", 100, rate=Fraction(5))
    dataset, indices, _ = made(clip, tmp_path / "frames")
    assert indices == list(range(0, 100, 16))
    assert dataset.sequences("train")[0].frame_rate == pytest.approx(5 / 16)
    assert len(list((tmp_path / "frames").rglob("*.jpg"))) == len(indices)


def test_the_whole_image_is_an_ignored_area(tmp_path: Path) -> None:
    dataset, _, _ = made(write_clip(tmp_path / "clip.mp4", 2), tmp_path / "frames")
    labels = dataset.labels(dataset.images("train")[0])
    assert len(labels) == 0
    np.testing.assert_allclose(labels.ignored, [[-160, -96, 320, 192]], atol=0.01)


def test_a_folder_of_images_is_taken_as_stills(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "stills", range(12))
    dataset, indices, _ = made(folder, tmp_path / "frames")
    assert indices == list(range(12))
    assert not dataset.sequences("train")[0].is_video
    assert dataset.images("train")[0].path.samefile(folder / "0.png")


def test_the_same_video_is_read_once_and_another_one_replaces_it(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 12)
    first, _, _ = made(clip, tmp_path / "frames")
    before = first.images("train")[0].path.stat().st_mtime_ns
    again, _, _ = made(clip, tmp_path / "frames")
    assert again.digest == first.digest
    assert again.images("train")[0].path.stat().st_mtime_ns == before
    write_clip(clip, 20, first=100)
    other, indices, _ = made(clip, tmp_path / "frames")
    assert other.digest != first.digest
    assert indices[0] == 100


def test_frames_that_look_like_excluded_images_are_left_out(tmp_path: Path) -> None:
    """The frame of the video was encoded another time, so that no byte is equal."""
    folder = write_images(tmp_path / "validation", range(3, 5))
    images = [SourceImage(path, 160, 96, ImageLabels.empty()) for path in sorted(folder.iterdir())]
    prepare_sequences([SourceSequence("val", images)], folder, tmp_path / "prepared", name="made", progress=False)
    excluded = (Dataset.open(tmp_path / "prepared"),)
    clip = write_clip(tmp_path / "clip.mp4", 8, rate=Fraction(5), crf="30")
    _, indices, left_out = made(clip, tmp_path / "frames", excluded=excluded)
    assert (indices, left_out) == ([0, 1, 2, 5, 6, 7], 2)
    _, indices, left_out = made(write_images(tmp_path / "stills", range(5)), tmp_path / "others", excluded=excluded)
    assert (indices, left_out) == ([0, 1, 2], 2)
    with pytest.raises(DatasetError, match=r"Every frame of .* looks like a validation image"):
        made(write_images(tmp_path / "same", range(3, 5)), tmp_path / "none", excluded=excluded)


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        made(tmp_path / "clip.mp4", tmp_path / "frames")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images and is no prepared dataset"):
        made(tmp_path / "empty", tmp_path / "frames")
