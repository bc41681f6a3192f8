"""Several cameras on one network: results, order, outputs that fail or hang, errors of the network, and the end."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest
from clips import SlowBackend
from rtsp_server import RtspServer
from videos import walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.cameras import Camera, CameraResult, State, Watch, streams_for
from fairmot_dla34.cameras.status import PartTotals
from fairmot_dla34.errors import BackendError, InvalidInputError, OutOfMemoryError, OutputError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fairmot_dla34.values import Peaks

RATE = 200  # frames per second of the files: a watch reads them at their own rate


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    end = time.monotonic() + 5
    while (names := own_threads()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not names


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fairmot_dla34")]


def video(path: Path, frames: int, people: int = 2) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for image in walking_boxes(frames, people=people):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def cameras(folder: Path, *frames: int) -> list[Camera]:
    return [
        Camera(f"camera{number}", video(folder / f"{number}.mp4", count, 1 + number % 3))
        for number, count in enumerate(frames)
    ]


class Kept:
    """Outputs that keep results; ``act`` is called with each result first."""

    def __init__(self, act: Callable[[CameraResult], object] = lambda _: None) -> None:
        self.results: list[CameraResult] = []
        self.closed = 0
        self._act = act

    def write(self, result: CameraResult) -> None:
        self._act(result)
        self.results.append(result)

    def idle(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


class FailingBackend(FakeBackend):
    def __init__(self, error: Exception, after: int) -> None:
        super().__init__(streams=2)
        self.error, self.left = error, after

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super()._infer(image)


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_each_camera_has_the_results_of_its_video_alone(tmp_path: Path, streams: int) -> None:
    """No frame of a file is left out, ids start at 1 for each camera, and the order is that of the video."""
    watched = cameras(tmp_path, 40, 25, 60)
    model = FairMOT.from_backend(FakeBackend(streams=streams))
    found: dict[str, list[CameraResult]] = {camera.name: [] for camera in watched}
    with Watch(model, watched) as watch:
        for result in watch:
            found[result.camera.name].append(result)
        statuses = watch.status()
    for camera, status in zip(watched, statuses, strict=True):
        pairs = list(model.track(camera.source, with_frames=True))
        own = found[camera.name]
        assert [result.result for result in own] == [result for _, result in pairs]
        assert [result.frame.index for result in own] == [frame.index for frame, _ in pairs]
        assert all((ours.frame.image == frame.image).all() for ours, (frame, _) in zip(own, pairs, strict=True))
        assert (status.state, status.frames, status.dropped) == (State.ENDED, len(pairs), 0)
        assert status.people == len(own[-1].result.tracks)


def test_a_real_network_gives_the_results_of_each_video_alone(tmp_path: Path) -> None:
    watched = cameras(tmp_path, 12, 9)
    with FairMOT("sample", input_size="320x192", streams=2) as model:
        kept = {camera.name: Kept() for camera in watched}
        with Watch(model, watched, outputs=lambda camera: kept[camera.name]) as watch:
            watch.run()
        for camera in watched:
            assert [result.result for result in kept[camera.name].results] == list(model.track(camera.source))
            assert len(kept[camera.name].results[0].detections) > 0
            assert kept[camera.name].closed == 1


def test_an_output_that_hangs_holds_up_its_own_camera_only(tmp_path: Path) -> None:
    watched = cameras(tmp_path, 30, 30, 30)
    go_on = threading.Event()
    kept = {"camera0": Kept(lambda _: go_on.wait(10)), "camera1": Kept(), "camera2": Kept()}
    watch = Watch(FairMOT.from_backend(FakeBackend(streams=1)), watched, outputs=lambda camera: kept[camera.name])
    thread = threading.Thread(target=watch.run)
    thread.start()
    end = time.monotonic() + 10
    while not (kept["camera1"].closed and kept["camera2"].closed) and time.monotonic() < end:
        time.sleep(0.02)
    assert [len(kept[name].results) for name in ("camera0", "camera1", "camera2")] == [0, 30, 30]
    go_on.set()
    thread.join(10)
    assert len(kept["camera0"].results) == 30
    watch.close()


def test_an_output_that_fails_ends_writing_of_its_camera_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = cameras(tmp_path, 20, 20)

    def fail(result: CameraResult) -> None:
        if result.frame.index == 5:
            raise OutputError("The disk is full.")

    kept = {"camera0": Kept(fail), "camera1": Kept()}
    seen = []
    with Watch(FairMOT.from_backend(FakeBackend()), watched, outputs=lambda camera: kept[camera.name]) as watch:
        seen = [result.camera.name for result in watch]
        statuses = watch.status()
    assert [seen.count(name) for name in kept] == [20, 20]
    assert [len(own.results) for own in kept.values()] == [5, 20]
    assert [own.closed for own in kept.values()] == [1, 1]
    assert [status.last_error for status in statuses] == ["The disk is full.", ""]
    assert [status.outputs_failing for status in statuses] == [True, False]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "Camera camera0: writing has ended, tracking goes on: The disk is full."
    ]


def test_the_state_has_the_outputs_that_fail_and_recover(tmp_path: Path) -> None:
    """Their reason and their totals are read after each result, and after the end."""
    (camera,) = cameras(tmp_path, 6)

    class Failing(Kept):
        error = ""
        totals = PartTotals(0, 0, 7)

        def write(self, result: CameraResult) -> None:
            super().write(result)
            self.error = "The disk is full." if 2 <= result.frame.index < 4 else ""

        def close(self) -> None:
            self.totals = PartTotals(3, 500, 507)

    with Watch(FairMOT.from_backend(FakeBackend()), [camera], outputs=lambda _: Failing()) as watch:
        seen = []
        for _ in watch:
            (status,) = watch.status()
            seen.append((status.outputs_failing, status.last_error, status.kept_bytes))
        (ended,) = watch.status()
    assert seen == [(False, "", 7)] * 2 + [(True, "The disk is full.", 7)] * 2 + [(False, "", 7)] * 2
    assert (ended.parts, ended.part_bytes, ended.kept_bytes) == (3, 500, 507)


def test_outputs_that_cannot_be_opened_are_an_error_before_any_camera_starts(tmp_path: Path) -> None:
    watched = cameras(tmp_path, 5, 5)
    first = Kept()

    def outputs(camera: Camera) -> Kept:
        if camera.name == "camera1":
            raise OutputError("No permission.")
        return first

    watch = Watch(FairMOT.from_backend(FakeBackend()), watched, outputs=outputs)
    with pytest.raises(OutputError, match="No permission"):
        watch.run()
    assert first.closed == 1
    assert not first.results


@pytest.mark.parametrize(
    "error", [BackendError("broken"), OutOfMemoryError("none left"), ZeroDivisionError("nothing to divide by")]
)
def test_an_error_of_the_network_ends_the_watch(tmp_path: Path, error: Exception) -> None:
    watched = cameras(tmp_path, 30, 30)
    kept = {camera.name: Kept() for camera in watched}
    model = FairMOT.from_backend(FailingBackend(error, after=10))
    with (
        Watch(model, watched, outputs=lambda camera: kept[camera.name]) as watch,
        pytest.raises(type(error), match=str(error)),
    ):
        watch.run()
    assert [own.closed for own in kept.values()] == [1, 1]


def test_an_error_of_the_network_reaches_the_loop_over_results(tmp_path: Path) -> None:
    model = FairMOT.from_backend(FailingBackend(BackendError("broken"), after=10))
    with Watch(model, cameras(tmp_path, 30)) as watch, pytest.raises(BackendError, match="broken"):
        for _ in watch:
            pass


def test_close_is_valid_in_every_state(tmp_path: Path) -> None:
    watched = cameras(tmp_path, 400, 400)
    model = FairMOT.from_backend(FakeBackend())
    watch = Watch(model, watched)
    assert [status.state for status in watch.status()] == [State.NEW, State.NEW]
    watch.close()
    watch.close()
    with pytest.raises(StateError, match="started or closed"):
        watch.run()
    with pytest.raises(StateError, match="started or closed"):
        iter(watch)
    running = Watch(model, watched)
    for _ in running:
        start = time.monotonic()
        running.close()
        break
    assert time.monotonic() - start < 2
    assert [status.state for status in running.status()] == [State.ENDED, State.ENDED]


def test_close_from_another_thread_ends_the_loop(tmp_path: Path) -> None:
    watch = Watch(FairMOT.from_backend(FakeBackend()), cameras(tmp_path, 400))
    timer = threading.Timer(0.3, watch.close)
    timer.start()
    assert 0 < sum(1 for _ in watch) < 400
    timer.join()


def test_close_while_another_thread_starts(tmp_path: Path) -> None:
    watched = cameras(tmp_path, 100)
    watch: Watch

    def outputs(_: Camera) -> Kept:
        watch.close()
        return Kept()

    watch = Watch(FairMOT.from_backend(FakeBackend()), watched, outputs=outputs)
    assert list(watch) == []


def test_a_loop_that_is_left_closes_everything(tmp_path: Path) -> None:
    kept = Kept()
    results = iter(Watch(FairMOT.from_backend(FakeBackend()), cameras(tmp_path, 400), outputs=lambda _: kept))
    next(results)
    del results
    assert not own_threads()
    assert kept.closed == 1


def test_a_stream_drops_frames_instead_of_falling_behind() -> None:
    """Frames come every 20 ms, and a pass takes 60 ms: most frames are dropped, and no result is late."""
    with RtspServer(60, Fraction(50), pause_s=0.02, endless=True) as server:
        cameras = [Camera("door", f"rtsp://127.0.0.1:{server.port}/door")]
        with Watch(FairMOT.from_backend(SlowBackend(0.06)), cameras) as watch:
            results = []
            for result in watch:
                results.append(result)
                if len(results) == 20:
                    (status,) = watch.status()
                    break
    assert status.state is State.RUNNING
    assert status.dropped > 10
    assert status.frames >= 20 + status.dropped
    lags = sorted(result.lag_s for result in results)
    assert lags[len(lags) // 2] < 0.06 + 2 * 0.06 + 0.1  # a busy machine may add something
    indices = [result.frame.index for result in results]
    assert indices == sorted(set(indices))


def test_the_slowest_consumer_holds_frames_back_and_loses_none_of_a_file(tmp_path: Path) -> None:
    with Watch(FairMOT.from_backend(FakeBackend()), cameras(tmp_path, 15, 15)) as watch:
        count = 0
        for _ in watch:
            time.sleep(0.02)
            count += 1
    assert count == 30


def test_values_that_cannot_be_watched(tmp_path: Path) -> None:
    model = FairMOT.from_backend(FakeBackend())
    (camera,) = cameras(tmp_path, 2)
    with pytest.raises(InvalidInputError, match="cameras is empty"):
        Watch(model, [])
    with pytest.raises(InvalidInputError, match="Two cameras have the name 'camera0'"):
        Watch(model, [camera, Camera("camera0", 0)])
    with pytest.raises(InvalidInputError, match="expected Camera objects"):
        Watch(model, ["rtsp://door"])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="expected Camera objects"):
        Watch(model, 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="expected a FairMOT"):
        Watch("sample", [camera])  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="expected a function"):
        Watch(model, [camera], outputs="out")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="give_up_after_s"):
        Watch(model, [camera], give_up_after_s=0)


def test_streams_are_one_for_each_camera_up_to_the_threads() -> None:
    assert [streams_for(count, 4) for count in (1, 2, 4, 8)] == [1, 2, 4, 4]
    assert streams_for(8, 1) == 1
    assert streams_for(1) == 1
