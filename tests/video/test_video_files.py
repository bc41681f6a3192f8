"""Video files: every frame is read once, in order, at its time, and oriented as in a player."""

from __future__ import annotations

import logging
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import NTSC, index_of, numbered_image, write_clip

from fairmot_dla34.errors import InvalidInputError, StateError
from fairmot_dla34.values import Frame
from fairmot_dla34.video import Source, open_source


def read(spec: Path, **options: Any) -> tuple[Source, list[Frame]]:
    with open_source(spec, **options) as source:
        frames = list(source)
    return source, frames


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "libx264"),
        ("a.ts", "libx264"),
        ("b.avi", "mjpeg"),
        ("b.mov", "mpeg4"),
        ("b.webm", "libvpx"),
    ],
)
def test_every_frame_comes_once_in_order_at_its_time(tmp_path: Path, name: str, codec: str) -> None:
    source, frames = read(write_clip(tmp_path / name, 45, codec=codec))
    assert [index_of(f.image) for f in frames] == list(range(45))
    assert [f.index for f in frames] == list(range(45))
    assert source.frame_rate == float(NTSC)  # exact, not 29 and not 29.97
    assert [f.time_s for f in frames] == pytest.approx([i / float(NTSC) for i in range(45)], abs=0.0011)
    assert source.frame_count in {45, None}
    assert (source.frames_skipped, source.truncated, source.name) == (0, False, name[0])


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 0.3, 0.34, 1.0, 1.04, 2.5]
    for name in ("a.mp4", "a.mkv"):
        source, frames = read(write_clip(tmp_path / name, 8, times_s=times))
        assert [f.time_s for f in frames] == pytest.approx(times, abs=0.001)
        assert not source.truncated


def test_a_video_that_starts_late_starts_at_zero(tmp_path: Path) -> None:
    _, frames = read(write_clip(tmp_path / "a.mkv", 3, times_s=[7.0, 7.1, 7.2]))
    assert [f.time_s for f in frames] == pytest.approx([0, 0.1, 0.2], abs=0.002)


def test_a_stated_frame_rate_overrides_the_file(tmp_path: Path) -> None:
    source, frames = read(write_clip(tmp_path / "a.mp4", 5), frame_rate=10)
    assert source.frame_rate == 10
    assert [f.time_s for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_a_stride_keeps_indices_and_times(tmp_path: Path) -> None:
    source, frames = read(write_clip(tmp_path / "a.mp4", 20), frame_stride=6)
    assert [(f.index, index_of(f.image)) for f in frames] == [(i, i) for i in (0, 6, 12, 18)]
    assert source.frame_count == 4
    assert source.frame_rate == pytest.approx(float(NTSC) / 6)
    assert frames[1].time_s == pytest.approx(6 / float(NTSC), abs=1e-4)


@pytest.mark.parametrize(("stride", "rate"), [(0, None), (-1, None), (1.5, None), (True, None), (1, 0), (1, -5.0)])
def test_an_invalid_stride_or_rate_is_refused(tmp_path: Path, stride: Any, rate: float | None) -> None:
    path = write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(InvalidInputError, match="expected"):
        open_source(path, frame_rate=rate, frame_stride=stride)


# display matrices as phones write them, and the corner in which a player shows the stored image's top left corner
ORIENTATIONS = {
    "upright": ((1, 0, 0, 1), "top left"),
    "90": ((0, 1, -1, 0), "top right"),
    "180": ((-1, 0, 0, -1), "bottom right"),
    "270": ((0, -1, 1, 0), "bottom left"),
    "mirrored": ((-1, 0, 0, 1), "top right"),
    "upside down": ((1, 0, 0, -1), "bottom left"),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_phone_video_is_rotated_as_a_player_shows_it(tmp_path: Path, orientation: str) -> None:
    (a, b, c, d), corner = ORIENTATIONS[orientation]
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = np.full((48, 64, 3), 40, np.uint8)
        image[:16, :16] = 220
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # ISO 14496-12: the matrix in the track header
    one = 1 << 16
    data[start : start + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    _, frames = read(path)
    shown = frames[0].image
    assert shown.shape == ((48, 64, 3) if a else (64, 48, 3))
    bright = {
        "top left": shown[:10, :10],
        "top right": shown[:10, -10:],
        "bottom left": shown[-10:, :10],
        "bottom right": shown[-10:, -10:],
    }
    assert {name for name, part in bright.items() if part.mean() > 127} == {corner}
    assert shown.flags.c_contiguous


def test_a_change_of_size_in_the_middle_is_kept(tmp_path: Path) -> None:
    parts = [write_clip(tmp_path / "1.ts", 10), write_clip(tmp_path / "2.ts", 10, size=(320, 192), first=10)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, frames = read(joined)
    assert [index_of(f.image) for f in frames] == list(range(20))
    assert [f.image.shape[:2] for f in frames] == [(96, 160)] * 10 + [(192, 320)] * 10
    steps = np.diff([f.time_s for f in frames])
    assert steps.min() > 0  # the second part's stamps restart
    assert steps.max() < 0.2


def test_a_raw_stream_without_time_stamps_runs_at_its_rate(tmp_path: Path) -> None:
    _, frames = read(write_clip(tmp_path / "a.h264", 10, rate=Fraction(25), bf="0"))
    assert [index_of(f.image) for f in frames] == list(range(10))
    assert [f.time_s for f in frames] == pytest.approx([i / 25 for i in range(10)])


def test_file_names_outside_ascii_and_with_dots_are_accepted(tmp_path: Path) -> None:
    source, frames = read(write_clip(tmp_path / "街道 v1.2%03d.mp4", 3))
    assert source.name == "街道 v1.2%03d"
    assert len(frames) == 3


def test_a_source_can_be_read_only_once(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 3)
    with open_source(path) as source:
        assert len(list(source)) == 3
        with pytest.raises(StateError, match="open it again"):
            iter(source)
    halfway = open_source(path)
    frames = iter(halfway)
    next(frames)
    halfway.close()
    with pytest.raises(StateError, match="closed while it was read"):
        next(frames)
    closed = open_source(path)
    closed.close()
    closed.close()
    with pytest.raises(StateError):
        iter(closed)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "long.mp4", 1200, size=(640, 360), preset="ultrafast")  # 829 MB of images

    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    with open_source(path) as source:
        for frame in source:
            if frame.index == 200:
                early = resident_mb()
    assert frame.index == 1199
    assert resident_mb() - early < 15


def test_times_of_a_real_video_are_regular(pets_video: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), open_source(pets_video) as source:
        assert (source.name, source.frame_rate, source.frame_count) == ("vtest_480x360", 10.0, 795)
        times = [frame.time_s for frame in source]
    assert times == pytest.approx([i / 10 for i in range(795)])  # this AVI's presentation stamps jump back and forth
    assert not caplog.records


def test_frames_do_not_share_memory(tmp_path: Path) -> None:
    _, frames = read(write_clip(tmp_path / "a.mp4", 4))
    assert not np.shares_memory(frames[0].image, frames[1].image)
    assert abs(int(frames[1].image[50, 5, 0]) - int(numbered_image(1)[50, 5, 0])) < 12


def test_pixels_equal_those_of_a_conversion_set_up_per_image(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 4, size=(150, 98))
    with av.open(str(path)) as container:
        expected = [image.to_ndarray(format="bgr24") for image in container.decode(video=0)]
    with open_source(path) as source:
        frames = [frame.image for frame in source]
    assert all(np.array_equal(image, other) for image, other in zip(frames, expected, strict=True))


def test_images_of_a_file_are_writable(tmp_path: Path) -> None:
    """Also if the file stores BGR images, which the decoder may read again."""
    path = tmp_path / "raw.avi"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "bgr24"
        for index in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(index), format="bgr24")))
        out.mux(stream.encode(None))
    with open_source(path) as source:
        for index, frame in enumerate(source):
            assert np.array_equal(frame.image, numbered_image(index))
            frame.image[:] = 0
