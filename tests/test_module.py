"""`Module` without paddlehub: argument names, order and defaults, the files it writes, and invalid input."""

from __future__ import annotations

import copy
import inspect
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from processes import python_process
from videos import walking_boxes

from fairmot_dla34 import FairMOT, Module, TrackingSummary
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, OutputError, SourceError, StateError

CONTRACT = ["output_dir", "visualization", "draw_threshold", "use_gpu"]


@pytest.fixture
def module() -> Module:
    return Module.from_backend(FakeBackend())


def test_arguments_have_the_names_order_and_defaults_of_paddlehub() -> None:
    tracking, stream = (inspect.signature(call).parameters for call in (Module.tracking, Module.stream_mode))
    assert list(tracking)[:6] == ["self", "video_stream", *CONTRACT]
    assert list(stream)[:5] == ["self", *CONTRACT]
    for parameters in (tracking, stream):
        assert [parameters[name].default for name in CONTRACT] == ["", True, 0.5, False]
        extra = list(parameters.values())[6 if parameters is tracking else 5 :]
        assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in extra)


def test_tracking_writes_text_and_video_and_returns_a_summary(module: Module, tmp_path: Path) -> None:
    summary = module.tracking(walking_boxes(30), str(tmp_path), True, 0.5, False)  # noqa: FBT003 (PaddleHub's order)
    assert isinstance(summary, TrackingSummary)
    assert summary.frames == 30
    assert summary.track_ids == 2
    assert set(summary.stage_seconds) == {"decode", "letterbox", "network", "association", "outputs"}
    assert abs(sum(summary.stage_seconds.values()) - summary.seconds) < 0.05
    text, video = summary.paths
    assert text == tmp_path / "mot_results" / "inputimages.txt"
    assert video == tmp_path / "mot_outputs" / "inputimages_vis.mp4"
    assert len(text.read_text().splitlines()) == 60
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30


def test_draw_threshold_decides_only_what_is_drawn(module: Module, tmp_path: Path) -> None:
    """PaddleHub's own module also drops the rows below it from the text."""
    module.tracking(walking_boxes(5), tmp_path, draw_threshold=1.0)
    assert len((tmp_path / "mot_results" / "inputimages.txt").read_text().splitlines()) == 10


def test_a_second_run_replaces_the_first(module: Module, tmp_path: Path) -> None:
    for _ in range(2):
        module.tracking(walking_boxes(5), tmp_path, visualization=False)
    assert len((tmp_path / "mot_results" / "inputimages.txt").read_text().splitlines()) == 10
    assert not (tmp_path / "mot_outputs").exists()


def test_stream_mode_gives_the_same_ids_and_files_as_file_mode(module: Module, tmp_path: Path) -> None:
    images = list(walking_boxes(12))
    formats = ("mot", "jsonl", "csv", "kitti")
    module.tracking(images, tmp_path / "file", formats=formats)
    with module.stream_mode(tmp_path / "stream", formats=formats) as stream:
        results = stream.predict(images[:5]) + module.predict(images[5:6]) + stream.predict(images[6:])
    assert [result.index for result in results] == list(range(12))
    names = sorted(path.relative_to(tmp_path / "file") for path in (tmp_path / "file").glob("mot_*/*"))
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "stream" / name).read_bytes() == (tmp_path / "file" / name).read_bytes()


def test_nothing_is_written_in_the_working_directory(
    module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    module.tracking(walking_boxes(3), tmp_path / "out")
    assert not list((tmp_path / "work").iterdir())


def test_the_network_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[FakeBackend] = []

    def build(*_: object) -> FakeBackend:
        built.append(FakeBackend())
        return built[-1]

    monkeypatch.setattr("fairmot_dla34.tracking.options.create_backend", build)
    monkeypatch.setattr("fairmot_dla34.tracking.options.resolve_network", lambda *_, **__: tmp_path)
    module = Module()
    for _ in range(2):
        module.tracking(walking_boxes(2), tmp_path, visualization=False)
    assert len(built) == 1


def test_calls_in_several_threads_load_one_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[FakeBackend] = []

    def build(*_: object) -> FakeBackend:
        time.sleep(0.05)
        built.append(FakeBackend())
        return built[-1]

    monkeypatch.setattr("fairmot_dla34.tracking.options.create_backend", build)
    monkeypatch.setattr("fairmot_dla34.tracking.options.resolve_network", lambda *_, **__: tmp_path)
    with Module() as module, ThreadPoolExecutor(4) as pool:
        folders = [tmp_path / str(number) for number in range(4)]
        list(pool.map(lambda folder: module.tracking(walking_boxes(2), folder, visualization=False), folders))
    (backend,) = built
    with pytest.raises(StateError, match="closed"):
        backend.infer(next(walking_boxes(1)))


class TestNestedStreams:
    """`predict` of the module goes to the innermost stream that is open."""

    def indices(self, module: Module, images: list[NDArray[np.uint8]]) -> list[int]:
        return [result.index for result in module.predict(images)]

    def test_an_inner_stream_that_closes_leaves_the_outer_one_working(self, module: Module, tmp_path: Path) -> None:
        images = list(walking_boxes(2))
        with module.stream_mode(tmp_path / "outer"):
            assert self.indices(module, images) == [0, 1]
            with module.stream_mode(tmp_path / "inner"):
                assert self.indices(module, images) == [0, 1]
            assert self.indices(module, images) == [2, 3]
            with module.stream_mode(tmp_path / "second"):
                assert self.indices(module, images[:1]) == [0]
            assert self.indices(module, images) == [4, 5]
        for name, frames in (("outer", 6), ("inner", 2), ("second", 1)):
            text = (tmp_path / name / "mot_results" / "inputimages.txt").read_text()
            assert len(text.splitlines()) == 2 * frames

    def test_the_order_of_entering_counts(self, module: Module, tmp_path: Path) -> None:
        images = list(walking_boxes(1))
        first, second = module.stream_mode(tmp_path / "first"), module.stream_mode(tmp_path / "second")
        with second, first:
            first.predict(images)
            assert self.indices(module, images) == [1]

    def test_a_stream_that_cannot_be_entered_leaves_the_outer_one_working(self, module: Module, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with module.stream_mode(tmp_path / "outer"):
            with pytest.raises(OutputError), module.stream_mode(tmp_path / "file"):
                pass
            module.stream_mode(tmp_path / "never entered")
            assert self.indices(module, list(walking_boxes(1))) == [0]

    def test_a_generator_that_is_dropped_closes_its_stream(self, module: Module, tmp_path: Path) -> None:
        def results() -> Iterator[int]:
            with module.stream_mode(tmp_path / "generator"):
                for image in walking_boxes(5):
                    yield from self.indices(module, [image])

        with module.stream_mode(tmp_path / "outer"):
            generator = results()
            assert next(generator) == 0
            del generator
            assert self.indices(module, list(walking_boxes(2))) == [0, 1]

    def test_each_thread_has_its_own_innermost_stream(self, module: Module, tmp_path: Path) -> None:
        images, both_open = list(walking_boxes(1)), Barrier(2)

        def run(name: str) -> list[int]:
            with module.stream_mode(tmp_path / name):
                both_open.wait(20)
                return [index for _ in range(50) for index in self.indices(module, images)]

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(run, ["one", "two"])) == [list(range(50))] * 2
        with module.stream_mode(tmp_path / "main"), ThreadPoolExecutor(1) as pool:
            assert pool.submit(self.indices, module, images).result() == [0]


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_copy_is_refused_with_the_way_out(module: Module, tmp_path: Path, copied: Callable[[object], object]) -> None:
    model = FairMOT.from_backend(FakeBackend())
    for thing in (module, model, model.session(25.0), module.stream_mode(tmp_path)):
        with pytest.raises(StateError, match=r"(make|start|open) one") as raised:
            copied(thing)
        assert type(pickle.loads(pickle.dumps(raised.value))) is StateError


class TestPredict:
    def test_outside_stream_mode_is_an_error(self, module: Module, tmp_path: Path) -> None:
        images = list(walking_boxes(1))
        with pytest.raises(StateError, match="stream_mode"):
            module.predict(images)
        stream = module.stream_mode(tmp_path)
        with pytest.raises(StateError, match="stream_mode"):
            stream.predict(images)
        with stream:
            stream.predict(images)
        with pytest.raises(StateError, match="stream_mode"):
            module.predict(images)
        with pytest.raises(StateError, match="again"), stream:
            pass

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            ([], "empty list"),
            ([None], r"images\[0\] is a NoneType"),
            (None, "NoneType"),
            (np.zeros((8, 8, 3), np.uint8), r"pass \[image\]"),
            ([np.zeros((8, 8, 3), np.float32)], "float32"),
            ([np.zeros((8, 8), np.uint8)], "COLOR_GRAY2BGR"),
            ([np.zeros((8, 8, 4), np.uint8)], "alpha"),
            ([np.zeros((0, 8, 3), np.uint8)], "empty"),
            ([np.broadcast_to(np.uint8(0), (20000, 20000, 3))], "resize"),
            ("street.jpg", "list of BGR arrays"),
        ],
    )
    def test_an_invalid_image_is_reported_and_the_stream_goes_on(
        self, module: Module, tmp_path: Path, images: object, message: str
    ) -> None:
        good = list(walking_boxes(2))
        with module.stream_mode(tmp_path) as stream:
            stream.predict(good[:1])
            with pytest.raises(InvalidInputError, match=message):
                stream.predict(images)  # type: ignore[arg-type]
            with pytest.raises(InvalidInputError, match=r"images\[1\]"):
                stream.predict([good[1], None])  # type: ignore[list-item]
            (result,) = stream.predict(good[1:])
        assert result.index == 1
        assert len((tmp_path / "mot_results" / "inputimages.txt").read_text().splitlines()) == 4


class TestBadInput:
    @pytest.mark.parametrize("name", ["use_gpu", "progress"])
    @pytest.mark.parametrize("value", ["False", None, [], 2, object()])
    def test_a_flag_of_another_type_is_refused(self, module: Module, tmp_path: Path, name: str, value: object) -> None:
        settings = {name: value}
        with pytest.raises(InvalidInputError, match=name):
            module.tracking(walking_boxes(1), tmp_path, **settings)  # type: ignore[arg-type]
        if name == "use_gpu":
            with pytest.raises(InvalidInputError, match=name):
                module.stream_mode(tmp_path, **settings)  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "much", None])
    def test_a_threshold_out_of_range_is_refused(self, module: Module, tmp_path: Path, value: object) -> None:
        with pytest.raises(InvalidInputError, match="draw_threshold"):
            module.tracking(walking_boxes(1), tmp_path, draw_threshold=value)  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["", "../escape", "/absolute", "a/b", ".hidden", "nul\0", None])
    def test_a_stream_name_outside_the_output_directory_is_refused(
        self, module: Module, tmp_path: Path, name: object
    ) -> None:
        with pytest.raises(InvalidInputError, match="name is"):
            module.stream_mode(tmp_path, name=name)  # type: ignore[arg-type]

    @pytest.mark.parametrize("setting", [{"frame_rate": 1e12}, {"frame_rate": 10**400}, {"frame_stride": 10**400}])
    def test_numbers_out_of_range_are_refused(self, module: Module, tmp_path: Path, setting: dict[str, float]) -> None:
        with pytest.raises(InvalidInputError, match="expected"):
            module.tracking(walking_boxes(1), tmp_path, **setting)  # type: ignore[arg-type]

    def test_formats_as_one_word_are_refused(self, module: Module, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="list"):
            module.tracking(walking_boxes(1), tmp_path, formats="mot")

    def test_a_file_in_place_of_the_output_directory_is_kept(self, module: Module, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("mine")
        with pytest.raises(OutputError, match="out"):
            module.tracking(walking_boxes(1), tmp_path / "out")
        assert (tmp_path / "out").read_text() == "mine"

    def test_a_run_that_cannot_start_keeps_earlier_results(self, module: Module, tmp_path: Path) -> None:
        module.tracking(walking_boxes(3), tmp_path)
        before = (tmp_path / "mot_results" / "inputimages.txt").read_text()
        with pytest.raises(SourceError):
            module.tracking(iter([]), tmp_path)
        with pytest.raises(InvalidInputError, match="format"):
            module.tracking(walking_boxes(3), tmp_path, formats=("xml",))
        assert (tmp_path / "mot_results" / "inputimages.txt").read_text() == before

    def test_an_invalid_image_keeps_the_results_before_it(self, module: Module, tmp_path: Path) -> None:
        images = [*walking_boxes(4), None]
        with pytest.raises(InvalidInputError, match="4"):
            module.tracking(images, tmp_path)  # type: ignore[arg-type]
        assert len((tmp_path / "mot_results" / "inputimages.txt").read_text().splitlines()) == 8
        with av.open(str(tmp_path / "mot_outputs" / "inputimages_vis.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == 4


ENDLESS = """
import sys
sys.path.insert(0, {tests!r})
from videos import walking_boxes
from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
Module.from_backend(FakeBackend()).tracking(walking_boxes(10**9), {out!r}, frame_rate=10)
"""


@pytest.mark.serial
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_run_leaves_usable_files(tmp_path: Path, number: signal.Signals) -> None:
    script = ENDLESS.format(tests=str(Path(__file__).parent), out=str(tmp_path))
    text = tmp_path / "mot_results" / "inputimages.txt"
    video = tmp_path / "mot_outputs" / "inputimages_vis.mp4"
    with python_process("-c", script) as process:
        deadline = time.monotonic() + 60
        while not text.exists() or text.read_bytes().count(b"\n") < 200:  # 100 frames, 10 seconds of video
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -number  # an uncaught KeyboardInterrupt, or the kill
    assert ("KeyboardInterrupt" in errors) is (number is signal.SIGINT)
    rows = text.read_text()
    assert rows.endswith("\n")
    frames = int(rows.splitlines()[-1].split(",")[0])
    with av.open(str(video)) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    lost = frames - decoded
    assert lost <= (1 if number is signal.SIGINT else 20), f"{lost} of {frames} frames lost"
