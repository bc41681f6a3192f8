"""Detects one range of a video into a detections file, as a task of any engine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..batch.worker_model import worker_model
from ..detections import DetectionsWriter, make_header, read_detections
from ..errors import FairMOTError, SourceError
from ..files import write_whole
from ..tracking.detected_video import NetworkVideo
from ..tracking.options import ModelOptions, SourceOptions
from .ranges import FrameRange, InexactRangeError, RangeSource


@dataclass(frozen=True)
class Chunk:
    """A range of a video to be detected; picklable.

    Attributes:
        path: The video file.
        frames: The range.
        out: Detections file to write.
        model: Settings of the model.
        reading: Settings for reading the video.
        min_score: Smallest score to store.
        network: Key of the network that is expected; "": any.
    """

    path: Path
    frames: FrameRange
    out: Path
    model: ModelOptions
    reading: SourceOptions
    min_score: float
    network: str = ""

    @property
    def facts_path(self) -> Path:
        """File with the `ChunkFacts`, beside the detections; complete chunks have both."""
        return self.out.with_suffix(".json")


@dataclass(frozen=True)
class ChunkFacts:
    """Facts about a detected range.

    Attributes:
        first: Index of its first frame.
        stop: Index after its last frame; None: the end of the video.
        is_exact: Whether the range could be read; if not, there is no file, and it is read from the start instead.
        from_start: Whether the video was decoded from its start.
        head: Digests of the images before the range.
        tail: Digests of the compared images at its end.
    """

    first: int
    stop: int | None
    is_exact: bool
    from_start: bool
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


def detect_chunk(chunk: Chunk) -> ChunkFacts:
    """Detect a range of a video, and write the file of its detections.

    Raises:
        FairMOTError: The video cannot be read, the network cannot be loaded, or the file cannot be written.
    """
    frames, reading = chunk.frames, chunk.reading
    rates = {"frame_rate": reading.frame_rate, "frame_stride": reading.frame_stride}
    source = RangeSource(chunk.path, frames, **rates)  # type: ignore[arg-type]
    with NetworkVideo(lambda: worker_model(chunk.model, chunk.network), source, SourceOptions()) as video:
        session = video.start()
        header = make_header(
            video.model,
            source,
            chunk.path,
            min_score=chunk.min_score,
            first_frame=_selected(frames.first, reading.frame_stride),
            last_frame=None if frames.stop is None else _selected(frames.stop, reading.frame_stride),
        )
        with DetectionsWriter(chunk.out, header) as writer:
            try:
                for frame, detections in video:
                    writer.write_frame(frame, detections)
            except InexactRangeError:
                return ChunkFacts(frames.first, frames.stop, is_exact=False, from_start=False)
            except SourceError:
                if not source.is_empty:  # without a frame in the range: fewer can be decoded than were listed
                    raise
            writer.finish(
                frames_skipped=video.frames_skipped,
                ended=video.ended,
                stage_seconds={name: value for name, value in session.times.seconds.items() if name != "association"},
            )
    facts = ChunkFacts(
        frames.first,
        frames.stop,
        is_exact=True,
        from_start=frames.start is None,
        head=source.head,
        tail=source.tail,
    )
    write_whole(chunk.facts_path, json.dumps(asdict(facts)).encode())
    return facts


def read_facts(chunk: Chunk) -> ChunkFacts | None:
    """Return the facts about a chunk that an earlier run completed; None if there is none."""
    try:
        values = json.loads(chunk.facts_path.read_bytes())
        facts = ChunkFacts(**{**values, "head": tuple(values["head"]), "tail": tuple(values["tail"])})
        read_detections(chunk.out)
    except (OSError, ValueError, TypeError, KeyError, FairMOTError):
        return None
    is_same = (facts.first, facts.stop) == (chunk.frames.first, chunk.frames.stop)
    return facts if is_same and (facts.from_start or chunk.frames.start is not None) else None


def _selected(index: int, stride: int) -> int:
    """Return the first frame from an index on that the stride selects."""
    return -(-index // stride) * stride
