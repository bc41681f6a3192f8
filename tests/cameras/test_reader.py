"""Reader of a camera with scripted connections and a clock that the test advances."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from av import VideoFrame
from clips import index_of, write_clip
from fake_clock import FakeClock, eventually
from scripted_camera import SECRET, URL, Script, ScriptedSource, failing, frames, ignore, state_of

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraFrame, CameraReader
from fairmot_dla34.cameras.status import State
from fairmot_dla34.cameras.watchdog import MAX_THREADS_LEFT, Limits
from fairmot_dla34.errors import InvalidInputError, SourceAccessError, StateError
from fairmot_dla34.video import Source, open_source
from fairmot_dla34.video.conversion import BgrConverter

Make = Callable[..., CameraReader]
CAMERA = Camera("door", URL)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make(clock: FakeClock) -> Iterator[Make]:
    """Return a function that makes a reader; all are closed at the end."""
    made: list[CameraReader] = []

    def run(script: Script, deliver: Callable[[CameraFrame], object] = ignore, **options: object) -> CameraReader:
        made.append(CameraReader(CAMERA, deliver, clock=clock, open=script.open, **options))  # type: ignore[arg-type]
        return made[-1]

    yield run
    for reader in made:
        reader.close()


def wait_for(reader: CameraReader, state: State) -> None:
    eventually(lambda: state_of(reader) is state, f"not {state}")


def reconnect(reader: CameraReader, clock: FakeClock) -> None:
    """Let the time of the next attempt come."""
    wait_for(reader, State.WAITING)
    clock.advance(reader.status().retry_in_s or 0.0)
    eventually(lambda: reader.status().retry_in_s is None or reader.status().retry_in_s, "no attempt")


def test_frames_go_on_after_a_reconnect(make: Make, clock: FakeClock) -> None:
    got: list[CameraFrame] = []
    reader = make(Script(frames(3), failing(), frames(2, hangs=True)), got.append)
    reader.start()
    eventually(lambda: len(got) == 3)
    start_s, start = clock.monotonic(), clock.now()
    clock.advance(10)
    reconnect(reader, clock)
    eventually(lambda: "refused" in reader.status().last_error)
    reconnect(reader, clock)
    eventually(lambda: len(got) == 5)
    gap_s = clock.monotonic() - start_s
    assert gap_s > 10
    assert [item.frame.index for item in got] == [0, 1, 2, 3, 4]
    assert [item.connection for item in got] == [1, 1, 1, 2, 2]
    assert got[3].frame.time_s == pytest.approx(got[2].frame.time_s + gap_s)
    assert got[4].frame.time_s == pytest.approx(got[3].frame.time_s + 0.04)
    assert got[3].wall_time == start + timedelta(seconds=gap_s)
    assert got[3].wall_time.utcoffset() == timedelta(0)
    status = reader.status()
    assert (status.state, status.frames, status.reconnects) == (State.RUNNING, 5, 1)


def hanging_in_open() -> tuple[Script, threading.Event]:
    release = threading.Event()

    def run() -> Source:
        release.wait(20)
        return ScriptedSource(5, hangs=True)

    return Script(run), release


@pytest.mark.parametrize("state", list(State))
def test_close_returns_soon_in_every_state(make: Make, state: State) -> None:
    """Also while a server hangs in opening, and in reading."""
    got: list[CameraFrame] = []
    release = threading.Event()
    if state is State.CONNECTING:
        script, release = hanging_in_open()
    else:
        script = Script(frames(2, hangs=True) if state is State.RUNNING else failing())
    reader = make(script, got.append)
    if state is not State.NEW:
        reader.start()
    if state is State.ENDED:
        reader.close()
    wait_for(reader, state)
    started_s = time.monotonic()
    reader.close()
    reader.close()
    assert time.monotonic() - started_s < 1.5
    assert state_of(reader) is State.ENDED
    count = len(got)
    release.set()
    for source in script.sources:
        assert isinstance(source, ScriptedSource)
        source.release.set()
    eventually(lambda: all(getattr(source, "is_released", False) for source in script.sources), "a source is open")
    assert len(got) == count  # what hung delivers nothing later
    with pytest.raises(StateError, match="door was started or closed before"):
        reader.start()


def test_a_decoder_that_hangs_is_left_behind_and_another_connection_is_made(make: Make, clock: FakeClock) -> None:
    """Wedge of peers: a source that hangs for ever; and lag of an old connection that is delivered later."""
    got: list[CameraFrame] = []
    script = Script(frames(2, hangs=True), frames(3, hangs=True))
    reader = make(script, got.append)
    reader.start()
    eventually(lambda: len(got) == 2)
    clock.advance(Limits().frame_s)
    wait_for(reader, State.WAITING)
    assert "no frame arrived for 15 s" in reader.status().last_error
    reconnect(reader, clock)
    eventually(lambda: len(got) == 5)
    assert reader.status().threads_left == 1
    hung = script.sources[0]
    assert isinstance(hung, ScriptedSource)
    hung.release.set()
    eventually(lambda: reader.status().threads_left == 0)
    assert hung.is_released
    assert len(got) == 5


def test_threads_that_hang_are_bounded_and_the_camera_goes_on_if_one_returns(make: Make, clock: FakeClock) -> None:
    release = threading.Event()

    def hang() -> Source:
        if not release.is_set():
            release.wait(20)
            return ScriptedSource(0)
        return ScriptedSource(1, hangs=True)

    script = Script(hang)
    reader = make(script)
    reader.start()
    for number in range(MAX_THREADS_LEFT):
        eventually(lambda number=number: script.opened == number + 1)  # type: ignore[misc]
        wait_for(reader, State.CONNECTING)
        clock.advance(Limits().open_s)
        reconnect(reader, clock)
    for _ in range(5):
        reconnect(reader, clock)
    assert script.opened == MAX_THREADS_LEFT
    status = reader.status()
    assert (status.state, status.threads_left) == (State.WAITING, MAX_THREADS_LEFT)
    assert "3 connections hang" in status.last_error
    release.set()
    eventually(lambda: reader.status().threads_left == 0)
    clock.advance(30)
    wait_for(reader, State.RUNNING)


def test_refused_access_is_said_and_tried_again_after_five_minutes(
    make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fairmot_dla34")
    error = SourceAccessError("rtsp://camera.local/live refuses access (401).")
    reader = make(Script(failing(error), failing(error), frames(1, hangs=True)))
    reader.start()
    for _ in range(2):
        wait_for(reader, State.WAITING)
        assert 269 < (reader.status().retry_in_s or 0) <= 300
        reconnect(reader, clock)
    wait_for(reader, State.RUNNING)
    eventually(lambda: "runs again" in caplog.text)
    assert caplog.text.count("refuses access (401). It is tried again every 5 minutes.") == 1


@pytest.mark.parametrize(
    "error", [OSError(5, f"I/O error on {URL}"), ValueError(URL), RuntimeError(URL), MemoryError(), KeyError(URL)]
)
def test_no_secret_is_shown(make: Make, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fairmot_dla34")
    reader = make(Script(failing(error)))
    assert SECRET not in f"{CAMERA} {CAMERA!r} {CAMERA.redacted}"
    reader.start()
    wait_for(reader, State.WAITING)
    assert type(error).__name__ in reader.status().last_error
    reader.close()
    assert SECRET not in f"{reader.status()} {reader!r} {caplog.text}"


def test_faults_of_many_days_do_not_fill_the_log(
    make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A camera that is lost every minute: one warning in ten minutes, and the count of the others."""
    caplog.set_level(logging.INFO, "fairmot_dla34")
    outages = 150
    threads = threading.active_count()
    got: list[CameraFrame] = []
    reader = make(Script(frames(12)), got.append)
    reader.start()
    for number in range(outages):
        eventually(lambda number=number: len(got) == 12 * (number + 1))  # type: ignore[misc]
        wait_for(reader, State.WAITING)
        clock.advance(60)
    minutes = clock.monotonic() / 60
    assert len(caplog.records) <= 2 * minutes / 10 + 4
    assert "9 earlier faults only counted" in caplog.text
    assert threading.active_count() <= threads + 3
    assert reader.status().reconnects >= outages - 1
    times = [item.frame.time_s for item in got]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert [item.frame.index for item in got] == list(range(len(got)))


def test_an_error_of_the_consumer_ends_the_camera_and_is_named(make: Make) -> None:
    def fail(frame: CameraFrame) -> None:
        raise InvalidInputError("no room")

    reader = make(Script(frames(3)), fail)
    reader.start()
    wait_for(reader, State.ENDED)
    assert reader.status().last_error == "its frames cannot be processed (no room)"


def test_the_consumer_may_close_the_reader(make: Make) -> None:
    got: list[CameraFrame] = []

    def take(item: CameraFrame) -> None:
        got.append(item)
        reader.close()

    reader = make(Script(frames(5)), take)
    reader.start()
    wait_for(reader, State.ENDED)
    eventually(lambda: reader.status().threads_left == 0)
    assert len(got) == 1


def test_a_camera_of_this_machine_that_is_missing_is_waited_for() -> None:
    with CameraReader(Camera("usb", 97), ignore) as reader:
        reader.start()
        wait_for(reader, State.WAITING)
        assert "Camera 97 cannot be opened" in reader.status().last_error


def test_a_camera_without_frames_is_given_up(make: Make, clock: FakeClock) -> None:
    changes: list[int] = []
    reader = make(Script(failing()), give_up_after_s=90, changed=lambda: changes.append(1))
    reader.start()
    while state_of(reader) is not State.ENDED:
        eventually(lambda: state_of(reader) in {State.WAITING, State.ENDED})
        clock.advance(5)
        time.sleep(0.005)
    assert "no frame for 90 s" in reader.status().last_error
    assert "refused" in reader.status().last_error
    assert 90 <= clock.monotonic() < 200
    eventually(lambda: len(changes) >= 3)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "60", True])
def test_a_time_to_give_up_is_checked(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"give_up_after_s is .*above 0"):
        CameraReader(CAMERA, ignore, give_up_after_s=value)  # type: ignore[arg-type]


def test_a_video_file_is_read_once_at_its_own_rate(tmp_path: Path) -> None:
    got: list[CameraFrame] = []
    path = write_clip(tmp_path / "a.mp4", 15)
    with CameraReader(Camera("file", path), got.append) as reader:
        started_s = time.monotonic()
        reader.start()
        wait_for(reader, State.ENDED)
        assert time.monotonic() - started_s > 14 / 30
    assert [index_of(item.frame.image) for item in got] == list(range(15))
    assert (reader.status().last_error, reader.status().reconnects) == ("", 0)
    assert got[0].frame_rate == pytest.approx(29.97, abs=0.01)


def test_a_file_that_is_not_a_video_ends_the_camera(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with CameraReader(Camera("file", tmp_path / "a.mp4"), ignore) as reader:
        reader.start()
        wait_for(reader, State.ENDED)
    assert "is not a video" in reader.status().last_error


def test_a_reader_that_waits_for_a_frame_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images: list[weakref.ref[object]] = []
    kept: list[bool] = []
    convert = BgrConverter.convert

    def check_and_convert(self: BgrConverter, image: VideoFrame) -> object:
        kept.append(any(earlier() is not None for earlier in images))
        return convert(self, image)

    monkeypatch.setattr(BgrConverter, "convert", check_and_convert)
    video = write_clip(tmp_path / "video.mp4", 5)
    with CameraReader(Camera("door", str(video)), lambda item: images.append(weakref.ref(item.frame.image))) as reader:
        reader.start()
        wait_for(reader, State.ENDED)
    assert kept == [False] * 5


def test_a_closed_source_frees_its_decoder_without_garbage_collection(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "video.mp4", 5))
    with source:
        frames = iter(source)
        next(frames)
    packets = weakref.ref(source._packets)  # type: ignore[attr-defined]
    del source, frames
    assert packets() is None
