"""Outputs of one video, written some frames late so that gaps of tracks can be filled."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from ..association.gaps import GapFiller
from ..console.signals import StopDeferred
from ..errors import OutputError
from ..outputs import SinkSet
from ..values import Frame, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)
_NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


class DelayedOutputs:
    """The outputs of one video after a `GapFiller`; a context manager.

    At its exit held results are written, also after an error. Only if writing itself failed or was interrupted, each
    file ends with that frame or the one before. The stop signals of a command wait for the end of a frame; a Ctrl-C in
    a program that uses this package does not, because a library installs no signal handlers. Memory: ``fill_gaps``
    images if a sink needs them.

    Args:
        open_sinks: Function that opens the outputs; called before the first result is written.
        fill_gaps: Longest gap to fill, in frames; 0 writes at once.
        images: Whether a sink needs the images.
        reused: Whether images may be overwritten after `add`, as by a caller's iterable; held images are then copied.

    Raises:
        InvalidInputError: ``fill_gaps`` is out of its range.
    """

    def __init__(self, open_sinks: Callable[[], SinkSet], *, fill_gaps: int, images: bool, reused: bool = True) -> None:
        self._open_sinks = open_sinks
        self._filler = GapFiller(fill_gaps)
        self._holds, self._images, self._reused = fill_gaps > 0, images, reused
        self._frames: deque[Frame] = deque()
        self._complete: deque[FrameResult] = deque()
        self._sinks: SinkSet | None = None
        self._writing = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files opened so far."""
        return () if self._sinks is None else self._sinks.paths

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sinks is None:
            return
        try:
            if not self._writing:
                self._write_rest()
        except OutputError as failure:
            if error is None:
                raise
            logger.warning("%s", failure)  # the error in progress is the one to report
        finally:
            self._sinks.__exit__(kind, error, trace)

    def add(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's result; write the results that are complete.

        Raises:
            OutputError: A sink cannot be opened, or every sink has failed.
        """
        with StopDeferred():
            if self._sinks is None:
                self._sinks = self._open_sinks()
            self._writing = True
            if self._holds and not self._images:
                frame = replace(frame, image=_NO_IMAGE)
            elif self._holds and self._reused:
                frame = replace(frame, image=frame.image.copy())
            self._frames.append(frame)
            self._complete.extend(self._filler.push(result))
            self._write()
            self._writing = False

    def close(self) -> None:
        """Write held results and close the outputs.

        Raises:
            OutputError: A sink failed, during the run or now.
        """
        if self._sinks is not None:
            self._write_rest()
            self._sinks.close()

    def _write_rest(self) -> None:
        with StopDeferred():
            self._complete.extend(self._filler.flush())
        while self._complete:
            with StopDeferred():
                self._writing = True
                self._write()
                self._writing = False

    def _write(self) -> None:
        """Write the oldest complete result, if there is one."""
        if self._complete and self._sinks is not None:
            self._sinks.write(self._frames.popleft(), self._complete.popleft())
