"""The annotated video: frames, times and sizes, read back from the file."""

from __future__ import annotations

import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import index_of, numbered_image
from numpy.typing import NDArray
from outputs.results import RATE, sample_results

from fairmot_dla34.outputs import VideoSink
from fairmot_dla34.outputs.fitting import fit_image, video_size
from fairmot_dla34.outputs.mp4 import nearest_rate
from fairmot_dla34.outputs.mp4_repair import cut_to_whole_fragments
from fairmot_dla34.values import Frame, FrameResult, Track
from fairmot_dla34.video import Source, open_source

ROOT = Path(__file__).parents[2]


def write(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    *,
    rate: float = RATE,
    times_s: Sequence[float] | None = None,
    tracks: tuple[Track, ...] = (),
) -> Path:
    with VideoSink(path, frame_rate=rate) as sink:
        for i, image in enumerate(images):
            time_s = times_s[i] if times_s else i / rate
            sink.write(Frame(i, time_s, image), FrameResult(i, time_s, tracks))
    return path


def read(path: Path) -> tuple[Source, list[Frame]]:
    with open_source(path) as source:
        return source, list(source)


@pytest.mark.parametrize("rate", [30000 / 1001, 24000 / 1001, 60000 / 1001, 10.0, 25.0, 12.5, 7.3, 0.5, 240.0])
def test_every_frame_is_written_at_the_source_rate(tmp_path: Path, rate: float) -> None:
    source, frames = read(write(tmp_path / "a.mp4", (numbered_image(i) for i in range(70)), rate=rate))
    assert [index_of(f.image) for f in frames] == list(range(70))
    assert source.frame_rate == pytest.approx(rate, rel=1e-6 if rate * 1001 % 1 < 1e-9 or rate % 1 == 0 else 1e-3)
    assert [f.time_s for f in frames] == pytest.approx([i / rate for i in range(70)], abs=1e-3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_ntsc_frame_rate_stays_exact(tmp_path: Path) -> None:
    source, _ = read(write(tmp_path / "a.mp4", (numbered_image(i) for i in range(60))))
    assert source.frame_rate == 30000 / 1001
    assert nearest_rate(29.97002997) == Fraction(30000, 1001)
    assert nearest_rate(10) == 10
    assert nearest_rate(1e-9) > 0


def test_variable_times_are_kept(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 0.3, 0.34, 1.0, 1.04, 2.5]
    _, frames = read(write(tmp_path / "a.mp4", (numbered_image(i) for i in range(8)), rate=10, times_s=times))
    assert [f.time_s for f in frames] == pytest.approx(times, abs=2e-4)
    assert [index_of(f.image) for f in frames] == list(range(8))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (15, 17), (161, 97), (320, 240)])
def test_odd_and_tiny_sizes_are_written(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    _, frames = read(write(tmp_path / "a.mp4", [np.full((height, width, 3), 120, np.uint8)] * 3))
    assert len(frames) == 3
    assert frames[0].image.shape == (height + height % 2, width + width % 2, 3)
    assert abs(float(frames[2].image.mean()) - 120) < 4


@pytest.mark.parametrize("height", [94, 96, 98])
def test_every_row_belongs_to_its_own_image(tmp_path: Path, height: int) -> None:
    """The encoder gets the same memory for each image."""
    images = [np.full((height, 64, 3), level, np.uint8) for level in (40, 200, 90)]
    for image in images:
        image[height // 2 :] += 40
    _, frames = read(write(tmp_path / "a.mp4", images))
    for image, frame in zip(images, frames, strict=True):
        assert np.abs(frame.image.astype(int) - image).max() < 12


def test_a_change_of_size_is_letterboxed(tmp_path: Path) -> None:
    images = [numbered_image(1), numbered_image(2, 320, 192), numbered_image(3, 100, 300), numbered_image(4)]
    _, frames = read(write(tmp_path / "a.mp4", images, rate=10))
    assert {f.image.shape for f in frames} == {(96, 160, 3)}
    assert [index_of(frames[i].image) for i in (0, 1, 3)] == [1, 2, 4]
    assert index_of(frames[2].image[:, 64:96]) == 3  # 300 px high scaled to 96: 32 px wide, in the middle
    assert frames[2].image[:, :60].mean() < 5


def test_images_larger_than_players_decode_are_scaled_down(tmp_path: Path) -> None:
    assert video_size(3840, 2160) == (3840, 2160)
    for width, height in ((7680, 4320), (16384, 100), (5000, 5000), (100, 16384)):
        small = video_size(width, height)
        assert max(small) <= 4096
        assert small[0] * small[1] <= 4096 * 2304
        assert small[0] % 2 == small[1] % 2 == 0
    _, frames = read(write(tmp_path / "a.mp4", [np.full((4320, 7680, 3), 90, np.uint8)] * 2, rate=10))
    assert frames[0].image.shape == (2304, 4096, 3)
    assert fit_image(numbered_image(1), (160, 96)) is not None


@pytest.mark.serial
def test_4k_frames_are_encoded_in_seconds(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (2160, 3840, 3), np.uint8)
    started_s = time.monotonic()
    _, frames = read(write(tmp_path / "a.mp4", [image] * 3, tracks=(Track(1, (100, 100, 900, 2000), 0.9, 1),)))
    assert len(frames) == 3
    assert time.monotonic() - started_s < 20


def test_the_file_has_one_fragment_per_second_for_browsers(tmp_path: Path) -> None:
    data = write(tmp_path / "a.mp4", (numbered_image(i) for i in range(100)), rate=10).read_bytes()
    kinds, position = [], 0
    while position < len(data):
        (size,) = struct.unpack(">I", data[position : position + 4])
        kinds.append(data[position + 4 : position + 8])
        position += size
    assert kinds[:2] == [b"ftyp", b"moov"]  # a browser needs the index before the frames
    assert kinds.count(b"moof") == 10


KILLED = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from clips import numbered_image
from fairmot_dla34.outputs import SinkContext, open_sinks
from fairmot_dla34.values import Frame, FrameResult, Track
with open_sinks({out!r}, "a", ["mot", "jsonl", "video"], SinkContext(30)) as sinks:
    for i in range(100000):
        result = FrameResult(i, i / 30, (Track(1, (5, 5, 50, 90), 0.9, i),))
        sinks.write(Frame(i, i / 30, numbered_image(i % 1024)), result)
        print(i, flush=True)
        time.sleep(0.002)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.parametrize("after", [40, 135])
def test_kill_9_costs_at_most_the_last_second(tmp_path: Path, after: int) -> None:
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


def test_an_incomplete_fragment_is_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", (numbered_image(i) for i in range(50)), rate=10)
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


def test_the_trail_is_bounded_and_restarts_at_another_size(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "a.mp4", frame_rate=30) as sink:
        for i in range(200):
            track = Track(i // 2 + 1, (10 + i % 9, 5, 30, 40), 0.9, 0)
            sink.write(Frame(i, i / 30, numbered_image(0)), FrameResult(i, i / 30, (track,)))
        assert len(sink._trails._points) <= 17  # ids of the last second only
        sink.write(Frame(200, 200 / 30, numbered_image(0, 80, 48)), FrameResult(200, 200 / 30, ()))
        assert not sink._trails._points


def test_tracks_below_the_threshold_are_not_drawn(tmp_path: Path) -> None:
    frame, result = list(sample_results())[2]
    with VideoSink(tmp_path / "a.mp4", frame_rate=10, draw_threshold=0.95) as sink:
        sink.write(frame, result)
    _, (shown,) = read(tmp_path / "a.mp4")
    assert np.abs(shown.image.astype(int) - frame.image).max() < 6
