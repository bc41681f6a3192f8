"""The header of a detections file, and a video that is written to such a file while it is tracked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .. import __version__
from ..config import check_fraction
from ..errors import StateError
from ..outputs import SinkKind
from ..outputs.reservation import digest_of
from ..outputs.sink import DETECTIONS_FOLDER
from ..tracking.detected_video import DetectedVideo, NetworkVideo
from ..tracking.job import BarMaker, VideoJob
from ..tracking.model import FairMOT
from ..tracking.options import OutputOptions, SourceOptions, SourceSpec, published_settings
from ..tracking.shared_model import network_digest
from ..video import Source
from ..video.locations import local_path
from .header import DEFAULT_MIN_SCORE, SUFFIX, Header, SourceFacts
from .writer import DetectionsWriter

if TYPE_CHECKING:
    from ..outputs import Sink, SinkContext
    from ..tracking.session import VideoTracker
    from ..values import Detections, Frame


def make_header(
    model: FairMOT,
    source: Source,
    spec: SourceSpec,
    *,
    min_score: float = DEFAULT_MIN_SCORE,
    first_frame: int = 0,
    last_frame: int | None = None,
) -> Header:
    """Return the header of the detections file of a source.

    Args:
        model: Model that detects.
        source: The open source, for its name, rate, stride and files.
        spec: What it was opened from, for its path.
        min_score: Smallest score to store, in [0, 1].
        first_frame: First frame of the source that the file is about.
        last_frame: Frame after the last one; None: up to the end.

    Raises:
        InvalidInputError: ``min_score`` is not a number from 0 to 1.
        FairMOTError: The weights cannot be read any more.
    """
    options, backend = model.options, model.backend
    return Header(
        package_version=__version__,
        source=source_facts(source, spec),
        native_rate=source.native_rate,
        frame_stride=source.frame_stride,
        min_score=check_fraction("min_score", min_score),
        weights="" if options is None else os.fspath(options.weights),
        network="" if options is None else network_digest(options, backend.info),
        backend=backend.info,
        input_size=(backend.input_size.width, backend.input_size.height),
        class_names=model.class_names,
        tracker_settings={} if options is None else published_settings(options.weights),
        first_frame=first_frame,
        last_frame=last_frame,
    )


def source_facts(source: Source, spec: SourceSpec) -> SourceFacts:
    """Return the identity of an open source.

    Args:
        source: The source.
        spec: What it was opened from.
    """
    origin = source.origin
    files, size, modified_ns = file_facts(origin.files)
    path = _path(spec) if files else None
    return SourceFacts(
        origin.name, origin.shown, digest_of(origin), path, files, size, modified_ns, is_live=source.is_live
    )


def file_facts(files: Iterable[Path]) -> tuple[int, int, int]:
    """Return the number of files, the bytes of all of them, and their newest modification time in ns."""
    found = []
    for file in files:
        try:
            found.append(file.stat())
        except OSError:  # reading it reports the error
            continue
    return len(found), sum(status.st_size for status in found), max((status.st_mtime_ns for status in found), default=0)


class RecordedVideo(DetectedVideo):
    """A video whose detections are written to a file while they are used; the file is complete at the end of the video.

    Args:
        video: The video.
        spec: What its source was opened from.
        path: File to write.
        min_score: Smallest score to store, in [0, 1].
    """

    def __init__(self, video: NetworkVideo, spec: SourceSpec, path: Path, min_score: float) -> None:
        self._video, self._spec, self._path, self._min_score = video, spec, path, min_score
        self._writer: DetectionsWriter | None = None
        self._tracker: VideoTracker | None = None
        self.name, self.origin, self.beside = video.name, video.origin, (KIND,)
        self.native_rate, self.frame_rate = video.native_rate, video.frame_rate
        self.frame_count, self.reads_ahead = video.frame_count, video.reads_ahead

    @property
    def frames_skipped(self) -> int:
        """Frames that could not be decoded so far."""
        return self._video.frames_skipped

    @property
    def frames_dropped(self) -> int:
        """Frames left out so far because a newer one had arrived."""
        return self._video.frames_dropped

    @property
    def ended(self) -> str:
        """End of the source; see `Source`."""
        return self._video.ended

    def start(self) -> VideoTracker:
        """Load the model, create the file, and return the session of the video.

        Raises:
            FairMOTError: The model cannot be loaded.
            OutputError: The file cannot be written.
        """
        self._tracker = tracker = self._video.start()
        self.class_names, self.backend = self._video.class_names, self._video.backend
        header = make_header(self._video.model, self._video.source, self._spec, min_score=self._min_score)
        self._writer = DetectionsWriter(self._path, header)
        return tracker

    def __iter__(self) -> Iterator[tuple[Frame, Detections]]:
        """Yield each frame with its detections, all of them, once they are written."""
        if self._writer is None or self._tracker is None:
            return
        for frame, detections in self._video:
            self._writer.write_frame(frame, detections)
            yield frame, detections
        self._writer.finish(
            frames_skipped=self.frames_skipped,
            frames_dropped=self.frames_dropped,
            ended=self.ended,
            stage_seconds=self._tracker.times.seconds,
        )

    def close(self) -> None:
        """Close the video, and remove the file if it is not complete; safe to call twice."""
        try:
            self._video.close()
        finally:
            if self._writer is not None:
                self._writer.close()


def recorded_tracking_job(
    load_model: Callable[[], FairMOT],
    source: SourceSpec,
    *,
    source_options: SourceOptions | None = None,
    output_options: OutputOptions | None = None,
    min_score: float = DEFAULT_MIN_SCORE,
    progress: bool | BarMaker = True,
    part: Path | None = None,
) -> VideoJob:
    """Return a job that tracks a source like `TrackingJob`, and keeps its detections in a file.

    The file ``detections/<name>.detections`` is complete after the last frame; an interrupted run leaves none. With
    ``part``, it is written below that folder and published with the other outputs.

    Args:
        load_model: Function that returns the model; see `TrackingJob`.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        output_options: Outputs and their folder; None: the defaults.
        min_score: Smallest score to store, in [0, 1].
        progress: Whether, or how, progress is shown; see `TrackingJob`.
        part: Temporary folder for all outputs; see `TrackingJob`.

    Raises:
        InvalidInputError: ``min_score`` is not a number from 0 to 1.
    """
    reading, writing = source_options or SourceOptions(), output_options or OutputOptions()
    smallest = check_fraction("min_score", min_score)

    def open_video() -> DetectedVideo:
        video = NetworkVideo(load_model, source, reading)
        try:
            place = Path(writing.output_dir) if part is None else part
            return RecordedVideo(video, source, detections_path(place, writing.stem(video.origin)), smallest)
        except BaseException:
            video.close()
            raise

    return VideoJob(open_video, output_options=writing, progress=progress, part=part)


def detections_path(output_dir: str | PathLike[str], name: str) -> Path:
    """Return the path of the detections file of a name below an output directory."""
    return KIND.path_in(Path(output_dir), name)


def _path(spec: SourceSpec) -> str | None:
    """Return the absolute path, or pattern, of a local source that is named by text or a path object."""
    if not isinstance(spec, str | PathLike):
        return None
    path = local_path(spec) if isinstance(spec, str) else Path(spec).expanduser()
    return None if path is None else str(path.absolute())


def _refuse(path: Path, _context: SinkContext) -> NoReturn:
    raise StateError(f"{path} has detections, which are not a sink: use detect_to_file.")


_open: Callable[[Path, SinkContext], Sink] = _refuse

# Describes the file to `OutputClaim`; it is not in the registry of sinks, which write tracks.
KIND = SinkKind(DETECTIONS_FOLDER, DETECTIONS_FOLDER, SUFFIX, needs_images=False, open=_open)
