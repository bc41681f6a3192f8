"""A tracking job: reads a source, tracks it and writes the outputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from ..console.progress import progress_bar
from ..console.signals import StopDeferred
from ..errors import SourceError
from ..values import Frame, FrameResult, TrackingSummary
from ..video import Source
from .delayed_outputs import DelayedOutputs
from .model import FairMOT
from .options import OutputOptions, SourceOptions, SourceSpec
from .pipeline import Pipeline
from .session import Session


class TrackingJob:
    """Tracks a source and writes the results; `run` is called once.

    The source and the output directory are checked first, then the model is loaded, and the outputs are opened with
    the first result: a run that cannot start leaves earlier results unchanged.

    Args:
        load_model: Function that returns the model; called when the source is open. The caller closes the model.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        output_options: Outputs and their folder; None: the defaults.
        progress: Show progress on stderr: a bar on a terminal, else a line every 30 s.

    Attributes:
        summary: Summary of the run, also if it was interrupted; None before the model is loaded, and after an error.
    """

    def __init__(
        self,
        load_model: Callable[[], FairMOT],
        source: SourceSpec,
        *,
        source_options: SourceOptions | None = None,
        output_options: OutputOptions | None = None,
        progress: bool = True,
    ) -> None:
        self.summary: TrackingSummary | None = None
        self._load_model = load_model
        self._source = source
        self._reading = source_options or SourceOptions()
        self._writing = output_options or OutputOptions()
        self._progress = progress

    def run(self) -> TrackingSummary:
        """Track the source.

        Returns:
            Paths written, frames, ids, seconds per stage. ``ended`` is ``lost`` or ``stalled`` if a live source ended
            that way; `check_ended` raises an error for it.

        Raises:
            FairMOTError: One of its kinds. The outputs are then closed and valid, also after Ctrl-C.
        """
        run: _Run | None = None
        try:
            with ExitStack() as stack:
                frames = stack.enter_context(self._reading.open(self._source))
                claim = stack.enter_context(self._writing.claim(frames.origin))
                outputs = DelayedOutputs(
                    lambda: self._writing.open(
                        claim, frames.frame_rate, draw_on_frames=frames.reads_ahead, class_names=model.class_names
                    ),
                    fill_gaps=self._writing.fill_gaps,
                    images=self._writing.needs_images,
                    reused=not frames.reads_ahead,
                )
                model = self._load_model()
                session = model.session(frames.native_rate)
                bar = stack.enter_context(progress_bar(frames.name, frames.frame_count, enabled=self._progress))
                pipeline = Pipeline(session, frames, newest=self._reading.takes_newest(frames))
                run = _Run(frames, session, pipeline, outputs, str(model.backend.info))
                stack.enter_context(pipeline)
                stack.enter_context(outputs)  # closed first: the pipeline may have to wait for a pass of the network
                for frame, result in pipeline:
                    run.write(frame, result)
                    bar.update()
                run.finish()
        except KeyboardInterrupt:
            if run is not None:
                self.summary = run.summary("interrupted")
            raise
        self.summary = run.summary(frames.ended)
        return self.summary


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
    reasons = {"lost": "the connection was lost", "stalled": "it stopped sending"}
    if summary.ended in reasons:
        raise SourceError(
            f"{summary.source} ended after {summary.frames} frames: {reasons[summary.ended]}. Everything before is "
            "written and valid; check the camera and the network, then start again."
        )


class _Run:
    """Counts and times of a job whose model is loaded."""

    def __init__(
        self, frames: Source, session: Session, pipeline: Pipeline, outputs: DelayedOutputs, backend: str
    ) -> None:
        self._frames, self._session, self._pipeline, self._outputs = frames, session, pipeline, outputs
        self._backend = backend
        self._track_ids: set[int] = set()
        self._count = 0
        self._output_seconds = 0.0
        self._start_s = time.perf_counter()
        self._end_s: float | None = None

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write and count one result."""
        with StopDeferred():  # a frame is written and counted, or neither
            start_s = time.perf_counter()
            self._outputs.add(frame, result)
            self._output_seconds += time.perf_counter() - start_s
            self._track_ids.update(track.track_id for track in result.tracks)
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
            source=self._frames.name,
            paths=self._outputs.paths,
            frames=self._count,
            frames_skipped=self._frames.frames_skipped,
            frames_dropped=self._pipeline.frames_dropped,
            track_ids=len(self._track_ids),
            seconds=(self._end_s or time.perf_counter()) - self._start_s,
            stage_seconds={**self._session.times.seconds, "outputs": self._output_seconds},
            backend=self._backend,
            ended=ended,
        )
