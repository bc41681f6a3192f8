"""The first half of tracking: runs the network over a source and writes its detections to a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import check_flag, check_fraction
from ..console.signals import StopDeferred
from ..file_names import check_file_name, safe_file_name
from ..outputs import OutputClaim
from ..outputs.checks import check_output_dir
from ..tracking.detected_video import NetworkVideo
from ..tracking.job import BarMaker, make_bar
from ..tracking.model import FairMOT
from ..tracking.options import SourceOptions, SourceSpec
from .header import DEFAULT_MIN_SCORE
from .recording import KIND, make_header
from .writer import DetectionsWriter

if TYPE_CHECKING:
    from ..tracking.session import VideoTracker


@dataclass(frozen=True)
class DetectOptions:
    """Settings of the file that `detect_to_file` writes.

    Attributes:
        output_dir: Folder for ``detections/``; ``""`` is the current directory.
        name: Stem of the file; None: the name of the source.
        min_score: Smallest score that is stored, in [0, 1]. At the default, every association method at its default
            settings, and ``anonymise``, find all detections that they use.
        overwrite: Replace an earlier file of another source that has the same name.

    Raises:
        InvalidInputError: A value is out of its range or of the wrong type.
    """

    output_dir: str | PathLike[str] = ""
    name: str | None = None
    min_score: float = DEFAULT_MIN_SCORE
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_output_dir(self.output_dir)
        if self.name is not None:
            check_file_name(self.name)
        check_fraction("min_score", self.min_score)
        check_flag("overwrite", self.overwrite)


@dataclass(frozen=True)
class DetectionSummary:
    """Summary of a run that wrote a detections file.

    Attributes:
        source: Name of the source.
        path: File written.
        size_bytes: Size of the file.
        frames: Frames detected.
        detections: Detections in the file.
        frames_skipped: Frames that could not be decoded.
        frames_dropped: Frames left out because a newer one had arrived.
        seconds: Wall seconds of the run.
        stage_seconds: Busy seconds per stage; they overlap.
        backend: Name, device and precision of the backend.
        ended: Reason for the end, as in `TrackingSummary`.
        digest: Digest of all frames: two files with equal ones have equal digests.
    """

    source: str
    path: Path
    size_bytes: int
    frames: int
    detections: int
    frames_skipped: int
    frames_dropped: int
    seconds: float
    stage_seconds: dict[str, float]
    backend: str
    ended: str
    digest: str

    @property
    def frames_per_second(self) -> float:
        """Frames detected per wall second of the run."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


class DetectionJob:
    """Detects a source and writes the file; `run` is called once.

    The file is complete after the last frame. If the run fails or is interrupted there is none, and an earlier one
    stays as it is; only a live source, which has no end of its own, leaves a complete file after Ctrl-C too.

    Args:
        load_model: Function that returns the model; called when the source is open. The caller closes the model.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        options: Settings of the file; None: the defaults.
        progress: Whether, or how, progress is shown; see `TrackingJob`.

    Attributes:
        summary: Summary of the run, also of an interrupted one that left a file; None without a file.
    """

    def __init__(
        self,
        load_model: Callable[[], FairMOT],
        source: SourceSpec,
        *,
        source_options: SourceOptions | None = None,
        options: DetectOptions | None = None,
        progress: bool | BarMaker = True,
    ) -> None:
        self.summary: DetectionSummary | None = None
        self._load_model, self._source = load_model, source
        self._reading = source_options or SourceOptions()
        self._options = options or DetectOptions()
        self._progress = progress

    def run(self) -> DetectionSummary:
        """Detect the source.

        Raises:
            FairMOTError: One of its kinds: the source, the model or the file cannot be used. There is no file then.
        """
        options = self._options
        with ExitStack() as stack:
            video = stack.enter_context(NetworkVideo(self._load_model, self._source, self._reading))
            name = options.name or safe_file_name(video.name, "video")
            folder = Path(options.output_dir)
            claim = OutputClaim(folder, name, [KIND], video.origin, overwrite=options.overwrite)
            stack.enter_context(claim)
            tracker = video.start()
            header = make_header(video.model, video.source, self._source, min_score=options.min_score)
            claim.take()
            writer = stack.enter_context(DetectionsWriter(KIND.path_in(folder, name), header))
            bar = stack.enter_context(make_bar(video.name, video.frame_count, self._progress))
            stack.callback(video.close)
            start_s = time.perf_counter()
            count = 0
            try:
                for frame, detections in video:
                    with StopDeferred():
                        writer.write_frame(frame, detections)
                        count += 1
                    bar.update()
            except KeyboardInterrupt:
                if video.source.is_live and count:
                    self.summary = _finish(writer, video, tracker, "interrupted", start_s)
                raise
            self.summary = _finish(writer, video, tracker, video.ended, start_s)
        return self.summary


def detect_to_file(
    model: FairMOT,
    source: SourceSpec,
    *,
    source_options: SourceOptions | None = None,
    options: DetectOptions | None = None,
    progress: bool = True,
) -> DetectionSummary:
    """Detect a source and write ``detections/<name>.detections``, from which `associate_to_files` makes tracks.

    Args:
        model: Model that detects; its association is not used.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        options: Settings of the file; None: the defaults.
        progress: Show progress on stderr.

    Raises:
        FairMOTError: One of its kinds; see `DetectionJob`. There is no file then.
    """
    return DetectionJob(lambda: model, source, source_options=source_options, options=options, progress=progress).run()


def _finish(
    writer: DetectionsWriter, video: NetworkVideo, tracker: VideoTracker, ended: str, start_s: float
) -> DetectionSummary:
    """Complete the file, and return the summary."""
    stages = {name: seconds for name, seconds in tracker.times.seconds.items() if name != "association"}
    with StopDeferred():
        ending = writer.finish(
            frames_skipped=video.frames_skipped,
            frames_dropped=video.frames_dropped,
            ended=ended,
            stage_seconds=stages,
        )
    return DetectionSummary(
        source=video.name,
        path=writer.path,
        size_bytes=writer.path.stat().st_size,
        frames=ending.frames,
        detections=ending.detections,
        frames_skipped=ending.frames_skipped,
        frames_dropped=ending.frames_dropped,
        seconds=time.perf_counter() - start_s,
        stage_seconds=stages,
        backend=video.backend,
        ended=ended,
        digest=ending.digest,
    )
