"""Jobs that track one video and write the outputs: from a source, or from any video whose detections are known."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..console.progress import ProgressBar, progress_bar
from ..console.signals import StopDeferred
from ..errors import SourceError
from ..values import Frame, FrameResult, TrackingSummary
from .delayed_outputs import DelayedOutputs
from .detected_video import DetectedVideo, NetworkVideo
from .model import FairMOT
from .options import OutputOptions, SourceOptions, SourceSpec
from .session import VideoTracker

BarMaker = Callable[[str, int | None], ProgressBar]


class VideoJob:
    """Tracks a detected video and writes the results; `run` is called once.

    The video and the output directory are checked first, then the model is loaded, and the outputs are opened with the
    first result: a run that cannot start leaves earlier results unchanged.

    Args:
        open_video: Function that opens the video.
        output_options: Outputs and their folder; None: the defaults.
        progress: Show progress on stderr: a bar on a terminal, else a line every 30 s. Or a function that is called
            with the source's name and number of frames (None if unknown), and returns another display.
        part: Temporary folder for the outputs, which are moved to their places when all are complete; None: they are
            written in their places.

    Attributes:
        summary: Summary of the run, also if it was interrupted; None before the model is loaded, and after an error.
    """

    def __init__(
        self,
        open_video: Callable[[], DetectedVideo],
        *,
        output_options: OutputOptions | None = None,
        progress: bool | BarMaker = True,
        part: Path | None = None,
    ) -> None:
        self.summary: TrackingSummary | None = None
        self._open_video = open_video
        self._writing = output_options or OutputOptions()
        self._progress = progress
        self._part = part

    def run(self) -> TrackingSummary:
        """Track the video.

        Returns:
            Paths written, frames, ids, seconds per stage. ``ended`` is ``lost`` or ``stalled`` if a live source ended
            that way, for which `check_ended` raises an error, and ``closed`` if the window was closed.

        Raises:
            FairMOTError: One of its kinds. The outputs are then closed and valid, also after Ctrl-C. An id in the
                settings that was never tracked is an `InvalidInputError` at the end, when there is a summary.
        """
        run: _Run | None = None
        closed = False
        try:
            with ExitStack() as stack:
                video = stack.enter_context(self._open_video())
                self._writing.check_display()
                claim = stack.enter_context(
                    self._writing.claim(video.origin, self._part, made_from=video.made_from, beside=video.beside)
                )
                tracker = video.start()
                window = self._writing.open_window(claim, video.frame_rate, video.class_names)
                if window is not None:
                    stack.enter_context(window)
                outputs = DelayedOutputs(
                    lambda analysis: self._writing.open(
                        claim,
                        video.frame_rate,
                        draw_on_frames=video.reads_ahead,
                        class_names=video.class_names,
                        analysis=analysis,
                    ),
                    fill_gaps=self._writing.fill_gaps,
                    images=self._writing.needs_images,
                    reused=not video.reads_ahead,
                    plan=self._writing.cover_plan(video.frame_rate, tracker.lost_buffer_s),
                    window=window,
                    start_analysis=self._writing.analysis_starter(video.frame_rate),
                )
                bar = stack.enter_context(make_bar(video.name, video.frame_count, self._progress))
                run = _Run(video, tracker, outputs)
                stack.callback(video.close)
                stack.enter_context(outputs)  # closed first: the video may have to wait for a pass of the network
                for frame, detections in video:
                    run.write(frame, tracker.associate(frame, detections))
                    bar.update()
                    if window is not None and not window.refresh():
                        closed = True
                        break
                run.finish()
                summary = run.summary("closed" if closed else video.ended)
                if self._part is not None:
                    summary = replace(summary, paths=claim.publish())
        except KeyboardInterrupt:
            if run is not None:
                self.summary = run.summary("interrupted")
            raise
        self.summary = summary
        self._writing.check_ids(run.track_ids, video.name)
        return self.summary


class TrackingJob(VideoJob):
    """Tracks a source with a network and writes the results; see `VideoJob`.

    Args:
        load_model: Function that returns the model; called when the source is open. The caller closes the model.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        output_options: Outputs and their folder; None: the defaults.
        progress: Show progress on stderr: a bar on a terminal, else a line every 30 s. Or a function that is called
            with the source's name and number of frames (None if unknown), and returns another display.
        part: Temporary folder for the outputs, which are moved to their places when all are complete; None: they are
            written in their places.
    """

    def __init__(
        self,
        load_model: Callable[[], FairMOT],
        source: SourceSpec,
        *,
        source_options: SourceOptions | None = None,
        output_options: OutputOptions | None = None,
        progress: bool | BarMaker = True,
        part: Path | None = None,
    ) -> None:
        reading = source_options or SourceOptions()
        super().__init__(
            lambda: NetworkVideo(load_model, source, reading),
            output_options=output_options,
            progress=progress,
            part=part,
        )


def make_bar(name: str, frame_count: int | None, progress: bool | BarMaker) -> ProgressBar:
    """Return the display of a job's progress.

    Args:
        name: Name of the source.
        frame_count: Number of its frames; None if unknown.
        progress: Whether to show it, or a function that makes another display; see `VideoJob`.
    """
    if callable(progress):
        return progress(name, frame_count)
    return progress_bar(name, frame_count, enabled=progress)


def track_to_files(
    load_model: Callable[[], FairMOT],
    source: SourceSpec,
    *,
    source_options: SourceOptions | None = None,
    output_options: OutputOptions | None = None,
    progress: bool = True,
) -> TrackingSummary:
    """Run a `TrackingJob`, which explains the arguments.

    Returns:
        Paths written, frames, ids, seconds per stage.

    Raises:
        FairMOTError: One of its kinds. The outputs are then closed and valid, also after Ctrl-C; see `DelayedOutputs`
            for a Ctrl-C while a frame is written.
    """
    job = TrackingJob(
        load_model, source, source_options=source_options, output_options=output_options, progress=progress
    )
    return job.run()


def check_ended(summary: TrackingSummary) -> None:
    """Check that a run ended with the end of its source.

    Raises:
        SourceError: The live source was lost, or stopped sending.
    """
    check_end(summary.source, summary.frames, summary.ended)


def check_end(source: str, frames: int, ended: str) -> None:
    """Check that a source ended with its end; see `check_ended`.

    Args:
        source: Name of the source.
        frames: Frames before its end.
        ended: How it ended.

    Raises:
        SourceError: It was lost, or stopped sending.
    """
    reasons = {"lost": "the connection was lost", "stalled": "it stopped sending"}
    if ended in reasons:
        raise SourceError(
            f"{source} ended after {frames} frames: {reasons[ended]}. Everything before is "
            "written and valid; check the camera and the network, then start again."
        )


class _Run:
    """Counts and times of a job whose model is loaded.

    Attributes:
        track_ids: Ids of all results so far.
    """

    def __init__(self, video: DetectedVideo, tracker: VideoTracker, outputs: DelayedOutputs) -> None:
        self._video, self._tracker, self._outputs = video, tracker, outputs
        self.track_ids: set[int] = set()
        self._count = 0
        self._output_seconds = 0.0
        self._start_s = time.perf_counter()
        self._end_s: float | None = None

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write and count one result."""
        with StopDeferred():  # a frame is written and counted, or neither
            start_s = time.perf_counter()
            self._outputs.add(frame, result, self._tracker.detections)
            self._output_seconds += time.perf_counter() - start_s
            self.track_ids.update(track.track_id for track in result.tracks)
            self._count += 1

    def finish(self) -> None:
        """Write the rest and close the outputs."""
        start_s = time.perf_counter()
        self._outputs.close()
        self._end_s = time.perf_counter()
        self._output_seconds += self._end_s - start_s

    def summary(self, ended: str) -> TrackingSummary:
        """Return the summary of the run until now, or until `finish`."""
        return TrackingSummary(
            source=self._video.name,
            paths=tuple(path for path in self._outputs.paths if path.exists()),  # a video without a frame is removed
            frames=self._count,
            frames_skipped=self._video.frames_skipped,
            frames_dropped=self._video.frames_dropped,
            track_ids=len(self.track_ids),
            seconds=(self._end_s or time.perf_counter()) - self._start_s,
            stage_seconds={**self._tracker.times.seconds, "outputs": self._output_seconds},
            backend=self._video.backend,
            ended=ended,
            measured=self._tracker.measured,
            analytics=None if self._outputs.analysis is None else self._outputs.analysis.totals(),
        )
