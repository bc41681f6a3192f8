"""From a source to files: what `Module.tracking` and the command line run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..config import OUTPUT_FORMATS, check_choice, check_fraction
from .delayed_outputs import DelayedOutputs
from ..errors import InvalidInputError
from .model import FairMOT, SourceSpec
from ..outputs import WriterSet, open_writers, prepare_output_dir
from .pipeline import Pipeline, takes_newest
from ..progress import progress_bar
from ..values import TrackingSummary
from ..video import open_source


@dataclass(frozen=True)
class OutputOptions:
    """What to write and where.

    Attributes:
        output_dir: Where ``mot_results/`` and ``mot_outputs/`` go; ``""`` is the current directory.
        video: Write a video with boxes and ids.
        draw_threshold: Smallest score that is drawn, in [0, 1].
        formats: Text outputs.

    Raises:
        InvalidInputError: The threshold is not in [0, 1], or a format is unknown.
    """

    output_dir: str | Path = ""
    video: bool = True
    draw_threshold: float = 0.5
    formats: Sequence[str] = ("mot",)

    def __post_init__(self) -> None:
        check_fraction("draw_threshold", self.draw_threshold)
        if isinstance(self.formats, str):
            raise InvalidInputError(f"formats is {self.formats!r}; expected a list of names, such as ['mot', 'csv'].")
        for name in self.formats:
            check_choice("Output format", name, OUTPUT_FORMATS)

    def prepare(self) -> None:
        """Make the directories and check that they can be written, before anything slow begins.

        Raises:
            OutputError: They cannot.
        """
        prepare_output_dir(Path(self.output_dir))

    def open(self, name: str, frame_rate: float, *, draw_on_frames: bool = False) -> WriterSet:
        """Open the outputs of one video; earlier ones of that name are replaced.

        Args:
            name: The source's name.
            frame_rate: Frames per second of the video.
            draw_on_frames: As `open_writers` takes it.

        Raises:
            OutputError: A file cannot be written.
        """
        return open_writers(
            Path(self.output_dir),
            name,
            formats=self.formats,
            video=self.video,
            frame_rate=frame_rate,
            draw_threshold=self.draw_threshold,
            draw_on_frames=draw_on_frames,
        )


def track_to_files(
    load_model: Callable[[], FairMOT],
    source: SourceSpec,
    options: OutputOptions,
    *,
    frame_rate: float | None = None,
    frame_stride: int = 1,
    fill_gaps: int = 0,
    newest_frame: bool | None = None,
    progress: bool = True,
) -> TrackingSummary:
    """Track a source and write the results.

    The source and the output directory are checked first, then the model is loaded, and the outputs are opened with
    the first result: a run that cannot begin leaves earlier results as they are.

    Args:
        load_model: Gives the model; called once the source is open.
        source: As `FairMOT.track` takes it.
        options: What to write and where.
        frame_rate: Frames per second, where the source does not say or is wrong.
        frame_stride: Track every n-th frame.
        fill_gaps: Longest gap of a track to fill, in tracked frames; the outputs then run so many frames late.
        newest_frame: As `FairMOT.track` takes it.
        progress: Show a progress bar on stderr.

    Returns:
        The summary.

    Raises:
        FairMOTError: One of its kinds. Outputs are closed and valid then, as they are after Ctrl-C.
    """
    with ExitStack() as stack:
        frames = stack.enter_context(open_source(source, frame_rate=frame_rate, frame_stride=frame_stride))
        newest = takes_newest(frames, newest_frame)
        outputs = DelayedOutputs(
            lambda: options.open(frames.name, frames.frame_rate, draw_on_frames=frames.reads_ahead),
            fill_gaps=fill_gaps,
            pictures=options.video,
            reused=not frames.reads_ahead,
        )
        options.prepare()
        model = load_model()
        session = model.session(frames.native_rate)
        bar = stack.enter_context(progress_bar(frames.name, frames.frame_count, enabled=progress))
        track_ids: set[int] = set()
        count, output_seconds = 0, 0.0
        begin = time.perf_counter()
        pipeline = stack.enter_context(Pipeline(session, frames, newest=newest))
        stack.enter_context(outputs)  # closed before the pipeline, which may have to wait for a pass of the network
        for frame, result in pipeline:
            before_output = time.perf_counter()
            outputs.add(frame, result)
            output_seconds += time.perf_counter() - before_output
            track_ids.update(track.track_id for track in result.tracks)
            count += 1
            bar.update()
        before_output = time.perf_counter()
        outputs.close()
        end = time.perf_counter()
    return TrackingSummary(
        source=frames.name,
        paths=outputs.paths,
        frames=count,
        frames_skipped=frames.frames_skipped,
        frames_dropped=pipeline.frames_dropped,
        track_ids=len(track_ids),
        seconds=end - begin,
        stage_seconds={**session.stage_seconds, "outputs": output_seconds + end - before_output},
        backend=str(model.backend.info),
    )
