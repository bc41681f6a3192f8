"""Image files with several frames: all of them as a video, or the first one with a warning."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import index_of, numbered_image
from numpy.typing import NDArray

from fairmot_dla34.errors import SourceError
from fairmot_dla34.video import open_source
from fairmot_dla34.video.image_animation import frame_count
from fairmot_dla34.video.tiff_pages import frame_pages

COUNT = 9


def write_animation(path: Path) -> Path:
    """Write numbered images, 10 per second, in the format of the suffix."""
    if path.suffix in {".tif", ".tiff"}:
        assert cv2.imwritemulti(str(path), [numbered_image(i) for i in range(COUNT)])
        return path
    codec, container, pixels = {
        ".webp": ("libwebp_anim", "webp", "bgra"),
        ".gif": ("gif", "gif", "bgr8"),
        ".png": ("apng", "apng", "rgb24"),
        ".apng": ("apng", "apng", "rgb24"),
    }[path.suffix]
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, pixels
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(numbered_image(index), format="bgr24").reformat(format=pixels)
            frame.pts, frame.time_base = index, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".apng", ".tif", ".tiff"])
def test_every_frame_of_an_animation_is_read(tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    path = write_animation(tmp_path / f"walk{suffix}")
    with caplog.at_level(logging.WARNING), open_source(path) as source:
        frames = list(source)
    assert source.name == "walk"
    assert [(f.index, index_of(f.image)) for f in frames] == [(i, i) for i in range(COUNT)]
    rate = 30 if suffix.startswith(".tif") else 10  # TIFF states no rate
    assert source.native_rate == pytest.approx(rate)
    assert [f.time_s for f in frames] == pytest.approx([i / rate for i in range(COUNT)])
    assert not caplog.records
    with open_source(path, frame_rate=5, frame_stride=2) as source:
        frames = list(source)
    assert [(f.index, index_of(f.image)) for f in frames] == [(i, i) for i in range(0, COUNT, 2)]
    assert [f.time_s for f in frames] == pytest.approx([i / 5 for i in range(0, COUNT, 2)])


@pytest.mark.parametrize("suffix", [".webp", ".png", ".tif"])
def test_in_a_folder_the_first_frame_is_used_with_one_warning(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abc":
        write_animation(tmp_path / f"{name}{suffix}")
    with caplog.at_level(logging.WARNING), open_source(tmp_path) as source:
        assert [index_of(frame.image) for frame in source] == [0, 0, 0]
    (record,) = caplog.records
    assert f"a{suffix} has {COUNT} frames; only the first one is used" in record.message


def test_webp_frames_equal_those_of_opencv(tmp_path: Path) -> None:
    """OpenCV 4.11 and later read animations, all frames at once."""
    if not hasattr(cv2, "imreadanimation"):
        pytest.skip("OpenCV reads no animations")
    path = tmp_path / "a.webp"
    rng = np.random.default_rng(5)
    animation = cv2.Animation()
    frames: list[NDArray[np.uint8]] = []
    for index in range(6):  # transparent parts, and changes in a part only: frames smaller than the canvas
        image = np.zeros((64, 90, 4), np.uint8) if index == 0 else frames[-1].copy()
        image[10 : 30 + index, 5 : 20 + 8 * index] = rng.integers(0, 256, (20 + index, 15 + 8 * index, 4))
        image[..., 3] = np.where(image[..., 3] > 100, 255, 0)
        frames.append(image)
    animation.frames, animation.durations = frames, [50] * len(frames)
    assert cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    expected = cv2.imreadanimation(str(path))[1].frames
    with open_source(path) as source:
        assert source.native_rate == pytest.approx(20)
        shown = [frame.image for frame in source]
    assert len(shown) == len(expected)
    for image, other in zip(shown, expected, strict=True):
        opaque = other[..., 3] == 255
        assert np.array_equal(image[opaque], other[..., :3][opaque])


def test_previews_in_a_tiff_are_not_frames(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.tif")
    data = bytearray(path.read_bytes())
    for page in frame_pages(bytes(data))[0][1::2]:  # the directory's first entry is tag 254, the kind of the page
        assert bytes(data[page.position + 2 : page.position + 4]) == b"\xfe\x00"
        data[page.position + 10] = 1  # a smaller version of another page
    path.write_bytes(data)
    with open_source(path) as source:
        assert [index_of(frame.image) for frame in source] == [0, 2, 4, 6, 8]


def test_damaged_frames_are_skipped(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.webp")
    data = bytearray(path.read_bytes())
    start = [i for i in range(len(data)) if data[i : i + 4] == b"ANMF"][4]
    data[start + 24 : start + 44] = bytes(20)
    path.write_bytes(data)
    with open_source(path) as source:
        shown = [frame.index for frame in source]
    assert source.frames_skipped == COUNT - len(shown) == 1


def test_a_tiff_whose_pages_form_a_circle_ends(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.tif")
    data = bytearray(path.read_bytes())
    pages, _ = frame_pages(bytes(data))
    last = pages[-1].position
    entries = int.from_bytes(data[last : last + 2], "little")
    data[last + 2 + 12 * entries : last + 6 + 12 * entries] = pages[0].position.to_bytes(4, "little")
    assert len(frame_pages(bytes(data))[0]) == COUNT
    path.write_bytes(data)
    with open_source(path) as source:
        assert len(list(source)) == COUNT


def test_an_animation_too_large_is_refused(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.webp")
    data = bytearray(path.read_bytes())
    data[24:30] = b"\xff\x3f\x00" * 2  # 16384 x 16384 px
    path.write_bytes(data)
    assert frame_count(bytes(data)) == COUNT
    with pytest.raises(SourceError, match="16384 x 16384 px is more than 67 million px"):
        open_source(path)
