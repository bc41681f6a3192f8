"""`FairMOT` from Python, on a backend without a network."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from growth import grown_bytes
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import FairMOT, FrameResult, InputSize, Module, TrackerConfig
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import InvalidInputError, SourceNotFoundError, StateError, UnknownWeightsError
from fairmot_dla34.tracking.options import ModelOptions, OutputOptions, SourceOptions
from fairmot_dla34.weights import resolve_network


@pytest.fixture
def model() -> FairMOT:
    return FairMOT.from_backend(FakeBackend())


def test_people_keep_their_ids_and_boxes_enclose_them(model: FairMOT) -> None:
    results = list(model.track(walking_boxes(50)))
    assert [result.index for result in results] == list(range(50))
    assert {track.track_id for result in results for track in result.tracks} == {1, 2}
    assert all(len(result.tracks) == 2 for result in results)
    last = {track.track_id: track.box for track in results[-1].tracks}
    assert abs(last[1][0] - (5 + 98)) < 3  # where walking_boxes put person 0 in frame 49
    assert abs(last[1][3] - last[1][1] - 60) < 3


def test_results_are_returned_while_the_video_is_read(model: FairMOT) -> None:
    taken = 0

    def counted() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for image in walking_boxes(20):
            taken += 1
            yield image

    results = model.track(counted())
    assert inspect.isgenerator(results)
    next(results)
    assert taken <= 2


def test_every_video_starts_at_id_1(model: FairMOT) -> None:
    first, second = (list(model.track(walking_boxes(5))) for _ in range(2))
    assert first == second


def test_two_videos_at_the_same_time_do_not_share_ids(model: FairMOT) -> None:
    alone = list(model.track(walking_boxes(10)))
    one, other = model.track(walking_boxes(10)), model.track(walking_boxes(10, people=3))
    interleaved = [pair[0] for pair in zip(one, other, strict=True)]
    assert interleaved == alone


def test_a_stride_keeps_frame_indices_and_times_of_the_video(model: FairMOT) -> None:
    results = list(model.track(walking_boxes(20), frame_rate=10.0, frame_stride=5))
    assert [result.index for result in results] == [0, 5, 10, 15]
    np.testing.assert_allclose([result.time_s for result in results], [0, 0.5, 1.0, 1.5])


@pytest.mark.parametrize("method", ["auto", "jde", "byte"])
def test_people_keep_their_ids_at_a_stride(method: str) -> None:
    """Each person moves by 20 px, of a width of 30 px, between two tracked frames."""
    model = FairMOT.from_backend(FakeBackend(), tracker=method)
    results = list(model.track(walking_boxes(70), frame_rate=30.0, frame_stride=10))
    assert [len(result.tracks) for result in results] == [2] * 7
    assert {track.track_id for result in results for track in result.tracks} == {1, 2}


def test_memory_does_not_grow_with_the_video(model: FairMOT) -> None:
    assert grown_bytes(model.track(walking_boxes(600))) < 1_000_000


def test_detect_returns_boxes_in_image_px(model: FairMOT) -> None:
    image = next(walking_boxes(1, width=640, height=384))
    detections = model.detect(image)
    red = detections.boxes[np.argmin(detections.boxes[:, 1])]
    np.testing.assert_allclose(red, [5, 10, 35, 70], atol=3)


def test_detect_returns_people_only_by_default() -> None:
    with FairMOT("sample", input_size="128x96") as model:
        image = next(walking_boxes(1))
        every, likely = model.detect(image, min_score=0.0), model.detect(image)
        assert len(every) >= 10  # there are at most 768 cells, and a peak is the largest of nine
        assert len(likely) == int((every.scores >= 0.3).sum())
        some = model.detect(image, float(every.scores[9]))
        for name in ("boxes", "scores", "embeddings", "class_ids"):
            np.testing.assert_array_equal(getattr(some, name), getattr(every, name)[: len(some)])
        assert len(some) >= 10
        for score in (-0.1, 1.1, float("nan"), "high", None, 10**400):
            with pytest.raises(InvalidInputError, match="min_score"):
                model.detect(image, score)  # type: ignore[arg-type]


def test_settings_reach_the_tracker() -> None:
    config = TrackerConfig(conf_thres=0.95)
    model = FairMOT.from_backend(FakeBackend(), tracker=config)
    assert not any(result.tracks for result in model.track(walking_boxes(5)))


def test_the_default_method_is_auto_for_all_weights() -> None:
    for weights in ("fairmot_dla34_30e_1088x608_bytetracker", "sample", "my.pdparams"):
        assert ModelOptions(weights).tracker_config == TrackerConfig(method="auto")
    assert FairMOT.from_backend(FakeBackend()).tracker_config == TrackerConfig(method="auto")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"weights": "fairmot_dla35"}, UnknownWeightsError, "fairmot_dla34_30e_1088x608"),
        ({"input_size": "1000x600"}, InvalidInputError, "multiple of 32"),
        ({"input_size": "big"}, InvalidInputError, "WIDTHxHEIGHT"),
        ({"tracker": "sort"}, InvalidInputError, "auto, jde, byte"),
        ({"backend": "tpu"}, InvalidInputError, "openvino"),
        ({"precision": "int3"}, InvalidInputError, "fp32"),
        ({"weights": 3}, InvalidInputError, "weights is 3; expected a registered name"),
        ({"weights": None}, InvalidInputError, "weights is None"),
        ({"use_gpu": "False"}, InvalidInputError, "use_gpu is 'False'; expected True or False"),
        ({"offline": "no"}, InvalidInputError, "offline is 'no'"),
        ({"threads": 2, "use_gpu": True}, InvalidInputError, "threads is 2 and use_gpu is True"),
        ({"backend": FakeBackend()}, InvalidInputError, "from_backend"),
    ],
)
def test_invalid_settings_are_reported_before_any_download(
    settings: dict[str, object], error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRMOT_DLA34_OFFLINE", "1")
    with pytest.raises(error, match=message):
        FairMOT(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (SourceOptions, {"frame_stride": 0}),
        (SourceOptions, {"frame_stride": "2"}),
        (SourceOptions, {"frame_rate": "fast"}),
        (SourceOptions, {"newest_frame": "no"}),
        (OutputOptions, {"output_dir": None}),
        (OutputOptions, {"visualization": "False"}),
        (OutputOptions, {"formats": None}),
        (OutputOptions, {"formats": [3]}),
        (OutputOptions, {"fill_gaps": 2.0}),
    ],
)
def test_options_are_checked_when_they_are_made(options: type, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        options(**settings)


def test_output_formats_are_kept_even_if_they_can_be_read_once_only() -> None:
    options = OutputOptions(formats=(name for name in ("mot", "csv")))  # type: ignore[arg-type]
    assert options.sinks == ("mot", "csv", "video")


def test_a_path_object_names_a_file_even_if_it_is_called_like_registered_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "sample.npz", **random_checkpoint().arrays)  # type: ignore[arg-type]
    (tmp_path / "sample.npz").rename(tmp_path / "sample")
    monkeypatch.chdir(tmp_path)
    network = resolve_network(Path("sample"))
    assert (network.label, network.input_size) == ("sample", InputSize())
    assert resolve_network("sample").label != "sample"


@pytest.mark.parametrize("backend", ["openvino", None, object()])
def test_what_is_not_a_loaded_backend_is_refused(backend: object) -> None:
    for kind in (FairMOT, Module):
        with pytest.raises(InvalidInputError, match="expected a loaded Backend"):
            kind.from_backend(backend)  # type: ignore[arg-type]


def test_arguments_are_checked_at_the_call_and_an_unstarted_run_holds_nothing(model: FairMOT, tmp_path: Path) -> None:
    for index, image in enumerate(walking_boxes(5)):
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    with pytest.raises(InvalidInputError, match="frame_stride"):
        model.track(tmp_path, frame_stride=0)
    with pytest.raises(InvalidInputError, match="fill_gaps"):
        model.track(tmp_path, fill_gaps=-1)
    threads = threading.active_count()
    results = model.track(tmp_path)
    assert threading.active_count() == threads
    results.close()
    assert list(results) == []
    model.close()
    with pytest.raises(StateError, match="closed"):
        model.track(tmp_path)


def test_a_missing_video_is_named(model: FairMOT, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"nowhere\.mp4"):
        next(model.track(tmp_path / "nowhere.mp4"))


def test_input_size_is_parsed_from_text_and_tuples() -> None:
    assert InputSize.parse("864x480") == InputSize.parse((864, 480)) == InputSize(864, 480)


def test_frame_results_are_compared_by_value() -> None:
    assert FrameResult(0, 0.0, ()) == FrameResult(0, 0.0, ())
