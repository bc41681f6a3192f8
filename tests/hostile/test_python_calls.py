"""Wrong types and absurd values in calls of `FairMOT` and `Module`: errors of the package, nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import Trials
from videos import walking_boxes

from fairmot_dla34 import FairMOT, FairMOTError, Module
from fairmot_dla34.backends.fake import FakeBackend

VALUES: tuple[object, ...] = (
    None, object(), {}, [], "word", b"bytes", 1.5, -1, 10**400, float("nan"), np.array([1, 2]), True, "\0", "\ud800",
    "a" * 5000, 2**70, len,
)  # fmt: skip
TRACKING = (
    "video_stream", "output_dir", "visualization", "draw_threshold", "use_gpu", "frame_rate", "frame_stride",
    "fill_gaps", "newest_frame", "formats", "name", "overwrite", "labels", "line_width", "progress",
)  # fmt: skip
STREAM = (*TRACKING[1:6], "name", "formats", "overwrite", "labels", "line_width")
MODEL = ("weights", "backend", "precision", "input_size", "tracker", "offline", "threads", "streams", "use_gpu")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRMOT_DLA34_OFFLINE", "1")
    return Module.from_backend(FakeBackend())


def attempt(trials: Trials, kind: str, call: Callable[..., Any], *arguments: object, **settings: object) -> None:
    shown = f"{call.__name__} {arguments!r:.60} {settings!r:.60}"
    with trials(f"Python, {kind}", shown):
        try:
            call(*arguments, **settings)
        except FairMOTError as error:
            message = str(error)
        else:
            return
        assert message.isprintable()


def test_arguments_of_tracking(trials: Trials, module: Module, tmp_path: Path) -> None:
    usual = {"output_dir": tmp_path, "visualization": False, "progress": False, "video_stream": list(walking_boxes(2))}
    for name, value in itertools.product(TRACKING, VALUES):
        attempt(trials, "arguments of tracking", module.tracking, **{**usual, name: value})


def test_arguments_of_streams(trials: Trials, module: Module, tmp_path: Path) -> None:
    images = list(walking_boxes(2))

    def stream(predicted: Any, **settings: Any) -> None:
        with module.stream_mode(**{"output_dir": tmp_path, "visualization": False, **settings}):
            module.predict(predicted)

    for name, value in itertools.product(STREAM, VALUES):
        attempt(trials, "arguments of streams", stream, images, **{name: value})
    for value in VALUES:
        for predicted in (value, [value], [images[0], value]):
            attempt(trials, "arguments of streams", stream, predicted)


def test_arguments_of_models(trials: Trials, module: Module) -> None:
    image = next(walking_boxes(1))
    model = FairMOT.from_backend(FakeBackend())

    def track(source: Any, **settings: Any) -> None:
        list(model.track(source, **settings))

    for value in VALUES:
        for call in (model.detect, model.session, FairMOT.from_backend, Module.from_backend, track):
            attempt(trials, "arguments of models", call, value)
        attempt(trials, "arguments of models", model.detect, image, value)
        for name in ("frame_rate", "frame_stride", "fill_gaps", "newest_frame"):
            attempt(trials, "arguments of models", track, [image], **{name: value})
        for name in MODEL:
            attempt(trials, "arguments of models", FairMOT, **{"weights": "nothing", name: value})
