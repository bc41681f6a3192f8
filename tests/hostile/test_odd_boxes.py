"""Odd boxes, images and ids: drawing neither raises, hangs nor changes its input."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from trials import HangError, Trials, run_python

from fairmot_dla34.outputs import TrackColours, Trails, VideoSink, draw_tracks
from fairmot_dla34.values import Frame, FrameResult, Track

KIND = "drawing, odd boxes"
LARGEST = 1.7e308
ODD = (0.0, -0.0, 0.4, 1.0, -1.0, 1e-300, 32767.5, 65536.0, 2.0**31, -(2.0**31) - 1, 2.0**63, 1e30, -1e30)
ODDER = (*ODD, LARGEST, -LARGEST, math.inf, -math.inf, math.nan)
IDS = (1, 2, 129, 2**31 - 1, 2**31, 2**62, 2**64, 10**30)
SIZES = ((1, 1), (1, 700), (700, 1), (2, 3), (17, 5), (120, 160))


def check_drawing(image: NDArray[np.uint8], tracks: list[Track], **options: Any) -> NDArray[np.uint8]:
    """Draw twice as a video would, and assert that the image has its shape and the input is unchanged."""
    before, trails, colours = image.copy(), Trails(), TrackColours()
    for step in range(2):
        trails.update(tracks, step / 10)
        drawn = draw_tracks(image, tracks, trails=trails, colours=colours, **options)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert np.array_equal(image, before)
    return drawn


def test_odd_boxes_on_odd_images(trials: Trials) -> None:
    random = np.random.default_rng(11)
    for number in range(100):
        height, width = SIZES[number % len(SIZES)]
        numbers = ODDER if number % 2 else ODD
        tracks = [
            Track(
                IDS[random.integers(len(IDS))],
                tuple(random.choice(numbers, 4).tolist()),
                float(random.choice((0.0, 0.5, 1.0, math.nan, math.inf, -1e9))),
                0,
                class_id=int(random.choice((0, 7, 2**62, -1))),
            )
            for _ in range(random.integers(1, 9))
        ]
        options = {
            "labels": ("auto", "id", "score", "none")[number % 4],
            "line_width": (None, 1, 100)[number % 3],
            "draw_threshold": (0.0, 0.5)[number % 2],
        }
        with trials(KIND, f"{height}x{width}, {options}, {tracks}"):
            check_drawing(np.full((height, width, 3), 90, np.uint8), tracks, **options)


def test_each_odd_number_in_each_place(trials: Trials) -> None:
    for odd in ODDER:
        for place in range(4):
            box = [20.0, 30.0, 60.0, 110.0]
            box[place] = odd
            tracks = [Track(1, (20, 30, 60, 110), 0.9, 0), Track(2, (box[0], box[1], box[2], box[3]), 0.8, 0)]
            with trials(KIND, f"{odd} as number {place} of a box"):
                drawn = check_drawing(np.full((120, 160, 3), 90, np.uint8), tracks)
                if not math.isfinite(odd):  # only such a box is left out
                    expected = check_drawing(np.full((120, 160, 3), 90, np.uint8), tracks[:1])
                    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("number", [*(pytest.param(n, marks=pytest.mark.slow) for n in (0, 1)), 2])
def test_boxes_of_one_frame_are_many(trials: Trials, number: int) -> None:
    """A frame of 10,000 people must not stop a run: all at one place, larger than the image, or spread over it."""
    random = np.random.default_rng(number)
    x, y, size = random.uniform(0, 1920, 10_000), random.uniform(0, 1080, 10_000), random.uniform(5, 300, 10_000)
    boxes = (
        [(500.0, 300.0, 560.0, 460.0)] * 10_000,
        [(-1e30 - i, -1e30, 1e30, 1e30) for i in range(10_000)],
        np.stack([x, y, x + size / 2, y + size], axis=1).tolist(),
    )[number]
    tracks = [Track(2**60 + i, tuple(box), 0.9, 0) for i, box in enumerate(boxes)]
    with trials(KIND, f"10,000 boxes, kind {number}"):
        start_s = time.monotonic()
        colours = TrackColours()
        for _ in range(2):
            draw_tracks(np.zeros((1080, 1920, 3), np.uint8), tracks, colours=colours)
        if time.monotonic() - start_s > 60:
            raise HangError("two frames took more than 60 s")


def test_a_video_with_odd_boxes_is_written(trials: Trials, tmp_path: Path) -> None:
    import av

    random = np.random.default_rng(5)
    with trials(KIND, "video"):
        with VideoSink(tmp_path / "a.mp4", frame_rate=10, draw_threshold=0) as sink:
            for index in range(30):
                tracks = tuple(Track(int(i), tuple(random.choice(ODDER, 4).tolist()), 0.9, 0) for i in IDS)
                sink.write(Frame(index, index / 10, np.zeros((96, 128, 3), np.uint8)), FrameResult(index, 0, tracks))
        with av.open(str(tmp_path / "a.mp4")) as video:
            assert sum(1 for _ in video.decode(video=0)) == 30


@pytest.mark.slow
def test_memory_stays_small_for_ever_new_ids(trials: Trials) -> None:
    """30,000 ids that each appear once: 100 frames of 300 people."""
    code = (
        "import numpy as np\n"
        "from fairmot_dla34.outputs import TrackColours, Trails, draw_tracks\n"
        "from fairmot_dla34.values import Track\n"
        "image, trails, colours = np.zeros((120, 160, 3), np.uint8), Trails(), TrackColours()\n"
        "for frame in range(100):\n"
        "    tracks = [Track(frame * 300 + i + 1, (i % 150, 9, i % 150 + 9, 40), 0.9, 0) for i in range(300)]\n"
        "    trails.update(tracks, frame / 10)\n"
        "    draw_tracks(image, tracks, trails=trails, colours=colours)\n"
        "print(len(colours._seen), len(trails._points))\n"
    )
    with trials("drawing, memory"):
        ended = run_python("-c", code, timeout_s=100)
        assert ended.code == 0, ended.stderr
        remembered, joined = map(int, ended.stdout.split())
        assert remembered <= 5000
        assert joined <= 3600
        assert ended.peak_bytes < 400e6
