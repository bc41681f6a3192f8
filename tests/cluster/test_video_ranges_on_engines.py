"""A video whose network's work is split: the results are those of one run, also after damage and interruptions."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from batch_functions import SerialEngine
from clips import corrupt
from fake_backends import fake_backend
from videos import walking_boxes

from fairmot_dla34.batch.run import Batch, BatchSettings
from fairmot_dla34.cluster.chunk_detection import Chunk, ChunkFacts, detect_chunk
from fairmot_dla34.cluster.splitting import SplittingEngine
from fairmot_dla34.detections import read_detections
from fairmot_dla34.errors import EngineError, InvalidInputError
from fairmot_dla34.outputs.reservation import STATE_FOLDER
from fairmot_dla34.tracking.expansion import expand_sources
from fairmot_dla34.tracking.job import track_to_files
from fairmot_dla34.tracking.model import FairMOT
from fairmot_dla34.tracking.options import ModelOptions, OutputOptions, SourceOptions

WRITING = OutputOptions(formats=("mot", "jsonl", "csv"), visualization=False)


@pytest.fixture(autouse=True)
def _fake_backend() -> Iterator[None]:
    with fake_backend():
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 3.6 s with open groups of frames of 0.4 s."""
    path = tmp_path_factory.mktemp("recorded") / "street.mp4"
    with av.open(str(path), "w") as out:
        options = {"x264-params": "open-gop=1:bframes=2:b-adapt=0:scenecut=0:keyint=10"}
        stream = out.add_stream("libx264", rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        for image in walking_boxes(90, 160, 128):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def video(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(recorded, tmp_path / "street.mp4"))


class CountingEngine(SerialEngine):
    """An engine that counts the items of each function, and may change what a range returns."""

    def __init__(self, change: Callable[[Chunk, ChunkFacts], Any] = lambda chunk, facts: facts) -> None:
        super().__init__()
        self.chunks: list[Chunk] = []
        self.change = change

    def run(self, function: Any, items: Sequence[Any], *, on_start: Any = None) -> Iterator[tuple[int, Any]]:
        for index, value in super().run(function, items, on_start=on_start):
            if function is not detect_chunk:
                yield index, value
                continue
            self.chunks.append(items[index])
            yield index, self.change(items[index], value) if isinstance(value, ChunkFacts) else value


def model_options(tracker: str | None = None) -> ModelOptions:
    return ModelOptions(weights="sample", backend="fake", input_size="320x192", tracker=tracker)


def split(video: Path, out: Path, engine: Any = None, seconds: float = 1.0, **changes: Any) -> Batch:
    changes["writing"] = replace(changes.get("writing", WRITING), output_dir=out)
    settings = {"model": model_options(changes.pop("tracker", None)), "reading": SourceOptions(), **changes}
    with SplittingEngine(engine or CountingEngine(), seconds) as splitting:
        batch = Batch(splitting, expand_sources([str(video)]).sources, BatchSettings(**settings), progress=False)
        batch.run()
    return batch


def tracked(video: Path, out: Path, **changes: Any) -> dict[str, bytes]:
    with FairMOT.from_options(model_options(changes.get("tracker"))) as model:
        track_to_files(
            lambda: model,
            str(video),
            source_options=changes.get("reading"),
            output_options=replace(changes.get("writing", WRITING), output_dir=out),
            progress=False,
        )
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and STATE_FOLDER not in path.parts and path.name != "manifest.jsonl"
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"writing": replace(WRITING, visualization=True)},
        {"reading": SourceOptions(frame_stride=3)},
        {"reading": SourceOptions(frame_rate=12.5)},
        {"tracker": "byte"},
        {"writing": replace(WRITING, anonymise="only:1", fill_gaps=5, save_crops=True)},
    ],
    ids=["with video", "stride", "rate", "byte", "anonymised with crops"],
)
def test_the_results_are_those_of_one_run(video: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    engine = CountingEngine()
    batch = split(video, tmp_path / "split", engine, **dict(changes))
    assert [outcome.error for outcome in batch.outcomes] == [None]
    assert len(engine.chunks) >= 3
    assert files(tmp_path / "split") == tracked(video, tmp_path / "whole", **changes)
    assert not list((tmp_path / "split" / STATE_FOLDER / "chunks").glob("*/*"))


def test_a_damaged_video_has_the_same_results_and_counts(video: Path, tmp_path: Path) -> None:
    corrupt(video, [45, 46, 70])
    engine = CountingEngine()
    batch = split(video, tmp_path / "split", engine)
    assert [outcome.error for outcome in batch.outcomes] == [None]
    assert files(tmp_path / "split") == tracked(video, tmp_path / "whole")
    assert any(chunk.frames.start is None for chunk in engine.chunks)
    assert (batch.outcomes[0].summary or {})["frames_skipped"] > 0


def test_images_that_differ_at_a_seam_are_read_again_from_the_start(
    video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def other_head(chunk: Chunk, facts: ChunkFacts) -> ChunkFacts:
        return replace(facts, head=("0", *facts.head[1:])) if facts.head and facts.first < 50 else facts

    engine = CountingEngine(other_head)
    with caplog.at_level(logging.INFO):
        split(video, tmp_path / "split", engine)
    assert [(chunk.frames.first, chunk.frames.start is None) for chunk in engine.chunks] == [
        (0, False),
        (30, False),
        (60, False),
        (30, True),
        (60, True),
    ]
    assert "decoded from its start for each part from frame 30 on" in caplog.text
    assert files(tmp_path / "split") == tracked(video, tmp_path / "whole")


def test_complete_ranges_are_kept_after_a_failure_and_used_by_the_next_run(
    video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lose_last(chunk: Chunk, facts: ChunkFacts) -> Any:
        return EngineError("The worker was killed.") if facts.stop is None else facts

    first = split(video, tmp_path / "split", CountingEngine(lose_last))
    assert isinstance(first.outcomes[0].error, EngineError)
    chunks = tmp_path / "split" / STATE_FOLDER / "chunks"
    (folder,) = chunks.iterdir()
    (folder / "00002.json").unlink()
    (folder / "00001.detections").write_bytes(b"damaged")
    engine = CountingEngine()
    with caplog.at_level(logging.INFO):
        split(video, tmp_path / "split", engine, resume=True)
    assert [chunk.frames.first for chunk in engine.chunks] == [30, 60]
    assert "1 of 3 parts are complete" in caplog.text
    assert files(tmp_path / "split") == tracked(video, tmp_path / "whole")
    assert not list(chunks.iterdir())


def test_ranges_of_other_settings_are_not_used(video: Path, tmp_path: Path) -> None:
    def lose_last(chunk: Chunk, facts: ChunkFacts) -> Any:
        return EngineError("The worker was killed.") if facts.stop is None else facts

    split(video, tmp_path / "split", CountingEngine(lose_last))
    engine = CountingEngine()
    reading = SourceOptions(frame_stride=2)
    split(video, tmp_path / "split", engine, reading=reading)
    assert len(engine.chunks) == 3
    assert files(tmp_path / "split") == tracked(video, tmp_path / "whole", reading=reading)
    assert not list((tmp_path / "split" / STATE_FOLDER / "chunks").iterdir())


def test_the_detections_that_are_kept_are_those_of_one_run(video: Path, tmp_path: Path) -> None:
    whole = Batch(
        CountingEngine(),
        expand_sources([str(video)]).sources,
        BatchSettings(
            model_options(), SourceOptions(), replace(WRITING, output_dir=tmp_path / "whole"), keep_detections=True
        ),
        progress=False,
    )
    whole.run()
    batch = split(video, tmp_path / "split", keep_detections=True)
    assert [outcome.error for outcome in batch.outcomes] == [None]
    name = Path("detections") / "street.detections"
    found = [read_detections(tmp_path / folder / name) for folder in ("split", "whole")]
    assert found[0].ending.digest == found[1].ending.digest
    assert found[0].header == found[1].header
    again = split(video, tmp_path / "split", keep_detections=True, writing=replace(WRITING, overwrite=False))
    assert [outcome.error for outcome in again.outcomes] == [None]


def test_a_video_that_cannot_be_read_does_not_end_the_others(video: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    settings = BatchSettings(model_options(), SourceOptions(), replace(WRITING, output_dir=tmp_path / "split"))
    sources = expand_sources([str(tmp_path / "bad.mp4"), str(video), str(tmp_path / "missing.mp4")]).sources
    with SplittingEngine(CountingEngine(), 1.0) as engine:
        batch = Batch(engine, sources, settings, progress=False)
        batch.run()
    assert [outcome.status for outcome in batch.outcomes] == ["failed", "tracked", "failed"]


def test_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "images").mkdir()
    for index, image in enumerate(walking_boxes(3, 160, 128)):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), image)
    batch = split(tmp_path / "images", tmp_path / "split")
    assert isinstance(batch.outcomes[0].error, InvalidInputError)
    assert "is not a video file" in str(batch.outcomes[0].error)


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan"), "5", True, None])
def test_wrong_lengths_are_refused(seconds: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"split is .*expected a number of seconds from 1 to 86400"):
        SplittingEngine(CountingEngine(), seconds)


def test_other_functions_are_run_as_they_are() -> None:
    with SplittingEngine(CountingEngine(), 1.0) as engine:
        assert sorted(engine.run(abs, [-1, 2])) == [(0, 1), (1, 2)]
