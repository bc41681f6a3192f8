"""`fill_gaps` in files, generators and on the command line: rows, their order, and files of an interrupted run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from clips import index_of, numbered_image
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import FairMOT, Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError, OutputError, SourceError
from fairmot_dla34.outputs import SinkContext, SinkSet, open_sinks
from fairmot_dla34.tracking.delayed_outputs import DelayedOutputs
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import Frame, FrameResult, Track

FORMATS = ("mot", "jsonl", "csv", "kitti")
HIDDEN = range(4, 7)  # indices of the frames without visible people


def boxes_with_a_gap(frames: int = 12) -> Iterator[NDArray[np.uint8]]:
    for index, image in enumerate(walking_boxes(frames)):
        yield np.full_like(image, 90) if index in HIDDEN else image


@pytest.fixture
def module() -> Module:
    return Module.from_backend(FakeBackend())


def frames_of(path: Path) -> list[int]:
    return [int(line.split(",")[0]) for line in path.read_text().splitlines()]


def test_rows_are_added_in_the_order_of_the_frames(module: Module, tmp_path: Path) -> None:
    images = list(boxes_with_a_gap())
    module.tracking(images, tmp_path / "plain", formats=FORMATS)
    summary = module.tracking(images, tmp_path / "filled", formats=FORMATS, fill_gaps=3)
    plain, filled = (tmp_path / name / "mot_results" / "inputimages.txt" for name in ("plain", "filled"))
    assert frames_of(plain) == [1, 1, 2, 2, 3, 3, 4, 4, *(n for n in range(8, 13) for _ in range(2))]
    assert frames_of(filled) == [n for n in range(1, 13) for _ in range(2)]
    assert set(plain.read_text().splitlines()) < set(filled.read_text().splitlines())
    for line in filled.with_suffix(".jsonl").read_text().splitlines():
        row = json.loads(line)
        marks = [track.get("filled", False) for track in row["tracks"]]
        assert marks == [row["frame"] - 1 in HIDDEN] * 2
    assert len(filled.with_suffix(".csv").read_text().splitlines()) == 1 + 24
    assert len(filled.with_suffix(".kitti.txt").read_text().splitlines()) == 24
    assert summary.frames == 12
    assert summary.track_ids == 2


def test_a_gap_longer_than_the_limit_changes_no_byte(module: Module, tmp_path: Path) -> None:
    images = list(boxes_with_a_gap())
    module.tracking(images, tmp_path / "plain", formats=FORMATS)
    module.tracking(images, tmp_path / "filled", formats=FORMATS, fill_gaps=2)
    for path in (tmp_path / "plain").glob("mot_*/*.*"):
        assert path.read_bytes() == (tmp_path / "filled" / path.relative_to(tmp_path / "plain")).read_bytes()


def test_each_image_is_written_with_its_own_result(tmp_path: Path) -> None:
    """Each image encodes its index; the source reuses one array for all of them."""
    canvas = numbered_image(0)
    outputs = DelayedOutputs(
        lambda _: open_sinks(tmp_path, "clip", ["mot", "video"], SinkContext(10)), fill_gaps=4, images=True
    )
    with outputs:
        for index in range(30):
            canvas[:] = numbered_image(index)
            outputs.add(Frame(index, index / 10, canvas), FrameResult(index, index / 10, ()))
        outputs.close()
    with av.open(str(outputs.paths[1])) as container:
        written = [index_of(frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    assert written == list(range(30))


@pytest.mark.parametrize("reused", [True, False])
def test_images_are_copied_only_if_they_may_be_overwritten(reused: bool) -> None:
    sinks = FailingSinks(OutputError("never raised"), at=-1)
    outputs = DelayedOutputs(lambda _: sinks, fill_gaps=2, images=True, reused=reused)
    image = numbered_image(0)
    outputs.add(Frame(0, 0.0, image), FrameResult(0, 0.0, ()))
    assert (outputs._delay._frames[0].image is image) is not reused


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SourceError("the cable was pulled")])
def test_held_results_are_written_after_an_error_or_an_interrupt(
    module: Module, tmp_path: Path, ending: BaseException
) -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield from boxes_with_a_gap(10)
        raise ending

    with pytest.raises(type(ending)):
        module.tracking(broken(), tmp_path, fill_gaps=20)
    assert frames_of(tmp_path / "mot_results" / "inputimages.txt") == [n for n in range(1, 11) for _ in range(2)]
    with av.open(str(tmp_path / "mot_outputs" / "inputimages_vis.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


class FailingSinks(SinkSet):
    """Sinks that record the frames written and fail at one frame."""

    def __init__(self, error: BaseException, at: int) -> None:
        super().__init__([])
        self.error, self.at = error, at
        self.written: list[int] = []
        self.closed = False

    def write(self, frame: Frame, result: FrameResult) -> None:
        assert frame.index == result.index
        if frame.index == self.at:
            raise self.error
        self.written.append(frame.index)

    def close(self) -> None:
        self.closed = True


def add(outputs: DelayedOutputs, count: int, ending: BaseException | None = None) -> None:
    for index in range(count):
        outputs.add(Frame(index, index / 10, numbered_image(index)), FrameResult(index, index / 10, ()))
    if ending is not None:
        raise ending


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OutputError("the disk is full")])
def test_no_frame_is_written_after_one_that_failed(error: BaseException) -> None:
    sinks = FailingSinks(error, at=3)
    outputs = DelayedOutputs(lambda _: sinks, fill_gaps=2, images=False)
    with pytest.raises(type(error)), outputs:
        add(outputs, 10)
    assert sinks.written == [0, 1, 2]
    assert sinks.closed


def test_the_first_error_is_raised_and_a_later_one_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    sinks = FailingSinks(OutputError("the disk is full"), at=1)
    outputs = DelayedOutputs(lambda _: sinks, fill_gaps=5, images=False)
    with pytest.raises(KeyboardInterrupt), outputs:
        add(outputs, 3, KeyboardInterrupt())
    assert sinks.written == [0]
    assert sinks.closed
    assert "the disk is full" in caplog.text


def test_a_run_that_cannot_start_keeps_earlier_results(module: Module, tmp_path: Path) -> None:
    module.tracking(walking_boxes(3), tmp_path)
    before = (tmp_path / "mot_results" / "inputimages.txt").read_text()
    with pytest.raises(SourceError):
        module.tracking(iter([]), tmp_path, fill_gaps=5)
    for wrong in (-1, 301, 2.5):
        with pytest.raises(InvalidInputError, match="fill_gaps"):
            module.tracking(walking_boxes(3), tmp_path, fill_gaps=wrong)  # type: ignore[arg-type]
    assert (tmp_path / "mot_results" / "inputimages.txt").read_text() == before


def test_the_generator_fills_gaps_and_reads_no_further_than_needed() -> None:
    model = FairMOT.from_backend(FakeBackend())
    found = list(model.track(boxes_with_a_gap(), fill_gaps=3))
    assert [len(result.tracks) for result in found] == [2] * 12
    assert [result.index for result in found if any(track.filled for track in result.tracks)] == list(HIDDEN)
    endless = model.track(walking_boxes(10**9), fill_gaps=3)
    assert [next(endless).index for _ in range(5)] == list(range(5))


def test_with_a_stride_gaps_are_counted_in_tracked_frames(module: Module, tmp_path: Path) -> None:
    """People are hidden in frames 4 to 6, of which a stride of 2 tracks two."""
    for limit, rows in ((1, 8), (2, 12)):
        module.tracking(boxes_with_a_gap(), tmp_path, frame_stride=2, fill_gaps=limit, visualization=False)
        assert len(frames_of(tmp_path / "mot_results" / "inputimages.txt")) == rows


def test_the_command_line_sets_fill_gaps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    received: list[int] = []

    def job(_load_model: object, _source: str, *, output_options: OutputOptions, **_: object) -> None:
        received.append(output_options.fill_gaps)
        raise SourceError("enough")

    monkeypatch.setattr("fairmot_dla34.commands.track.TrackingJob", job)
    assert main(["track", "street.mp4", "--fill-gaps", "25"]) == 1
    assert main(["track", "street.mp4"]) == 1
    assert received == [25, 0]
    assert "enough" in capsys.readouterr().err


def test_a_track_is_not_marked_as_filled_by_default() -> None:
    assert not Track(1, (0, 0, 1, 1), 0.5, 0).filled
