"""Ranges of a video: together they are the frames, indices and times of the whole video, whatever it contains."""

from __future__ import annotations

import hashlib
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import corrupt, write_clip

from fairmot_dla34.cluster.chunks import divide, without_start
from fairmot_dla34.cluster.packet_table import read_packet_table
from fairmot_dla34.cluster.ranges import FrameRange, InexactRangeError, RangeSource
from fairmot_dla34.errors import SourceError
from fairmot_dla34.video import Source, open_source

COUNT = 100
GOP: dict[str, Any] = {"g": "20"}
OPEN: dict[str, Any] = {"g": "20", "x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0"}
X265 = "log-level=none:keyint=20:bframes=4:open-gop="
KEYED = "from key frames"  # every range
PARTLY = "partly"  # a range is inexact, and those after it are read from the start
FROM_START = "from the start"

CLIPS: dict[str, tuple[str, dict[str, Any], str]] = {
    "mp4": ("a.mp4", GOP, KEYED),
    "mp4, open groups": ("a.mp4", OPEN, KEYED),
    "mp4, no B-frames": ("a.mp4", {**GOP, "bf": "0"}, KEYED),
    "mp4, key frames only": ("a.mp4", {"g": "1"}, KEYED),
    "mp4, one key frame": ("a.mp4", {"g": "1000"}, KEYED),
    "mp4, variable rate": ("a.mp4", {**GOP, "times_s": [i * 0.04 + 0.013 * (i % 3) for i in range(COUNT)]}, KEYED),
    "mp4, fragments": ("a.mp4", {**GOP, "container_options": {"movflags": "frag_keyframe+empty_moov"}}, KEYED),
    "mp4, intra refresh": ("a.mp4", {"x264-params": "intra-refresh=1:keyint=20"}, ""),
    "mov, MPEG-4 with B-frames": ("a.mov", {**GOP, "codec": "mpeg4", "bf": "2"}, KEYED),
    "mkv": ("a.mkv", GOP, KEYED),
    "mkv, open groups": ("a.mkv", OPEN, KEYED),
    "mkv, a gap": ("a.mkv", {**GOP, "times_s": [i * 0.04 + (100 if i > 50 else 0) for i in range(COUNT)]}, KEYED),
    "mkv, HEVC": ("a.mkv", {"codec": "libx265", "x265-params": X265 + "0"}, KEYED),
    "mkv, HEVC with open groups": ("a.mkv", {"codec": "libx265", "x265-params": X265 + "1"}, KEYED),
    "webm, VP9": ("a.webm", {**GOP, "codec": "libvpx-vp9", "deadline": "realtime", "cpu-used": "8"}, KEYED),
    "ts": ("a.ts", GOP, KEYED),
    "ts, open groups": ("a.ts", OPEN, KEYED),
    "ts, MPEG-2": ("a.ts", {**GOP, "codec": "mpeg2video", "bf": "2", "rate": Fraction(25)}, KEYED),
    "avi, MPEG-4": ("a.avi", {**GOP, "codec": "mpeg4"}, KEYED),
    "avi, MPEG-4 with B-frames": ("a.avi", {**GOP, "codec": "mpeg4", "bf": "2"}, PARTLY),
    "avi, H.264": ("a.avi", GOP, PARTLY),
    "avi, motion JPEG": ("a.avi", {"codec": "mjpeg"}, KEYED),
    "flv": ("a.flv", {**GOP, "codec": "flv"}, FROM_START),
    "mpg": ("a.mpg", {**GOP, "codec": "mpeg2video", "bf": "2", "rate": Fraction(25)}, FROM_START),
    "h264": ("a.h264", GOP, FROM_START),
}


@pytest.mark.parametrize("name", CLIPS)
def test_the_ranges_are_the_whole_video(tmp_path: Path, name: str) -> None:
    file, options, way = CLIPS[name]
    if options.get("codec", "libx264") not in av.codecs_available:
        pytest.skip(f"this PyAV cannot encode {options['codec']}")
    assert ways_of(write_clip(tmp_path / file, COUNT, size=(96, 64), **options)) in {way or KEYED, way or PARTLY}


@pytest.mark.parametrize(
    "options", [{"frame_stride": 3}, {"frame_rate": 10.0}, {"frame_rate": 50.0, "frame_stride": 7}]
)
def test_stride_and_rate_are_those_of_the_whole_video(tmp_path: Path, options: dict[str, Any]) -> None:
    assert ways_of(write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), **GOP), **options) == KEYED


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("packets", [[45], [19, 20, 21], [2, 60, 99]])
def test_damaged_packets_give_the_same_frames_and_losses(tmp_path: Path, file: str, packets: list[int]) -> None:
    options = {**GOP, "codec": "mpeg4"} if file == "a.avi" else OPEN
    ways_of(corrupt(write_clip(tmp_path / file, COUNT, size=(96, 64), **options), packets))


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("seed", range(4))
def test_random_damage_gives_the_same_frames_and_losses(tmp_path: Path, file: str, seed: int) -> None:
    path = write_clip(tmp_path / file, COUNT, size=(96, 64), **GOP)
    data, noise = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for start in noise.integers(2000, len(data) - 3000, 5):
        data[start : start + 3] = noise.bytes(3)
    path.write_bytes(data)
    ways_of(path)


@pytest.mark.parametrize("file", ["a.mkv", "a.ts"])
def test_a_cut_file_ends_the_same_way(tmp_path: Path, file: str) -> None:
    path = write_clip(tmp_path / file, COUNT, size=(96, 64), **GOP)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    ways_of(path)


def test_joined_recordings_keep_their_times(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.ts", COUNT // 2, size=(96, 64), **GOP)
    path.write_bytes(path.read_bytes() * 2)
    ways_of(path)


def test_a_rotated_video_is_rotated_in_each_range(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), **GOP)
    data, one = bytearray(path.read_bytes()), 1 << 16
    start = data.index(b"tkhd") + 4 + 40  # ISO 14496-12: the matrix in the track header
    data[start : start + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    assert ways_of(path) == KEYED


def test_a_size_that_changes_is_kept(tmp_path: Path) -> None:
    first = write_clip(tmp_path / "a.ts", COUNT // 2, size=(96, 64), **GOP)
    second = write_clip(tmp_path / "b.ts", COUNT // 2, size=(128, 96), first=COUNT // 2, **GOP)
    path = tmp_path / "c.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    ways_of(path)


def test_an_edit_list_is_kept(tmp_path: Path) -> None:
    """Frames before the edit are decoded and not shown."""
    path = write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), rate=Fraction(25), **GOP)
    data = bytearray(path.read_bytes())
    start = data.index(b"elst") + 12  # ISO 14496-12: one entry of duration, media time and rate
    (time,) = struct.unpack(">i", data[start + 4 : start + 8])
    scale = struct.unpack(">I", data[data.index(b"mdhd") + 16 : data.index(b"mdhd") + 20])[0]
    data[start + 4 : start + 8] = struct.pack(">i", time + scale)  # one second later
    path.write_bytes(data)
    with open_source(path) as source:
        assert len(list(source)) < COUNT
    ways_of(path)


def test_packets_that_are_wrongly_marked_as_key_frames_change_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), rate=Fraction(25), bf="0", **GOP)
    data = bytearray(path.read_bytes())
    start = data.index(b"stss") + 8  # ISO 14496-12: number of key frames, then the number of each, from 1
    (count,) = struct.unpack(">I", data[start : start + 4])
    numbers = struct.unpack(f">{count}I", data[start + 4 : start + 4 + 4 * count])
    data[start + 4 : start + 4 + 4 * count] = struct.pack(f">{count}I", *(n + 7 if n > 1 else n for n in numbers))
    path.write_bytes(data)
    ways_of(path)


def test_a_file_that_changes_after_the_plan_is_noticed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), **GOP)
    ranges = divide(read_packet_table(path), 1.0)
    write_clip(path, COUNT, size=(128, 64), **GOP)
    for frames in ranges:
        with RangeSource(path, frames) as source, pytest.raises(InexactRangeError, match="read it from its start"):
            list(source)


def test_a_range_behind_the_end_is_empty(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 20, size=(96, 64))
    source = RangeSource(path, FrameRange(500, 600))
    with source, pytest.raises(SourceError):
        list(source)
    assert source.is_empty


def test_ranges_have_the_length_that_is_asked_for(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", COUNT, size=(96, 64), rate=Fraction(25), **GOP, sc_threshold="0")
    assert [frames.first for frames in divide(read_packet_table(path), 1.0)] == [0, 40, 80]
    assert [frames.first for frames in divide(read_packet_table(path), 60.0)] == [0]


def ways_of(path: Path, **options: Any) -> str:
    """Read a video whole and in ranges, compare all frames and counts, and return how the ranges were read."""
    whole, facts = read(open_source(path, **options))
    ranges = divide(read_packet_table(path, frame_rate=options.get("frame_rate")), 0.5)
    found: list[tuple[int, float, str]] = []
    skipped, tail, inexact = 0, (), False
    for frames in ranges:
        if frames.start is not None and not inexact:
            source = RangeSource(path, frames, **options)
            try:
                part, (_, truncated, ended) = read(source)
                inexact = source.head != tail and frames.first > 0
            except InexactRangeError:
                inexact = True
            tail = source.tail  # type: ignore[assignment]
            skipped += source.frames_skipped * (not inexact)
        if inexact or frames.start is None:
            source = RangeSource(path, without_start(frames), **options)
            try:
                part, (_, truncated, ended) = read(source)
            except SourceError:
                assert source.is_empty
                part, truncated, ended = [], source.truncated, source.ended
            skipped += source.frames_skipped
        found += part
    assert found == whole
    assert (skipped, truncated, ended) == facts
    return PARTLY if inexact else FROM_START if ranges[0].start is None else KEYED


def read(source: Source) -> tuple[list[tuple[int, float, str]], tuple[int, bool, str]]:
    with source:
        frames = [
            (f.index, f.time_s, str(f.image.shape) + hashlib.sha256(f.image.tobytes()).hexdigest()) for f in source
        ]
    return frames, (source.frames_skipped, source.truncated, source.ended)
