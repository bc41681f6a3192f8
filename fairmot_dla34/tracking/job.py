"""A tracking job: reads a source, tracks it and writes the outputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from ..console import progress_bar
from ..values import TrackingSummary
from .delayed_outputs import DelayedOutputs
from .model import FairMOT
from .options import OutputOptions, SourceOptions, SourceSpec
from .pipeline import Pipeline


def track_to_files(
    load_model: Callable[[], FairMOT],
    source: SourceSpec,
    *,
    source_options: SourceOptions | None = None,
    output_options: OutputOptions | None = None,
    progress: bool = True,
) -> TrackingSummary:
    """Track a source and write the results.

    The source and the output directory are checked first, then the model is loaded, and the outputs are opened with
    the first result: a run that cannot start leaves earlier results unchanged.

    Args:
        load_model: Function that returns the model; called when the source is open. The caller closes the model.
        source: A source; see `FairMOT.track`.
        source_options: Settings for reading the source; None: the defaults.
        output_options: Outputs and their folder; None: the defaults.
        progress: Show a progress bar on stderr.

    Returns:
        Paths written, frames, ids, seconds per stage.

    Raises:
        FairMOTError: One of its kinds. The outputs are then closed and valid, also after Ctrl-C.
    """
    reading, writing = source_options or SourceOptions(), output_options or OutputOptions()
    with ExitStack() as stack:
        frames = stack.enter_context(reading.open(source))
        claim = stack.enter_context(writing.claim(frames.origin))
        outputs = DelayedOutputs(
            lambda: writing.open(claim, frames.frame_rate, draw_on_frames=frames.reads_ahead),
            fill_gaps=writing.fill_gaps,
            images=writing.needs_images,
            reused=not frames.reads_ahead,
        )
        model = load_model()
        session = model.session(frames.native_rate)
        bar = stack.enter_context(progress_bar(frames.name, frames.frame_count, enabled=progress))
        track_ids: set[int] = set()
        count, output_seconds = 0, 0.0
        start_s = time.perf_counter()
        pipeline = stack.enter_context(Pipeline(session, frames, newest=reading.takes_newest(frames)))
        stack.enter_context(outputs)  # closed before the pipeline, which may have to wait for a pass of the network
        for frame, result in pipeline:
            output_start_s = time.perf_counter()
            outputs.add(frame, result)
            output_seconds += time.perf_counter() - output_start_s
            track_ids.update(track.track_id for track in result.tracks)
            count += 1
            bar.update()
        output_start_s = time.perf_counter()
        outputs.close()
        end_s = time.perf_counter()
    return TrackingSummary(
        source=frames.name,
        paths=outputs.paths,
        frames=count,
        frames_skipped=frames.frames_skipped,
        frames_dropped=pipeline.frames_dropped,
        track_ids=len(track_ids),
        seconds=end_s - start_s,
        stage_seconds={**session.times.seconds, "outputs": output_seconds + end_s - output_start_s},
        backend=str(model.backend.info),
    )
