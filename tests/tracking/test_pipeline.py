"""Overlap of reading, the network and writing: the results of one thread, in order, and threads that end."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import SlowBackend, write_clip
from growth import grown_bytes
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import Detections, FairMOT, Frame, FrameResult, Module, Track, Tracker, TrackerConfig
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import BackendError, InvalidInputError, OutputError, StateError
from fairmot_dla34.outputs import SinkContext, VideoSink, open_sinks
from fairmot_dla34.values import Peaks
from fairmot_dla34.video import Source, images, open_source

pytestmark = pytest.mark.serial

TRACKER = TrackerConfig(min_box_area=200)  # the codec adds slivers of 2x32 px beside the boxes
FORMATS = ("mot", "jsonl", "csv", "kitti")


def our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("fairmot_dla34")}


@pytest.fixture(autouse=True)
def _every_thread_has_ended() -> Iterator[None]:
    yield
    assert not our_threads()


@pytest.fixture
def model() -> FairMOT:
    return FairMOT.from_backend(FakeBackend())


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 60 frames of walking people."""
    path = tmp_path_factory.mktemp("videos") / "street.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for image in walking_boxes(60):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 images of walking people."""
    path = tmp_path_factory.mktemp("images") / "street"
    path.mkdir()
    for index, image in enumerate(walking_boxes(12)):
        cv2.imwrite(str(path / f"{index:06d}.png"), image)
    return path


class RecordingBackend(FakeBackend):
    """Takes an uneven time; checks that its image does not change and that it processes one image at a time.

    Attributes:
        passes: Images processed.
        threads: Names of the threads that called it.
    """

    def __init__(self, *, fails_at: int | None = None, pass_s: float = 0.004) -> None:
        super().__init__()
        self.passes, self.fails_at, self.pass_s = 0, fails_at, pass_s
        self.threads: set[str] = set()
        self._jitter = random.Random(5)  # noqa: S311 (not for security)
        self._running = threading.Lock()

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        assert self._running.acquire(blocking=False), "two images at the same time"
        try:
            self.threads.add(threading.current_thread().name)
            before = image.copy()
            time.sleep(self._jitter.uniform(0, 2 * self.pass_s))
            assert np.array_equal(image, before), "the image was overwritten while the network read it"
            if self.passes == self.fails_at:
                raise BackendError("the network failed")
            self.passes += 1
            return super()._infer(image)
        finally:
            self._running.release()


def track_without_threads(source: Path, output_dir: Path, stride: int) -> None:
    """Track a source and write the outputs, one frame after the other."""
    model = FairMOT.from_backend(FakeBackend(), tracker=TRACKER)
    with open_source(source, frame_stride=stride) as frames:
        session = model.session(frames.native_rate)
        with open_sinks(output_dir, frames.name, [*FORMATS, "video"], SinkContext(frames.frame_rate)) as sinks:
            for frame in frames:
                sinks.write(frame, session.process(frame))


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("kind", ["video", "folder"])
def test_threads_do_not_change_a_byte_of_the_outputs(
    kind: str, stride: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = request.getfixturevalue(kind)
    track_without_threads(source, tmp_path / "plain", stride)
    backend = RecordingBackend()
    module = Module.from_backend(backend, tracker=TRACKER)
    summary = module.tracking(source, tmp_path / "ahead", frame_stride=stride, formats=FORMATS)
    assert backend.threads == {"fairmot_dla34 network"}
    assert (summary.frames, summary.frames_dropped) == (backend.passes, 0)
    assert summary.track_ids == 2
    assert min(summary.stage_seconds.values()) > 0
    files = [path for path in (tmp_path / "plain").rglob("*.*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        assert path.read_bytes() == (tmp_path / "ahead" / path.relative_to(tmp_path / "plain")).read_bytes(), path


def test_the_generator_returns_the_results_of_one_thread(video: Path, model: FairMOT) -> None:
    with open_source(video) as frames:
        session = model.session(frames.native_rate)
        plain = [session.process(frame) for frame in frames]
    assert list(FairMOT.from_backend(RecordingBackend()).track(video)) == plain


def test_two_videos_on_one_model_give_the_results_of_one(video: Path) -> None:
    model = FairMOT.from_backend(RecordingBackend())
    alone = list(model.track(video))
    one, other = model.track(video), model.track(video)
    for expected, pair in zip(alone, zip(one, other, strict=True), strict=True):
        assert pair == (expected, expected)


def test_the_network_runs_while_a_result_is_used(video: Path) -> None:
    backend = RecordingBackend(pass_s=0)
    results = FairMOT.from_backend(backend).track(video)
    next(results)
    deadline = time.monotonic() + 20
    while backend.passes < 3:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(0.1)
    assert backend.passes == 3  # one taken, two waiting: no more, however slow the consumer
    results.close()


def test_memory_does_not_grow_with_the_video(tmp_path: Path, model: FairMOT) -> None:
    results = model.track(write_clip(tmp_path / "long.mp4", 600))
    grown = grown_bytes(results)
    results.close()
    assert grown < 1_000_000


def frame_numbers(tmp_path: Path) -> list[int]:
    """Return the frame number of each row of the MOT file."""
    rows = (tmp_path / "mot_results" / "street.txt").read_text().splitlines()
    return [int(row.split(",")[0]) for row in rows]


class TestErrors:
    """Every frame before the one that failed is written, whichever step failed."""

    def check_five_frames(self, tmp_path: Path) -> None:
        assert frame_numbers(tmp_path) == [number for number in range(1, 6) for _ in range(2)]
        with av.open(str(tmp_path / "mot_outputs" / "street_vis.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == 5
        assert not our_threads()

    def test_an_error_in_reading(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        read = images.ImageSource._decode

        def failing(source: images.ImageSource, path: Path) -> NDArray[np.uint8]:
            if path.name == "000005.png":
                raise MemoryError
            return read(source, path)

        monkeypatch.setattr(images.ImageSource, "_decode", failing)
        with pytest.raises(MemoryError):
            Module.from_backend(FakeBackend()).tracking(folder, tmp_path)
        self.check_five_frames(tmp_path)

    def test_an_error_in_the_network(self, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(BackendError, match="the network failed"):
            Module.from_backend(RecordingBackend(fails_at=5)).tracking(folder, tmp_path)
        self.check_five_frames(tmp_path)

    def test_an_error_in_the_association(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        update = Tracker.update

        def failing(self: Tracker, detections: Detections, *, time_s: float) -> tuple[Track, ...]:
            if time_s > 4.5 / 30:
                raise ArithmeticError
            return update(self, detections, time_s=time_s)

        monkeypatch.setattr(Tracker, "update", failing)
        with pytest.raises(ArithmeticError):
            Module.from_backend(FakeBackend()).tracking(folder, tmp_path)
        self.check_five_frames(tmp_path)

    def test_an_interrupt_in_writing(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write = VideoSink.write

        def failing(self: VideoSink, frame: Frame, result: FrameResult) -> None:
            if frame.index == 5:
                raise KeyboardInterrupt
            write(self, frame, result)

        monkeypatch.setattr(VideoSink, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            Module.from_backend(FakeBackend()).tracking(folder, tmp_path)
        assert frame_numbers(tmp_path)[-1] == 6  # the text is written first
        assert not our_threads()


def test_an_invalid_output_directory_starts_no_thread(video: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        Module.from_backend(FakeBackend()).tracking(video, video)


@pytest.mark.parametrize("ending", ["break", "close", "error", "delete"])
def test_an_unfinished_generator_ends_the_threads_and_closes_the_video(
    ending: str, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Source] = []

    def recorded(*arguments: object, **options: object) -> Source:
        opened.append(open_source(*arguments, **options))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr("fairmot_dla34.tracking.options.open_source", recorded)
    results = FairMOT.from_backend(RecordingBackend(pass_s=0.03)).track(video)
    next(results)
    assert our_threads() == {"fairmot_dla34 reader", "fairmot_dla34 network"}
    if ending == "break":
        for _ in results:
            break
        del results
    elif ending == "close":
        results.close()
    elif ending == "error":
        with pytest.raises(ZeroDivisionError):
            results.throw(ZeroDivisionError())
    else:
        del results
    assert not our_threads()
    assert opened[0]._closed
    with pytest.raises(AssertionError, match="not open"):
        next(opened[0]._container.demux(video=0))  # type: ignore[attr-defined]


def test_a_video_may_be_closed_while_another_thread_decodes_a_frame(tmp_path: Path) -> None:
    """FFmpeg crashes the process if its container is closed then; the decoding thread closes it after the frame."""
    path = write_clip(tmp_path / "long.mp4", 400)
    errors: list[StateError] = []

    def read(source: Source) -> None:
        try:
            for _ in source:
                pass
        except StateError as error:
            errors.append(error)

    for attempt in range(20):
        source = open_source(path)
        reader = threading.Thread(target=read, args=(source,), daemon=True)
        reader.start()
        time.sleep(0.0005 * attempt)
        source.close()
        reader.join(20)
        assert not reader.is_alive()
        with pytest.raises(AssertionError, match="not open"):
            next(source._container.demux(video=0))  # type: ignore[attr-defined]
    assert errors


UNFINISHED = """
import sys, time
from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
class Slow(FakeBackend):
    def _infer(self, image):
        print("start", flush=True)
        time.sleep(0.3)
        print("end", flush=True)
        return super()._infer(image)
results = FairMOT.from_backend(Slow()).track(sys.argv[1])
cycle = [results]
cycle.append(cycle)  # keeps the generator until the interpreter ends
next(results)
"""


def test_a_script_may_end_with_an_unfinished_generator(video: Path) -> None:
    """The image in progress is finished first: a C++ library may crash if it is unloaded while a thread uses it."""
    done = subprocess.run(
        [sys.executable, "-c", UNFINISHED, str(video)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    words = done.stdout.split()
    assert words.count("start") == words.count("end") >= 1
    assert len(words) <= 2 * 4


class TestIterables:
    """Iterables of images are read in the caller's thread, one image per result."""

    def test_an_iterable_may_wait_for_each_result(self, model: FairMOT) -> None:
        seen: list[FrameResult] = []

        def waiting() -> Iterator[NDArray[np.uint8]]:
            for index, image in enumerate(walking_boxes(10)):
                assert len(seen) == index
                assert threading.current_thread() is threading.main_thread()
                yield image

        for result in model.track(waiting()):
            assert not our_threads()
            seen.append(result)
        assert [result.index for result in seen] == list(range(10))

    def test_an_iterable_may_reuse_its_array(self, model: FairMOT, tmp_path: Path) -> None:
        def reusing() -> Iterator[NDArray[np.uint8]]:
            canvas = np.empty((192, 320, 3), np.uint8)
            for image in walking_boxes(10):
                canvas[:] = image
                yield canvas
                canvas[:] = 0

        assert list(model.track(reusing())) == list(model.track(walking_boxes(10)))
        Module.from_backend(FakeBackend()).tracking(reusing(), tmp_path / "reused")
        Module.from_backend(FakeBackend()).tracking(walking_boxes(10), tmp_path / "fresh")
        for name in ("mot_results/inputimages.txt", "mot_outputs/inputimages_vis.mp4"):
            assert (tmp_path / "reused" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()

    def test_an_iterable_cannot_be_read_ahead(self, model: FairMOT, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match=r"iterable of images.*Leave it out"):
            next(model.track(walking_boxes(3), newest_frame=True))
        with pytest.raises(InvalidInputError, match="iterable of images"):
            Module.from_backend(FakeBackend()).tracking(walking_boxes(3), tmp_path, newest_frame=True)
        assert len(list(model.track(walking_boxes(3), newest_frame=False))) == 3


def test_newest_frame_drops_frames_of_a_file_but_not_the_last(tmp_path: Path) -> None:
    backend = SlowBackend(0.05)
    path = write_clip(tmp_path / "a.mp4", 200, rate=Fraction(25))
    results = list(FairMOT.from_backend(backend).track(path, newest_frame=True))
    assert [result.index for result in results] == backend.shown
    assert [result.time_s for result in results] == pytest.approx([index / 25 for index in backend.shown])
    assert backend.shown == sorted(set(backend.shown))
    assert backend.shown[-1] == 199
    assert len(results) < 200


def test_closing_a_generator_early_logs_no_warning(
    video: Path, model: FairMOT, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        next(model.track(video))
    assert not caplog.records
