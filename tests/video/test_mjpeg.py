"""Motion JPEG over HTTP: true times, damaged parts, and how a stream ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clips import index_of, write_clip
from mjpeg_server import BOUNDARY, jpeg, part, serving_mjpeg

from fairmot_dla34.values import Frame
from fairmot_dla34.video import Source, container_opening, open_source
from fairmot_dla34.video.arrivals import measure_arrivals

pytestmark = pytest.mark.serial


def read(url: str) -> tuple[Source, list[Frame]]:
    with open_source(url) as source:
        frames = list(source)
    return source, frames


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_opening, "URL_TIMEOUT_S", (1.0, 1.0))


@pytest.mark.parametrize("rate", [4, 20])
def test_times_and_rate_are_those_of_the_arrivals(rate: int) -> None:
    count = 14
    with serving_mjpeg(count, 1 / rate) as url:
        source, frames = read(url)
    assert source.is_live
    assert source.native_rate == pytest.approx(rate, rel=0.15)  # not 25, which FFmpeg states
    assert [index_of(frame.image) for frame in frames] == list(range(count))
    assert [frame.time_s for frame in frames] == pytest.approx([i / rate for i in range(count)], abs=0.25)


def test_a_stated_rate_does_not_change_the_times_of_a_live_stream() -> None:
    with serving_mjpeg(10, 0.1) as url, open_source(url, frame_rate=50) as source:
        assert source.native_rate == 50
        assert [frame.time_s for frame in source][-1] == pytest.approx(0.9, abs=0.3)


def test_a_raw_stream_over_tcp_has_the_times_of_its_arrivals(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "a.mjpeg", 12, codec="mjpeg").read_bytes()
    images = [b"\xff\xd8" + piece for piece in data.split(b"\xff\xd8")[1:]]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                for image in images:
                    connection.sendall(image)
                    time.sleep(0.2)

        threading.Thread(target=send, daemon=True).start()
        source, frames = read(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert source.native_rate == pytest.approx(5, rel=0.2)
    assert len(frames) == len(images)
    assert frames[-1].time_s == pytest.approx(2.2, abs=0.4)
    assert source.ended == "lost"


DAMAGES: dict[str, Callable[[int], bytes]] = {
    "a boundary of another name": lambda i: part(jpeg(i), boundary="--other"),
    "no boundary": lambda i: jpeg(i) + b"\r\n",
    "a Content-Length too long": lambda i: part(jpeg(i), length=len(jpeg(i)) + 500),
    "a Content-Length too short": lambda i: part(jpeg(i), length=10),
    "a negative Content-Length": lambda i: part(jpeg(i), length=-5),
    "no Content-Length": lambda i: part(jpeg(i), length=None),
    "a truncated JPEG": lambda i: part(jpeg(i)[: len(jpeg(i)) // 2]),
    "an empty part": lambda i: part(b""),
    "noise in place of a JPEG": lambda i: part(np.random.default_rng(i).bytes(900)),
    "noise between two parts": lambda i: np.random.default_rng(i).bytes(3000) + b"\r\n" + part(jpeg(i)),
    "text in place of a part": lambda i: b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_costs_at_most_itself_and_the_next(damage: str) -> None:
    def make_part(index: int) -> bytes:
        return DAMAGES[damage](index) if index in {20, 30} else part(jpeg(index))

    with serving_mjpeg(45, 0.005, make_part=make_part) as url:
        source, frames = read(url)
    shown = [index_of(frame.image) for frame in frames]
    expected = [i for i in range(45) if i not in {20, 21, 30, 31}]
    assert [i for i in shown if i not in {20, 21, 30, 31}] == expected
    assert source.frames_skipped >= 2 or len(shown) >= 43
    assert source.frames_skipped <= 4
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("end", "ended"), [("close", "lost"), ("reset", "lost"), ("silence", "stalled"), ("garbage", "stalled")]
)
def test_the_end_is_reported(end: str, ended: str, short_timeout: None, caplog: pytest.LogCaptureFixture) -> None:
    with serving_mjpeg(20, 0.02, end=end) as url:
        started_s = time.monotonic()
        source, frames = read(url)
        assert time.monotonic() - started_s < 6
    assert len(frames) == 20
    assert (source.ended, source.truncated) == (ended, True)
    assert sum("ended early" in record.message for record in caplog.records) == 1


def test_a_recorded_multipart_stream_is_a_file_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "recorded.mjpeg"
    path.write_bytes(b"".join(part(jpeg(i)) for i in range(8)) + f"--{BOUNDARY}--\r\n".encode())
    source, frames = read(str(path))
    assert [index_of(frame.image) for frame in frames] == list(range(8))
    assert (source.ended, source.truncated, source.frames_skipped, source.is_live) == ("end", False, 0, False)


def test_packets_that_waited_are_spread_over_the_time_before() -> None:
    later = [10.15, 10.35, 10.55, 10.75]
    arrivals = measure_arrivals([10.0, 10.0001, 10.0002, *later], 9.0)
    assert arrivals.frame_rate == 5.0
    assert arrivals.times_s == pytest.approx([9.55, 9.75, 9.95, *later])
    slow_start = measure_arrivals([10.0, 10.005, 10.0051, *later], 9.0)
    assert slow_start.times_s == pytest.approx(arrivals.times_s)
    sent_at_once = measure_arrivals([10.0, 10.0001, 10.0002, *later], 9.98)
    assert sent_at_once.times_s[0] > 9.9  # not before the stream was opened


def test_a_stream_that_ended_while_it_was_opened_has_the_rate_of_the_opening() -> None:
    arrivals = measure_arrivals([12.0, 12.0001, 12.0002, 12.0003, 12.0004], 10.0)
    assert arrivals.frame_rate == 2.0
    assert arrivals.times_s == pytest.approx([10, 10.5, 11, 11.5, 12], abs=0.001)


def test_a_rate_that_cannot_be_known_is_not_invented() -> None:
    for few in ([], [1.0], [1.0, 1.0001], [1.0, 1.0001, 1.0002]):
        assert measure_arrivals(few, 1.0).frame_rate is None
    assert measure_arrivals([i / 1000 for i in range(20)], 0.0).frame_rate is None  # not a camera in real time
    assert measure_arrivals([i / 29.8 for i in range(20)], 0.0).frame_rate == 30.0
