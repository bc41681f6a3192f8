"""One part of a camera's outputs: its files, and frame numbers and times that start anew in them."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import InvalidInputError, OutputError
from ..origin import Origin
from ..outputs import sink_names
from ..outputs.registry import as_sink_kind
from ..tracking.delayed_outputs import DelayedOutputs
from .part_files import ForeignFileError, delete_files, files_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..outputs import SinkSet
    from ..outputs.run_analysis import RunAnalysis
    from ..tracking.options import OutputOptions
    from ..values import Frame, FrameResult
    from .part_records import PartRecord, PartRecords

logger = logging.getLogger(__name__)

_MOST_OF_A_NAME = 1000


class Part(ClosedOnExit):
    """The outputs of one camera from its first frame to `close`.

    Args:
        camera_name: Name of the camera.
        options: Outputs and their folder.
        records: Records of the camera.
        first: First frame, which gives the size of the images.
        wall_time: Wall time of that frame.
        frame_rate: Frames per second of the results.
        class_names: Names of the network's classes; empty if they are not known.

    Attributes:
        frames: Number of results written.
        record: Record of the part.
        size: Width and height of the frames, px.

    Raises:
        OutputError: A file cannot be written.
    """

    def __init__(
        self,
        camera_name: str,
        options: OutputOptions,
        records: PartRecords,
        first: Frame,
        wall_time: datetime,
        *,
        frame_rate: float,
        class_names: tuple[str, ...],
    ) -> None:
        self.frames = 0
        self.size = size_of(first)
        self._first_s, self._last_wall_s = first.time_s, wall_time.timestamp()
        self._records = records
        name = free_name(f"{camera_name}_{wall_time:%Y%m%dT%H%M%SZ}", options)
        analysis, options = _start_analysis(replace(options, name=name), self.size, frame_rate)
        shown = f"camera {camera_name}"
        self._claim = options.claim(Origin(name, shown, shown))
        self._sinks: SinkSet | None = None
        paths = [as_sink_kind(kind).path_in(Path(options.output_dir), name) for kind in options.sinks]
        try:
            self.record: PartRecord = records.start(name, self._last_wall_s, paths)
        except BaseException:
            self._claim.close()
            raise

        def open_sinks(running: RunAnalysis | None) -> SinkSet:
            self._sinks = options.open(self._claim, frame_rate, class_names=class_names, analysis=running)
            self._sinks.quiet = True  # `PartWriter` reports failures
            return self._sinks

        self._outputs = DelayedOutputs(
            open_sinks,
            fill_gaps=0,
            images=options.needs_images,
            start_analysis=None if analysis is None else lambda _: analysis,
        )

    @property
    def failure(self) -> OutputError | None:
        """First failure of one of several outputs; None if there was none. The others go on."""
        return None if self._sinks is None else self._sinks.failure

    @property
    def bytes(self) -> int:
        """Size of the files so far."""
        try:
            return sum(status.st_size for _, status in files_of(self._records.output_dir, self.record.files))
        except (OSError, ForeignFileError):
            return 0

    def seconds_until(self, frame: Frame) -> float:
        """Return the time of a frame in this part, in seconds."""
        return frame.time_s - self._first_s

    def write(self, frame: Frame, result: FrameResult, wall_time: datetime) -> None:
        """Write a result with its number and time in this part.

        Results are numbered without gaps, also over frames that were dropped: the n-th frame of the part's video then
        has the n-th result.

        Raises:
            OutputError: No output is left.
        """
        index, time_s = self.frames, frame.time_s - self._first_s
        self._outputs.add(replace(frame, index=index, time_s=time_s), replace(result, index=index, time_s=time_s))
        self.frames += 1
        self._last_wall_s = max(self._last_wall_s, wall_time.timestamp())

    def close(self) -> None:
        """Complete the files and the record; a part without a frame leaves nothing.

        Raises:
            OutputError: A file cannot be completed, or an output failed before.
        """
        try:
            self._outputs.close()
        finally:
            self._claim.close()
            if self.frames:
                self.record = self._records.measured(self.record, self._last_wall_s)
                self._records.save(self.record)
            else:
                self._discard()

    def _discard(self) -> None:
        """Delete the files of a part without a frame."""
        try:
            delete_files(self._records.output_dir, self.record.files)
            self._records.forget(self.record)
        except (OSError, ForeignFileError) as error:
            logger.debug("%s is left: %s", self.record.name, error)


def size_of(frame: Frame) -> tuple[int, int]:
    """Return width and height of a frame, px."""
    return frame.image.shape[1], frame.image.shape[0]


def free_name(name: str, options: OutputOptions) -> str:
    """Return a name of which no output exists: the name itself, or one that ends in ``_2``, ``_3`` and so on.

    Raises:
        OutputError: A thousand such names are taken.
    """
    kinds = [as_sink_kind(kind) for kind in dict.fromkeys((*options.sinks, *sink_names()))]
    for number in range(1, _MOST_OF_A_NAME + 1):
        free = name if number == 1 else f"{name}_{number}"
        paths = [kind.path_in(Path(options.output_dir), free) for kind in kinds]
        if not any(os.path.lexists(path) for path in paths):
            return free
    raise OutputError(f"{options.output_dir} has {_MOST_OF_A_NAME} parts named {name}; name another output directory.")


def _start_analysis(
    options: OutputOptions, size: tuple[int, int], frame_rate: float
) -> tuple[RunAnalysis | None, OutputOptions]:
    """Return the analysis of a part, and the options of its outputs: without an analysis that does not fit the size."""
    starter = options.analysis_starter(frame_rate)
    if starter is None:
        return None, options
    try:
        return starter(size), options
    except InvalidInputError as error:
        logger.error("Part %s has no analytics: %s", options.name, error)  # noqa: TRY400 (one line, no traceback)
        return None, replace(options, analytics=None)
