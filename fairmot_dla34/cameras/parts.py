"""Writes the outputs of one camera in parts, each of which is complete by itself."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import FairMOTError, StateError
from ..outputs import prepare_output_dir
from ..tracking.delay import Delay
from .clock import SystemClock
from .outage import Outage
from .pace import Pace
from .part import Part, size_of
from .part_records import PartRecords
from .part_settings import check_settings
from .retention import Retention
from .status import PartTotals

if TYPE_CHECKING:
    from ..tracking.options import OutputOptions
    from ..values import Frame, FrameResult
    from .clock import CameraClock
    from .keep import Keep
    from .result import CameraResult
    from .segment import Segment

logger = logging.getLogger(__name__)

_SWEEP_S = 60.0
_SILENCE_S = 5.0  # then held results are written without waiting for the next ones
_SWEEP_SHARE = 100.0  # a sweep may take one part in so many of the time
_MOST_LENGTHS = 2.0  # of the segment in a part, if the clock is set back again and again


class PartWriter(ClosedOnExit):
    """Outputs of one camera in parts named ``<camera>_<YYYYmmddTHHMMSSZ>``; a `ResultWriter`.

    The stamp is the wall time of the first frame, UTC. Frame numbers and times start anew in each part, ids go on.
    A new part begins with the next segment, and with a new frame size. People are anonymised and gaps filled over the
    boundary of parts. If an output fails, as on a full disk, the others go on; a new part with all outputs is tried
    after a minute, later every ten minutes, and with each new segment.

    Args:
        camera_name: Name of the camera, the first part of every file name.
        options: Outputs and their folder; ``name``, ``show`` and ``overwrite`` are refused.
        segment: Length of the parts; None: a new part only for a new frame size.
        keep: Limits after which old parts are deleted; None: none is. It needs a segment.
        clock: Clock for the age of parts; None: the system's.
        class_names: Names of the network's classes; empty if they are not known.
        hold_s: Seconds for which a lost person stays anonymised: the tracker's lost buffer.

    Raises:
        InvalidInputError: A setting has no effect here, or the camera's name is no file name.
        OutputError: The output directory cannot be written, or another process writes parts of this camera.
    """

    def __init__(
        self,
        camera_name: str,
        options: OutputOptions,
        *,
        segment: Segment | None = None,
        keep: Keep | None = None,
        clock: CameraClock | None = None,
        class_names: tuple[str, ...] = (),
        hold_s: float = 2.0,
    ) -> None:
        check_settings(camera_name, options, segment, keep)
        output_dir = Path(options.output_dir).absolute()
        self._camera_name, self._class_names, self._hold_s = camera_name, class_names, hold_s
        self._options = replace(options, output_dir=output_dir)
        self._segment, self._keep = segment, keep
        self._clock: CameraClock = SystemClock() if clock is None else clock
        prepare_output_dir(output_dir)
        self._records = PartRecords(output_dir, camera_name)
        self._retention = None if keep is None else Retention(self._records, keep, self._clock)
        self._outage = Outage(camera_name, self._clock)
        self._delay: Delay | None = None
        self._waiting: deque[tuple[datetime, float]] = deque()  # wall time and frame rate of the results in the delay
        self._part: Part | None = None
        self._segment_start: datetime | None = None  # of the part, or of the latest that failed
        self._pace = Pace()
        self._sweep_due_s = self._written_s = self._clock.monotonic()
        self._parts = self._bytes = 0  # of complete parts
        self._has_flickered = False
        self._is_reported = False  # whether a failure of the part is
        people = options.anonymisation
        self._unseen_ids = set(people.ids if people else ()) | ({options.follow} if options.follow else set())
        self._closed = False

    @property
    def error(self) -> str:
        """Reason why not every output is written now; empty if all are."""
        return self._outage.reason

    @property
    def totals(self) -> PartTotals:
        """Number and size of the complete parts; the disk is not read for it."""
        kept = None if self._retention is None else self._retention.bytes
        return PartTotals(self._parts, self._bytes, kept)

    def write(self, result: CameraResult) -> None:
        """Write one result; results come in order. Errors of the disk are logged, and end only the current part.

        Raises:
            StateError: The writer is closed.
        """
        if self._closed:
            raise StateError(
                f"The outputs of camera {self._camera_name} are closed; write every result before close()."
            )
        self._unseen_ids -= {track.track_id for track in result.result.tracks}
        self._pace.note(result.frame.time_s)
        if self._delay is None:
            plan = self._options.cover_plan(result.frame_rate, self._hold_s)
            self._delay = Delay(fill_gaps=self._options.fill_gaps, images=self._options.needs_images, plan=plan)
        self._delay.push(result.frame, result.result, result.detections)
        self._waiting.append((result.wall_time.astimezone(timezone.utc), result.frame_rate))
        self._written_s = self._clock.monotonic()
        self._write_complete()
        self._sweep()

    def idle(self) -> None:
        """Do what is due without a result; call it every few seconds while the camera is silent.

        Held results are written, the part is completed at its end, and old parts are deleted.
        """
        if self._closed:
            return
        if self._delay is not None and len(self._delay) and self._clock.monotonic() - self._written_s > _SILENCE_S:
            self._delay.flush()
            self._write_complete()
        if self._part is not None and not self._waiting and self._is_over(self._clock.now()):
            self._end_part()
        self._sweep()

    def close(self) -> None:
        """Write held results and complete the current part; safe to call twice.

        Raises:
            OutputError: The last part cannot be completed.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._delay is not None:
                self._delay.flush()
                self._write_complete()
            part, self._part = self._part, None
            if part is not None:
                self._complete(part)
        finally:
            self._records.close()
            if self._unseen_ids:
                logger.warning(
                    "Camera %s: nobody got the id %d, which the settings of its outputs name.",
                    self._camera_name,
                    min(self._unseen_ids),
                )

    def _write_complete(self) -> None:
        """Write the results that left the delay."""
        while self._delay is not None and (complete := self._delay.pop()) is not None:
            wall_time, rate = self._waiting.popleft()
            self._write_one(*complete, wall_time, rate)

    def _write_one(self, frame: Frame, result: FrameResult, wall_time: datetime, stated_rate: float) -> None:
        if self._part is not None and self._ends_before(self._part, frame, wall_time):
            self._end_part()
        elif self._part is not None and self._part.size != size_of(frame):
            if not self._pace.allows_size(frame.time_s):
                self._leave_out(frame)
                return
            self._end_part()
        try:
            if self._part is None:
                if self._is_pausing(wall_time):
                    self._outage.left_out()
                    return
                self._open_part(frame, wall_time, stated_rate)
            if self._part is not None:
                self._part.write(frame, result, wall_time)
                self._note_written(self._part)
        except FairMOTError as error:
            self._outage.left_out()
            self._report(error)
            self._end_part()

    def _ends_before(self, part: Part, frame: Frame, wall_time: datetime) -> bool:
        """Return whether a frame, whatever its size, begins another part."""
        if self._is_over(wall_time):
            return True
        is_too_long = self._segment is not None and part.seconds_until(frame) > _MOST_LENGTHS * self._segment.seconds
        return is_too_long or (part.failure is not None and self._outage.is_due)

    def _leave_out(self, frame: Frame) -> None:
        """Leave out a frame of a camera whose size changes all the time; log the first one."""
        if not self._has_flickered:
            self._has_flickered = True
            logger.warning(
                "Camera %s: the size of its frames changes again and again. Ten new sizes in ten minutes begin a part;"
                " frames of further ones, as now of %dx%d px, are not written.",
                self._camera_name,
                *size_of(frame),
            )

    def _is_over(self, wall_time: datetime) -> bool:
        """Return whether the segment of the part does not contain a time."""
        if self._segment is None or self._segment_start is None:
            return False
        return self._segment.is_over(self._segment_start, wall_time)

    def _is_pausing(self, wall_time: datetime) -> bool:
        """Return whether outputs failed a short time ago in the same segment."""
        return self._outage.is_active and not self._outage.is_due and not self._is_over(wall_time)

    def _open_part(self, frame: Frame, wall_time: datetime, stated_rate: float) -> None:
        self._is_reported = False
        self._segment_start = None if self._segment is None else self._segment.start_of(wall_time)
        self._part = Part(
            self._camera_name,
            self._options,
            self._records,
            frame,
            wall_time,
            frame_rate=self._pace.rate(stated_rate),
            class_names=self._class_names,
        )

    def _end_part(self) -> None:
        """Complete the part, if there is one, and delete old ones."""
        part, self._part = self._part, None
        if part is None:
            return
        try:
            self._complete(part)
        except FairMOTError as error:
            self._report(error)
        else:
            if part.frames:
                self._outage.written(complete=True)
        if self._retention is not None and part.frames:
            self._retention.sweep()

    def _complete(self, part: Part) -> None:
        """Close a part and count it, also if an output of it failed.

        Raises:
            OutputError: A file cannot be completed, or an output failed before.
        """
        try:
            part.close()
        finally:
            if part.frames:
                self._parts += 1
                self._bytes += part.record.bytes
                if self._retention is not None:
                    self._retention.add(part.record)

    def _note_written(self, part: Part) -> None:
        if part.failure is None:
            self._outage.written()
        else:
            self._report(part.failure)

    def _report(self, error: FairMOTError) -> None:
        """Take note of a failure, once for each part."""
        if not self._is_reported:
            self._is_reported = True
            self._outage.failed(error)

    def _sweep(self) -> None:
        """Delete old parts once a minute, less often if it takes long to measure the part that is being written."""
        start_s = self._clock.monotonic()
        if self._retention is None or self._keep is None or start_s < self._sweep_due_s:
            return
        measured_s = time.perf_counter()
        open_bytes = 0 if self._keep.bytes is None or self._part is None else self._part.bytes
        self._retention.sweep(open_bytes)
        self._sweep_due_s = start_s + max(_SWEEP_S, _SWEEP_SHARE * (time.perf_counter() - measured_s))
