"""Folders and glob patterns of images, arrays and cameras as sources."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import index_of, numbered_image
from numpy.typing import NDArray

from fairmot_dla34.errors import InvalidInputError, SourceError
from fairmot_dla34.video import open_source
from fairmot_dla34.video.camera import CameraSource
from fairmot_dla34.video.timing import Clock


def save(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix, image)
    assert ok
    path.write_bytes(data.tobytes())


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "MOT17-02" / "img1"
    for i in (0, 1, 2, 9, 10, 11):  # a plain sort puts 10 before 2
        save(folder / f"frame{i}.png", numbered_image(i))
    (folder / "notes.txt").write_text("not an image")
    (folder / "._frame3.png").write_bytes(b"metadata of macOS")
    return folder


def test_a_folder_is_read_in_natural_order(sequence: Path) -> None:
    with open_source(sequence) as source:
        assert (source.name, source.frame_rate, source.frame_count) == ("MOT17-02", 30.0, 6)
        frames = list(source)
    assert [index_of(f.image) for f in frames] == [0, 1, 2, 9, 10, 11]
    assert [f.index for f in frames] == list(range(6))
    assert frames[3].time_s == pytest.approx(0.1)


def test_the_frame_rate_comes_from_seqinfo(sequence: Path) -> None:
    (sequence.parent / "seqinfo.ini").write_text("[Sequence]\nname=MOT17-02\nframeRate=14\n")
    with open_source(str(sequence)) as source:
        assert source.frame_rate == 14
    with open_source(sequence, frame_rate=7, frame_stride=2) as source:
        assert source.frame_rate == 3.5
        assert source.frame_count == 3
        assert [f.index for f in source] == [0, 2, 4]


@pytest.mark.parametrize("content", ["frameRate=14", "[Sequence]\nframeRate=abc", "[Sequence]\nframeRate=-1", ""])
def test_an_invalid_seqinfo_is_ignored(sequence: Path, content: str) -> None:
    (sequence.parent / "seqinfo.ini").write_text(content)
    with open_source(sequence) as source:
        assert source.frame_rate == 30


def test_a_glob_pattern_selects_images(sequence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_source(str(sequence / "frame1*.png")) as source:
        assert source.name == "MOT17-02"
        assert [index_of(f.image) for f in source] == [1, 10, 11]
    monkeypatch.chdir(sequence)
    with open_source("*.png") as source:
        assert source.name == "MOT17-02"
        assert source.frame_count == 6
    with pytest.raises(SourceError, match=r"matches no images but 1 other files, such as notes.txt"):
        open_source("*.txt")


def test_a_single_image_file_is_a_source_of_one_frame(sequence: Path) -> None:
    with open_source(sequence / "frame9.png") as source:
        assert source.name == "frame9"
        assert [index_of(f.image) for f in source] == [9]


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".bmp", ".webp", ".tif"])
def test_every_image_format_and_names_outside_ascii_are_read(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "街道" / f"图{suffix}", numbered_image(5))
    with open_source(tmp_path / "街道") as source:
        assert source.name == "街道"
        assert [index_of(f.image) for f in source] == [5]


@pytest.mark.parametrize(
    "image",
    [
        numbered_image(6)[..., 0],
        np.dstack([numbered_image(6), np.full((96, 160), 9, np.uint8)]),
        numbered_image(6).astype(np.uint16) << 8,
    ],
)
def test_grey_alpha_and_16_bits_become_bgr(tmp_path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    save(tmp_path / "a.png", image)
    with open_source(tmp_path) as source:
        (frame,) = source
    assert frame.image.shape == (96, 160, 3)
    assert index_of(frame.image) == 6


def test_image_sizes_may_differ(tmp_path: Path) -> None:
    save(tmp_path / "1.png", numbered_image(1))
    save(tmp_path / "2.png", numbered_image(2, 320, 200))
    with open_source(tmp_path) as source:
        assert [f.image.shape[:2] for f in source] == [(96, 160), (200, 320)]


def test_unreadable_images_are_corrupt_frames(sequence: Path, caplog: pytest.LogCaptureFixture) -> None:
    (sequence / "frame1.png").write_bytes(b"not an image")
    (sequence / "frame9.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING), open_source(sequence) as source:
        frames = list(source)
    assert [(f.index, index_of(f.image)) for f in frames] == [(0, 0), (2, 2), (4, 10), (5, 11)]
    assert source.frames_skipped == 2
    assert len(caplog.records) == 1
    assert "frame1.png" in caplog.text


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"contains no images; expected files ending in .*jpg"):
        open_source(tmp_path)
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(SourceError, match="no frame that can be read"), open_source(tmp_path) as source:
        list(source)


def test_arrays_are_taken_from_a_generator_one_at_a_time() -> None:
    taken = []

    def images() -> Iterator[NDArray[np.uint8]]:
        for i in range(5):
            taken.append(i)
            yield numbered_image(i)

    with open_source(images(), frame_rate=20) as source:
        assert (source.name, source.frame_rate, source.frame_count) == ("inputimages", 20, None)
        for frame in source:
            assert taken == list(range(frame.index + 1))
            assert frame.time_s == pytest.approx(frame.index / 20)
            assert index_of(frame.image) == frame.index


def test_one_array_of_many_images_is_accepted() -> None:
    with open_source(np.stack([numbered_image(i) for i in range(3)])) as source:
        assert source.frame_count == 3
        assert len(list(source)) == 3


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "image 1 is a NoneType"),
        (numbered_image(0)[..., 0], r"image 1 has shape \(96, 160\)"),
        (numbered_image(0).astype(np.float32), "image 1 has dtype float32"),
        (np.zeros((0, 5, 3), np.uint8), "image 1 is empty"),
        (np.zeros((4, 5, 4), np.uint8), r"image 1 has shape \(4, 5, 4\)"),
    ],
)
def test_an_invalid_array_is_reported_by_its_index(bad: object, message: str) -> None:
    with open_source([numbered_image(0), bad]) as source, pytest.raises(InvalidInputError, match=message):
        list(source)


def test_no_arrays_and_a_single_array_are_refused() -> None:
    with open_source([]) as source, pytest.raises(SourceError, match="no frame"):
        list(source)
    with pytest.raises(InvalidInputError, match=r"one array of shape .*pass \[image\]"):
        open_source(numbered_image(0))


@pytest.mark.parametrize("spec", [73, "73"])
def test_a_missing_camera_is_an_error_and_opencv_is_silent(spec: int | str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="Camera 73 cannot be opened; expected"):
        open_source(spec)
    assert capfd.readouterr().err == ""  # no message of OpenCV itself


class FailingCamera:
    """A camera of four frames, the second of which it fails to deliver."""

    def __init__(self, index: int) -> None:
        self.left, self.released = 4, False

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's)
        return True

    def get(self, what: int) -> float:
        return 0.0

    def grab(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        return (self.left != 2, numbered_image(self.left))

    def release(self) -> None:
        self.released = True


def test_a_failing_camera_ends_the_stream(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FailingCamera)
    with caplog.at_level(logging.WARNING), open_source("0") as source:
        frames = list(source)
    assert (source.name, source.frame_rate, source.frame_count) == ("camera0", 30.0, None)
    assert [f.index for f in frames] == [0, 2, 3]
    assert [f.time_s for f in frames] == sorted(f.time_s for f in frames)
    assert source.frames_skipped == 1
    assert (source.truncated, source.ended) == (True, "lost")
    assert isinstance(source, CameraSource)
    assert vars(source._capture)["released"]


def test_a_camera_is_released_if_an_argument_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FailingCamera] = []

    def capture(index: int) -> FailingCamera:
        opened.append(FailingCamera(index))
        return opened[-1]

    monkeypatch.setattr(cv2, "VideoCapture", capture)
    with pytest.raises(InvalidInputError):
        open_source("0", frame_rate=0)
    assert [camera.released for camera in opened] == [True]


def test_the_clock_always_increases_over_disorder_and_restarts() -> None:
    clock = Clock(10.0)
    assert [clock.next_time(t) for t in (5.0, 5.1, 5.05, 5.3)] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert clock.next_time(0.0) == pytest.approx(0.4)  # a second recording
    assert clock.next_time(0.5) == pytest.approx(0.9)
    assert clock.next_time(None) == pytest.approx(1.0)
    assert clock.next_time(None, 3) == pytest.approx(1.3)


def test_importing_loads_neither_opencv_nor_pyav() -> None:
    code = "import sys, fairmot_dla34.video, fairmot_dla34.outputs; print({'cv2', 'av'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "set()"
