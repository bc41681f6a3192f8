"""Live streams over a loopback connection, tracked by a network slower than the stream."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import SlowBackend, index_of
from networks import write_random_checkpoint
from processes import python_process
from rtsp_server import RtspServer

from fairmot_dla34 import FairMOT, Module, TrackingSummary
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.console.summary import summary_text
from fairmot_dla34.errors import SourceError
from fairmot_dla34.tracking.options import SourceOptions
from fairmot_dla34.video import open_source
from fairmot_dla34.video.camera import CameraSource

pytestmark = pytest.mark.serial

RATE = 25
PASS_S = 0.5


@pytest.fixture
def camera() -> Iterator[RtspServer]:
    """Four seconds of a live camera."""
    with RtspServer(4 * RATE, Fraction(RATE), pause_s=1 / RATE) as server:
        yield server


def url_of(server: RtspServer) -> str:
    return f"rtsp://127.0.0.1:{server.port}/live"


def test_results_lag_by_less_than_two_passes_and_keep_the_indices_of_the_stream(camera: RtspServer) -> None:
    backend = SlowBackend(PASS_S)
    lags_s, indices, times_s = [], [], []
    for result in FairMOT.from_backend(backend).track(url_of(camera)):
        lags_s.append(time.monotonic() - camera.sent_s[result.index])
        indices.append(result.index)
        times_s.append(result.time_s)
    assert indices == backend.shown
    assert times_s == pytest.approx([index / RATE for index in indices], abs=0.002)
    assert indices[-1] == 4 * RATE - 1
    assert len(indices) < 2 * RATE  # about 9 passes
    # FFmpeg probes the stream before it returns a frame, and the last frame may wait for a whole pass.
    assert max(lags_s[2:]) < 2 * PASS_S, lags_s


def test_every_frame_of_a_live_stream_is_tracked_on_request(camera: RtspServer) -> None:
    results = list(FairMOT.from_backend(SlowBackend(0.05)).track(url_of(camera), newest_frame=False))
    assert [result.index for result in results] == list(range(4 * RATE))


def test_files_keep_the_times_of_the_stream_and_the_summary_counts_dropped_frames(
    camera: RtspServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = SlowBackend(PASS_S)
    summary = Module.from_backend(backend).tracking(url_of(camera), tmp_path, formats=("jsonl",))
    assert summary.frames == len(backend.shown)
    assert summary.frames + summary.frames_dropped == 4 * RATE
    assert summary.frames_skipped == 0
    text, video = summary.paths
    rows = [json.loads(line) for line in text.read_text().splitlines()]
    assert [row["frame"] - 1 for row in rows] == backend.shown
    with av.open(str(video)) as container:
        written = [(frame.time, index_of(frame.to_ndarray(format="bgr24"))) for frame in container.decode(video=0)]
    assert [index for _, index in written] == backend.shown
    since_first = [
        (index - backend.shown[0]) / RATE for index in backend.shown
    ]  # a busy machine misses the first frames
    assert [time_s for time_s, _ in written] == pytest.approx(since_first, abs=0.002)


def test_only_cameras_and_live_streams_drop_frames_by_default(tmp_path: Path) -> None:
    assert CameraSource.is_live
    with RtspServer(1, Fraction(RATE)) as server, open_source(url_of(server)) as source:
        assert SourceOptions().takes_newest(source)
        assert not SourceOptions(newest_frame=False).takes_newest(source)
    with open_source([]) as source:
        assert not SourceOptions().takes_newest(source)


def summary_of(dropped: int) -> TrackingSummary:
    return TrackingSummary("door", (), 10, 2, dropped, 3, 1.0, {"network": 1.0}, "fake")


def test_the_summary_reports_dropped_frames() -> None:
    assert "10 frames (2 corrupt ones left out, 7 left out to keep up), 3 ids" in summary_text(summary_of(7))
    assert "keep up" not in summary_text(summary_of(0))


def test_the_command_line_sets_newest_frame(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    received: list[bool | None] = []

    def job(_load_model: object, _source: str, *, source_options: SourceOptions, **_: object) -> None:
        received.append(source_options.newest_frame)
        raise SourceError("enough")

    monkeypatch.setattr("fairmot_dla34.commands.track.TrackingJob", job)
    for options in ([], ["--newest-frame"], ["--every-frame"]):
        assert main(["track", "street.mp4", *options]) == 1
    assert received == [None, True, False]
    with pytest.raises(SystemExit):
        main(["track", "street.mp4", "--newest-frame", "--every-frame"])
    capsys.readouterr()


def test_ctrl_c_does_not_wait_for_a_silent_server(tmp_path: Path) -> None:
    """FFmpeg waits 15 seconds for the next packet; Ctrl-C ends the command before that."""
    weights = write_random_checkpoint(tmp_path)
    with RtspServer(50, Fraction(RATE), hang_s=60) as server:
        command = ("track", url_of(server), "--every-frame", "--weights", str(weights))
        options = ("--input-size", "128x96", "--formats", "jsonl", "--output-dir", str(tmp_path / "out"))
        text = tmp_path / "out" / "mot_results" / "127.0.0.1_live.jsonl"
        with python_process("-m", "fairmot_dla34", *command, *options) as process:
            deadline = time.monotonic() + 60
            while not text.exists() or text.read_bytes().count(b"\n") < 40:  # FFmpeg holds the last few frames back
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            start_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            assert time.monotonic() - start_s < 8
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "ended early" not in errors
    with av.open(str(tmp_path / "out" / "mot_outputs" / "127.0.0.1_live_vis.mp4")) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == text.read_bytes().count(b"\n")


def test_closing_a_generator_does_not_wait_for_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairmot_dla34.video.container_opening.URL_TIMEOUT_S", (60.0, 60.0))
    with RtspServer(50, Fraction(RATE), hang_s=100) as server:
        results = FairMOT.from_backend(FakeBackend()).track(url_of(server), newest_frame=False)
        while next(results).index < 48:  # FFmpeg holds the last frame back
            pass
        time.sleep(0.5)  # the reader waits for the next frame
        start_s = time.monotonic()
        results.close()
        assert time.monotonic() - start_s < 10
        (reader,) = (thread for thread in threading.enumerate() if thread.name == "fairmot_dla34 reader")
    reader.join(20)  # the server has closed the connection: the thread closes the stream and ends
    assert not reader.is_alive()
