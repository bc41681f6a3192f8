"""The drawn video, read back from its bytes."""

from __future__ import annotations

import select
import signal
import struct
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import index_of, picture
from results import RATE, made_up

from fairmot_dla34.outputs import VideoWriter
from fairmot_dla34.values import Frame, FrameResult, Track
from fairmot_dla34.video import open_source
from fairmot_dla34.outputs.encoder import nearest_rate
from fairmot_dla34.outputs.fitting import fit, video_size
from fairmot_dla34.outputs.fragments import cut_to_whole_fragments

ROOT = Path(__file__).parents[2]


def write(path, images, *, rate=RATE, times_s=None, tracks=()):
    with VideoWriter(path, frame_rate=rate) as writer:
        for i, image in enumerate(images):
            time_s = times_s[i] if times_s else i / rate
            writer.write(Frame(i, time_s, image), FrameResult(i, time_s, tracks))
    return path


def read(path):
    with open_source(path) as source:
        return source, list(source)


@pytest.mark.parametrize("rate", [30000 / 1001, 24000 / 1001, 60000 / 1001, 10.0, 25.0, 12.5, 7.3, 0.5, 240.0])
def test_every_frame_at_the_sources_rate(tmp_path, rate):
    source, frames = read(write(tmp_path / "a.mp4", (picture(i) for i in range(70)), rate=rate))
    assert [index_of(f.image) for f in frames] == list(range(70))
    assert source.frame_rate == pytest.approx(rate, rel=1e-6 if rate * 1001 % 1 < 1e-9 or rate % 1 == 0 else 1e-3)
    assert [f.time_s for f in frames] == pytest.approx([i / rate for i in range(70)], abs=1e-3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_ntsc_stays_exact(tmp_path):
    source, _ = read(write(tmp_path / "a.mp4", (picture(i) for i in range(60))))
    assert source.frame_rate == 30000 / 1001
    assert nearest_rate(29.97002997) == Fraction(30000, 1001)
    assert nearest_rate(10) == 10
    assert nearest_rate(1e-9) > 0


def test_variable_times_are_kept(tmp_path):
    times = [0, 0.04, 0.08, 0.3, 0.34, 1.0, 1.04, 2.5]
    _, frames = read(write(tmp_path / "a.mp4", (picture(i) for i in range(8)), rate=10, times_s=times))
    assert [f.time_s for f in frames] == pytest.approx(times, abs=2e-4)
    assert [index_of(f.image) for f in frames] == list(range(8))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (15, 17), (161, 97), (320, 240)])
def test_odd_and_tiny_sizes(tmp_path, size):
    width, height = size
    _, frames = read(write(tmp_path / "a.mp4", [np.full((height, width, 3), 120, np.uint8)] * 3))
    assert len(frames) == 3
    assert frames[0].image.shape == (height + height % 2, width + width % 2, 3)
    assert abs(float(frames[2].image.mean()) - 120) < 4


@pytest.mark.parametrize("height", [94, 96, 98])
def test_every_row_is_there_and_none_is_of_another_picture(tmp_path, height):
    """The encoder gets the same memory for each picture."""
    images = [np.full((height, 64, 3), level, np.uint8) for level in (40, 200, 90)]
    for image in images:
        image[height // 2 :] += 40
    _, frames = read(write(tmp_path / "a.mp4", images))
    for image, frame in zip(images, frames, strict=True):
        assert np.abs(frame.image.astype(int) - image).max() < 12


def test_a_change_of_size_is_letterboxed(tmp_path):
    images = [picture(1), picture(2, 320, 192), picture(3, 100, 300), picture(4)]
    _, frames = read(write(tmp_path / "a.mp4", images, rate=10))
    assert {f.image.shape for f in frames} == {(96, 160, 3)}
    assert [index_of(frames[i].image) for i in (0, 1, 3)] == [1, 2, 4]
    assert index_of(frames[2].image[:, 64:96]) == 3  # 300 px high scaled to 96: 32 px wide, in the middle
    assert frames[2].image[:, :60].mean() < 5


def test_pictures_beyond_what_players_decode_are_scaled_down(tmp_path):
    assert video_size(3840, 2160) == (3840, 2160)
    for width, height in ((7680, 4320), (16384, 100), (5000, 5000), (100, 16384)):
        small = video_size(width, height)
        assert max(small) <= 4096
        assert small[0] * small[1] <= 4096 * 2304
        assert small[0] % 2 == small[1] % 2 == 0
    _, frames = read(write(tmp_path / "a.mp4", [np.full((4320, 7680, 3), 90, np.uint8)] * 2, rate=10))
    assert frames[0].image.shape == (2304, 4096, 3)
    assert fit(picture(1), (160, 96)) is not None


def test_4k(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (2160, 3840, 3), np.uint8)
    begin = time.monotonic()
    _, frames = read(write(tmp_path / "a.mp4", [image] * 3, tracks=(Track(1, (100, 100, 900, 2000), 0.9, 1),)))
    assert len(frames) == 3
    assert time.monotonic() - begin < 20


def test_a_fragment_every_second_for_the_browser(tmp_path):
    data = write(tmp_path / "a.mp4", (picture(i) for i in range(100)), rate=10).read_bytes()
    kinds, at = [], 0
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kinds.append(data[at + 4 : at + 8])
        at += size
    assert kinds[:2] == [b"ftyp", b"moov"]  # what a player needs first stands first
    assert kinds.count(b"moof") == 10


KILLED = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from clips import picture
from fairmot_dla34.outputs import open_writers
from fairmot_dla34.values import Frame, FrameResult, Track
with open_writers({out!r}, "a", formats=("mot", "jsonl"), frame_rate=30) as writers:
    for i in range(100000):
        result = FrameResult(i, i / 30, (Track(1, (5, 5, 50, 90), 0.9, i),))
        writers.write(Frame(i, i / 30, picture(i % 1024)), result)
        print(i, flush=True)
        time.sleep(0.002)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.parametrize("after", [40, 135])
def test_kill_9_costs_at_most_the_last_second(tmp_path, after):
    paths = [str(ROOT), str(ROOT / "tests")]
    command = [sys.executable, "-c", KILLED.format(paths=paths, out=str(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= after:
                process.send_signal(signal.SIGKILL)
                break
        written = max([after] + [int(line) for line in process.stdout.read().split()]) + 1
        select.select([], [], [], 0)
    _, frames = read(tmp_path / "mot_outputs" / "a_vis.mp4")
    assert len(frames) >= written // 30 * 30
    assert [f.index for f in frames] == list(range(len(frames)))
    assert [index_of(f.image) for f in frames[20:]] == list(range(20, len(frames)))
    assert len((tmp_path / "mot_results" / "a.txt").read_text().splitlines()) in {written, written + 1}
    assert len((tmp_path / "mot_results" / "a.jsonl").read_text().splitlines()) in {written, written + 1}


def test_half_a_fragment_is_cut_off(tmp_path):
    path = write(tmp_path / "a.mp4", (picture(i) for i in range(50)), rate=10)
    data = path.read_bytes()
    last = data.rindex(b"moof") - 4
    for end in (last + 2, last + 40, len(data) - 1000 if len(data) - 1000 > last else last + 60):
        path.write_bytes(data[:end])
        cut_to_whole_fragments(path)
        whole = path.read_bytes()
        assert data.startswith(whole)
        assert len(whole) <= last
        assert len(read(path)[1]) >= 40
    path.write_bytes(b"junk")
    cut_to_whole_fragments(path)
    assert path.read_bytes() == b""


def test_the_trail_is_bounded_and_starts_again_with_another_size(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", frame_rate=30) as writer:
        for i in range(200):
            track = Track(i // 2 + 1, (10 + i % 9, 5, 30, 40), 0.9, 0)
            writer.write(Frame(i, i / 30, picture(0)), FrameResult(i, i / 30, (track,)))
        assert len(writer._trails._points) <= 17  # ids of the last second only
        writer.write(Frame(200, 200 / 30, picture(0, 80, 48)), FrameResult(200, 200 / 30, ()))
        assert not writer._trails._points


def test_weak_tracks_are_not_drawn(tmp_path):
    frame, result = list(made_up())[2]
    with VideoWriter(tmp_path / "a.mp4", frame_rate=10, draw_threshold=0.95) as writer:
        writer.write(frame, result)
    _, (shown,) = read(tmp_path / "a.mp4")
    assert np.abs(shown.image.astype(int) - frame.image).max() < 6
