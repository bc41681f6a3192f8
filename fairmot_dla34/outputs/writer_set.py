"""Several outputs as one."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ..values import Frame, FrameResult
    from .writer import ResultWriter

_LOGGER = logging.getLogger(__name__)


class WriterSet:
    """Several outputs as one. A failing one is closed and the others go on, so that a full disk costs the video only.

    Attributes:
        paths: Files written, in order.
    """

    def __init__(self, writers: Sequence[ResultWriter]) -> None:
        """Take over open writers, text before video."""
        self.paths = tuple(writer.path for writer in writers)
        self._open = list(writers)
        self._failure: OutputError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except OutputError as failure:
            if error is None:
                raise
            _LOGGER.warning("%s", failure)  # the error under way is the one to tell

    def __iter__(self) -> Iterator[ResultWriter]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Hand one frame's result to every output.

        Raises:
            OutputError: No output is left, or the last one failed. While others go on the failure is logged, and
                raised by `close`.
        """
        for writer in list(self._open):
            try:
                writer.write(frame, result)
            except OutputError as error:
                self._drop(writer, error)
        if self._failure is not None and not self._open:
            raise self._failure

    def close(self) -> None:
        """Close every output; safe to call twice.

        Raises:
            OutputError: An output failed, during the run or now.
        """
        with ExitStack() as stack:
            for writer in reversed(self._open):  # each is closed, whatever closing another one raises
                stack.callback(self._close_one, writer)
            self._open = []
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _close_one(self, writer: ResultWriter) -> None:
        try:
            writer.close()
        except OutputError as error:
            self._note(error)

    def _drop(self, writer: ResultWriter, error: OutputError) -> None:
        self._open.remove(writer)
        self._note(error)
        try:
            writer.close()
        except OutputError as second:
            _LOGGER.debug("closing %s after its failure: %s", writer.path, second)

    def _note(self, error: OutputError) -> None:
        if self._failure is None:
            self._failure = error  # told in full by `close`
            if self._open:
                _LOGGER.warning("An output failed; the others go on.")
        else:
            _LOGGER.error("%s", error)
