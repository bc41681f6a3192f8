"""An output defined outside the package: the worked example of docs/extending.md."""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from videos import walking_boxes

from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.outputs import register_sink, sink_names, unregister_sink

# isort: split
# example: start
from fairmot_dla34 import FrameResult
from fairmot_dla34.outputs import SinkKind, TextSink


class CountSink(TextSink):
    """Writes how many people are in each frame."""

    header = "frame,people\n"

    def format(self, result: FrameResult) -> str:
        return f"{result.index + 1},{len(result.tracks)}\n"


COUNTS = SinkKind(
    name="counts",
    folder="mot_results",
    suffix=".counts.csv",
    needs_images=False,
    open=lambda path, context: CountSink(path),
)
# example: end


@pytest.fixture
def _counts_registered() -> Iterator[None]:
    register_sink(COUNTS)
    yield
    unregister_sink("counts")


@pytest.mark.usefixtures("_counts_registered")
def test_own_sink_in_a_run(tmp_path: Path) -> None:
    module = Module.from_backend(FakeBackend())
    summary = module.tracking(walking_boxes(4), tmp_path, formats=["mot", "counts"])
    assert [path.name for path in summary.paths] == [
        "inputimages.txt",
        "inputimages.counts.csv",
        "inputimages_vis.mp4",
    ]
    assert summary.paths[1].read_text() == "frame,people\n1,2\n2,2\n3,2\n4,2\n"


def test_an_unregistered_sink_is_gone() -> None:
    assert "counts" not in sink_names()
