"""An output defined outside the package: the worked example of docs/extending.md."""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from videos import walking_boxes

from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import OutputError
from fairmot_dla34.outputs import register_sink, sink_names, unregister_sink
from fairmot_dla34.tracking.job import track_to_files
from fairmot_dla34.tracking.options import OutputOptions

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


def test_its_own_folder_is_checked_before_the_model_loads(tmp_path: Path) -> None:
    register_sink(replace(COUNTS, folder="counts"))
    (tmp_path / "counts").write_text("mine")
    try:
        with pytest.raises(OutputError, match="counts"):
            track_to_files(
                lambda: pytest.fail("the model was loaded"),
                walking_boxes(1),
                output_options=OutputOptions(tmp_path, formats=["counts"], visualization=False),
            )
    finally:
        unregister_sink("counts")
    assert (tmp_path / "counts").read_text() == "mine"
