"""Damaged and invalid files: intact frames are read, and one message reports the rest."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from clips import corrupt, index_of, write_clip

from fairmot_dla34.errors import InvalidInputError, SourceError, SourceNotFoundError
from fairmot_dla34.values import Frame
from fairmot_dla34.video import Source, open_source
from fairmot_dla34.video.lost_frames import LostFrameCounter


def read(spec: Any, **options: Any) -> tuple[Source, list[Frame]]:
    with open_source(spec, **options) as source:
        frames = list(source)
    return source, frames


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.avi", {"codec": "mjpeg"}),
        ("a.mkv", {"g": "1"}),
        ("a.mp4", {"g": "1"}),
        ("b.avi", {"codec": "mpeg4", "g": "1"}),
    ],
)
def test_corrupt_frames_are_skipped_counted_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, options: dict[str, Any]
) -> None:
    path = corrupt(write_clip(tmp_path / name, 40, **options), [20, 30])
    with caplog.at_level(logging.WARNING, "fairmot_dla34"):
        source, frames = read(path)
    expected = [i for i in range(40) if i not in {20, 30}]
    assert [f.index for f in frames] == expected  # the gap keeps later indices aligned with a ground truth
    assert [index_of(f.image) for f in frames] == expected
    assert [f.time_s for f in frames] == pytest.approx([i / (30000 / 1001) for i in expected], abs=0.0011)
    assert source.frames_skipped == 2
    assert not source.truncated
    assert len(caplog.records) == 1
    assert str(path) in caplog.text
    assert "frame 20 " in caplog.text


def test_indices_are_correct_from_the_next_keyframe_after_damage(tmp_path: Path) -> None:
    path = corrupt(write_clip(tmp_path / "a.mp4", 60, g="10", bf="0"), [25])
    source, frames = read(path)
    assert source.frames_skipped >= 1
    later = [f for f in frames if f.index >= 30]
    assert [(f.index, index_of(f.image)) for f in later] == [(i, i) for i in range(30, 60)]


def test_silent_losses_count_only_in_streams_of_one_image_per_packet() -> None:
    plain = LostFrameCounter()
    for stamp in range(6):
        plain.add_packet(float(stamp))
    assert plain.settle_before(0.0) == (0, 0)
    plain.add_loss(1.0)
    assert plain.pending == 1
    assert plain.settle_before(3.0) == (2, 1)  # 1 was reported, 2 vanished
    assert plain.settle_before(4.0) == (0, 0)
    hidden = LostFrameCounter()
    for stamp in range(6):
        hidden.add_packet(float(stamp))
    assert hidden.settle_before(1.0) == (0, 0)  # packet 0 was a hidden reference
    hidden.add_loss(2.0)
    assert hidden.settle_before(4.0) == (1, 0)
    assert LostFrameCounter().settle_before(None) == (0, 0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.avi", {"codec": "mjpeg"}),
        ("a.mkv", {"g": "10"}),
        ("a.mp4", {"g": "10", "container_options": {"movflags": "faststart"}}),
    ],
)
def test_a_truncated_video_gives_the_frames_before_the_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, options: dict[str, Any]
) -> None:
    path = write_clip(tmp_path / name, 120, bf="0", **options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with caplog.at_level(logging.WARNING, "fairmot_dla34"):
        source, frames = read(path)
    assert 30 < len(frames) < 90
    assert [index_of(f.image) for f in frames] == list(range(len(frames)))
    assert source.truncated
    assert sum("ended early" in record.message for record in caplog.records) == 1


def test_a_truncated_real_video_is_read_up_to_the_cut(tmp_path: Path, pets_video: Path) -> None:
    data = pets_video.read_bytes()
    (tmp_path / "half.avi").write_bytes(data[: len(data) // 2])
    source, frames = read(tmp_path / "half.avi", frame_stride=10)
    assert source.truncated
    assert 30 <= len(frames) <= 50


def test_an_mp4_without_its_index_is_named(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 60)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match=r"a\.mp4 is an mp4 whose index \('moov'\) is missing.*expected.*repair"):
        open_source(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello world\n" * 100, "is not a video"),
        (b"", "is empty, 0 bytes"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 9, "is not a video"),
    ],
)
def test_text_and_empty_files_named_mp4_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "street.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"street.mp4 {message}.*expected"):
        open_source(path)


def test_a_container_header_without_frames_is_an_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", 20, codec="mjpeg")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(SourceError, match=r"a\.avi .*expected"):
        read(path)


def test_a_video_of_corrupt_frames_only_is_an_error(tmp_path: Path) -> None:
    path = corrupt(write_clip(tmp_path / "a.avi", 5, codec="mjpeg"), range(5))
    with pytest.raises(SourceError, match=r"no frame that can be read \(5 corrupt\)"):
        read(path)


@pytest.mark.parametrize("spec", ["nowhere.mp4", "folder/none", "*.jpg", "no[0-9]where/*.png"])
def test_a_source_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceNotFoundError, match="expected"):
        open_source(spec)


@pytest.mark.parametrize("spec", ["", "  ", "a\0b", None, 1.5, True, b"a.mp4", "ftp://host/a.mp4", -1])
def test_a_source_of_unknown_kind_is_refused(spec: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        open_source(spec)
