"""Outputs that are written some frames later, so that gaps of tracks can be filled."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from ..association.gaps import GapFiller
from ..errors import OutputError
from ..outputs import WriterSet
from ..values import Frame, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self

_LOGGER = logging.getLogger(__name__)
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


class DelayedOutputs:
    """The outputs of one video behind a `GapFiller`; use it as a context manager.

    Whatever ends the run, what is held is written, unless writing is what failed or was interrupted: files then end
    with the frame before. Memory: ``fill_gaps`` pictures where they are drawn.

    Args:
        open_writers: Opens the outputs; called with the first result.
        fill_gaps: Longest gap to fill, in frames; 0 writes at once.
        pictures: Whether an output needs the pictures.
        reused: Whether a picture may be written over after `add`, as by a caller's iterable; it is copied then.

    Raises:
        InvalidInputError: ``fill_gaps`` is out of its range.
    """

    def __init__(
        self, open_writers: Callable[[], WriterSet], *, fill_gaps: int, pictures: bool, reused: bool = True
    ) -> None:
        self._open_writers = open_writers
        self._filler = GapFiller(fill_gaps)
        self._holds, self._pictures, self._reused = fill_gaps > 0, pictures, reused
        self._frames: deque[Frame] = deque()
        self._writers: WriterSet | None = None
        self._writing = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files opened so far."""
        return () if self._writers is None else self._writers.paths

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writers is None:
            return
        try:
            if not self._writing:
                self._write(self._filler.flush())
        except OutputError as failure:
            if error is None:
                raise
            _LOGGER.warning("%s", failure)  # the error under way is the one to tell
        finally:
            self._writers.__exit__(kind, error, trace)

    def add(self, frame: Frame, result: FrameResult) -> None:
        """Take one frame's result; write what is complete by now.

        Raises:
            OutputError: An output cannot be opened, or none is left to write to.
        """
        if self._writers is None:
            self._writers = self._open_writers()
        self._writing = True
        if self._holds and not self._pictures:
            frame = replace(frame, image=_NO_PICTURE)
        elif self._holds and self._reused:
            frame = replace(frame, image=frame.image.copy())
        self._frames.append(frame)
        self._write(self._filler.push(result))

    def close(self) -> None:
        """Write what is held and close the outputs.

        Raises:
            OutputError: An output failed, during the run or now.
        """
        if self._writers is not None:
            self._write(self._filler.flush())
            self._writers.close()

    def _write(self, results: Iterable[FrameResult]) -> None:
        self._writing = True
        for result in results:
            if self._writers is not None:
                self._writers.write(self._frames.popleft(), result)
        self._writing = False
