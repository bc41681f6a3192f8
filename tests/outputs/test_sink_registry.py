"""Registry of outputs: names, order, and the errors for names and files that are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from outputs.results import RATE, sample_results

from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.outputs import (
    SinkContext,
    SinkKind,
    VideoSink,
    find_sink,
    open_sinks,
    register_sink,
    sink_names,
    unregister_sink,
)
from fairmot_dla34.values import Frame, FrameResult

CONTEXT = SinkContext(RATE)


class RecordingSink:
    """Keeps the images it is given."""

    def __init__(self, path: Path) -> None:
        self.path, self.closed = path, False
        self.images: list[NDArray[np.uint8]] = []

    def write(self, frame: Frame, result: FrameResult) -> None:
        self.images.append(frame.image.copy())

    def close(self) -> None:
        self.closed = True


def recording_kind(opened: list[tuple[RecordingSink, SinkContext]], *, needs_images: bool = True) -> SinkKind:
    def open_sink(path: Path, context: SinkContext) -> RecordingSink:
        opened.append((RecordingSink(path), context))
        return opened[-1][0]

    return SinkKind("record", "records", ".bin", needs_images, open_sink)


def test_each_name_is_registered_once() -> None:
    for name in sink_names():
        assert find_sink(name).name == name
        with pytest.raises(InvalidInputError, match=f"{name}' is already registered; expected a new name"):
            register_sink(replace(find_sink(name), suffix=".other"))


def test_two_sinks_never_write_the_same_file() -> None:
    with pytest.raises(InvalidInputError, match=r"mot_results/<name>\.txt, as sink 'mot' does; expected another"):
        register_sink(replace(find_sink("mot"), name="mine"))
    assert "mine" not in sink_names()


def test_an_unknown_name_lists_the_known_ones() -> None:
    unregister_sink("xml")  # nothing to remove
    with pytest.raises(InvalidInputError, match="'xml'; expected one of mot, jsonl, csv, kitti, video"):
        find_sink("xml")


def test_repeated_kinds_are_opened_once_and_text_comes_before_video(tmp_path: Path) -> None:
    with open_sinks(tmp_path, "a", ["video", "csv", "mot", "csv", find_sink("mot"), "video"], CONTEXT) as sinks:
        assert [path.name for path in sinks.paths] == ["a.csv", "a.txt", "a_vis.mp4"]


def test_sinks_already_open_are_closed_if_one_fails(tmp_path: Path) -> None:
    opened: list[tuple[RecordingSink, SinkContext]] = []
    (tmp_path / "mot_outputs").write_text("in the way")
    with pytest.raises(OutputError, match="mot_outputs"):
        open_sinks(tmp_path, "a", [recording_kind(opened), "video"], CONTEXT)
    assert opened[0][0].closed


@pytest.mark.parametrize("needs_images", [True, False])
def test_a_drawing_never_shows_in_another_sink(tmp_path: Path, needs_images: bool) -> None:
    opened: list[tuple[RecordingSink, SinkContext]] = []
    context = SinkContext(RATE, draw_on_frames=True)
    kinds: list[SinkKind | str] = ["video", recording_kind(opened, needs_images=needs_images)]
    (frame, result) = list(sample_results(3))[2]
    with open_sinks(tmp_path, "a", kinds, context) as sinks:
        sinks.write(Frame(0, 0.0, frame.image.copy()), result)
        assert next(sink for sink in sinks if isinstance(sink, VideoSink))._draw_on_frames is not needs_images
    ((sink, given),) = opened
    assert np.array_equal(sink.images[0], frame.image)
    assert given == replace(context, draw_on_frames=not needs_images)
