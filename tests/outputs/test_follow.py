"""The video that follows one person: size, smoothness, gaps, and an id that never appears."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from fairmot_dla34.errors import InvalidInputError, OutputError, StateError
from fairmot_dla34.outputs import SinkContext
from fairmot_dla34.outputs.follow_camera import FollowCamera
from fairmot_dla34.outputs.follow_sink import FollowSink, crop_image
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import Frame, FrameResult, Track

RATE = 20.0
Box = tuple[float, float, float, float]


def write(path: Path, boxes: dict[int, Box], frames: int, *, track_id: int = 4, width: int = 320) -> list[float]:
    """Write a video of frames whose grey level is the column; return the times of the frames in the file."""
    image = np.repeat(np.tile(np.linspace(0, 250, width).astype(np.uint8), (192, 1))[:, :, None], 3, axis=2)
    with FollowSink(path, track_id, SinkContext(RATE)) as sink:
        for index in range(frames):
            tracks = [Track(9, (0, 0, 20, 40), 0.9, 0)]
            if index in boxes:
                tracks.append(Track(4, boxes[index], 0.9, 0))
            sink.write(Frame(index, index / RATE, image), FrameResult(index, index / RATE, tuple(tracks)))
    if not path.exists():
        return []
    with av.open(str(path)) as container:
        frames_read = list(container.decode(video=0))
    assert {(frame.width, frame.height) for frame in frames_read} == {(144, 192)}
    return [float(frame.time or 0) for frame in frames_read]


def walking(frames: range, speed: float = 2.0) -> dict[int, Box]:
    return {index: (50 + speed * index, 60, 80 + speed * index, 140) for index in frames}


def test_the_video_starts_with_the_person_and_holds_through_a_gap(tmp_path: Path) -> None:
    boxes = walking(range(10, 30)) | walking(range(50, 60))
    times = write(tmp_path / "a.mp4", boxes, 60)
    assert times == pytest.approx([index / RATE for index in range(50)], abs=1e-3)


def test_a_long_absence_is_left_out(tmp_path: Path) -> None:
    times = write(tmp_path / "a.mp4", walking(range(10)) | walking(range(100, 110)), 200)
    # ten frames, two seconds without the person, and the same again
    assert len(times) == 2 * (10 + 40)
    assert np.diff(times) == pytest.approx(1 / RATE, abs=2e-3)


def test_an_id_that_never_appears_leaves_no_file(tmp_path: Path) -> None:
    assert write(tmp_path / "a.mp4", walking(range(10)), 10, track_id=5) == []
    assert not list(tmp_path.iterdir())


def test_a_file_that_another_program_truncates_is_an_error(tmp_path: Path) -> None:
    """The fragments after the cut would follow null characters, and no player would open the file."""
    path, image = tmp_path / "a.mp4", np.full((192, 320, 3), 90, np.uint8)
    sink = FollowSink(path, 4, SinkContext(RATE))
    for index, box in walking(range(60)).items():
        if index == 50:
            os.truncate(path, 0)
        sink.write(Frame(index, index / RATE, image), FrameResult(index, index / RATE, (Track(4, box, 0.9, 0),)))
    with pytest.raises(OutputError, match="was changed by another"):
        sink.close()


def test_the_camera_removes_jitter_and_keeps_up_with_a_walking_person() -> None:
    noise = np.random.default_rng(1).normal(0, 3, (400, 4))  # px, of a person of 150 px
    camera = FollowCamera((540, 720))
    views = []
    boxes = []
    for index in range(400):
        x = 300 + (max(0, index - 200) * 6.0)  # still, then 1.2 heights a second
        boxes.append(np.array([x - 30, 200, x + 30, 350]) + noise[index])
        views.append(camera.look_at(tuple(boxes[-1].tolist()), 1 / 30))
    shown, raw = np.array(views), np.array(boxes)
    centre = (raw[:, 0] + raw[:, 2]) / 2
    still = slice(60, 200)
    assert np.diff(shown[still, 0], 2).std() < np.diff(centre[still], 2).std() / 8
    assert np.diff(shown[still, 2]).std() / shown[still, 2].mean() < 0.002  # the zoom, of a frame
    lag = centre[320:] - shown[320:, 0]
    assert abs(lag).max() < 0.35 * 150  # of the height, in a crop as wide as 1.25 heights


def test_a_part_of_an_image_is_moved_inside_and_scaled() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    image[80:120, 100:140] = 255
    for size in ((150, 200), (30, 40)):  # enlarged and reduced
        crop = crop_image(image, (120.0, 100.0, 100.0), size)
        assert crop.shape == (size[1], size[0], 3)
        assert crop[size[1] // 2, size[0] // 2].tolist() == [255] * 3
        assert crop[:, :, 0].mean() == pytest.approx(255 * 40 * 40 / 7500, rel=0.06)
    corner = crop_image(image, (-500.0, 1e6, 100.0), (75, 100))
    assert np.array_equal(corner, image[100:200, :75])
    assert crop_image(image, (150.0, 100.0, 1000.0), (75, 100))[0, 0].tolist() == [0, 0, 0]  # larger than the image


def test_boxes_that_are_not_finite_and_images_of_another_size_are_no_error(tmp_path: Path) -> None:
    odd = {0: (10.0, 10.0, 40.0, 90.0), 1: (float("nan"),) * 4, 2: (1e7, 0.0, 1e7, 0.0), 3: (0.0, 0.0, 1e6, 1e6)}
    assert len(write(tmp_path / "a.mp4", odd, 5)) == 5
    with FollowSink(tmp_path / "b.mp4", 4, SinkContext(RATE)) as sink:
        for index, side in enumerate((64, 1, 200)):
            result = FrameResult(index, index / RATE, (Track(4, (0, 0, 20, 40), 0.9, 0),))
            sink.write(Frame(index, index / RATE, np.zeros((side, side, 3), np.uint8)), result)
    with pytest.raises(StateError, match="closed"):
        sink.write(Frame(9, 9.0, np.zeros((8, 8, 3), np.uint8)), result)


@pytest.mark.parametrize("value", [0, -1, 1.0, "2", True, 2**31])
def test_other_ids_are_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="expected the id of a track"):
        OutputOptions(follow=value)  # type: ignore[arg-type]
