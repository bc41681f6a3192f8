"""Opens, writes and closes the outputs of one run together."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import OutputError
from .registry import as_sink_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from ..values import Frame, FrameResult
    from .sink import Sink, SinkContext, SinkKind

logger = logging.getLogger(__name__)


def open_sinks(output_dir: str | Path, name: str, kinds: Iterable[SinkKind | str], context: SinkContext) -> SinkSet:
    """Open the outputs of one video; existing files of these names are replaced.

    Args:
        output_dir: Directory to write to; created if it does not exist.
        name: Name of the source, the first part of every file name.
        kinds: Kinds of outputs or their registered names; repeated ones are opened once. Those that need images are
            opened and written last.
        context: Settings of the run.

    Returns:
        The open outputs, to be used as a context manager.

    Raises:
        OutputError: A folder or file cannot be written.
        InvalidInputError: A name is not registered, or a number is out of its range.
    """
    chosen = dict.fromkeys(map(as_sink_kind, kinds))
    if sum(kind.needs_images for kind in chosen) > 1:  # a drawing must not show in another sink's output
        context = replace(context, draw_on_frames=False)
    opened: list[Sink] = []
    try:
        for kind in sorted(chosen, key=lambda kind: kind.needs_images):
            opened.append(kind.open(kind.path_in(output_dir, name), context))  # noqa: PERF401 (closed on an error)
    except BaseException:
        SinkSet(opened).__exit__(*sys.exc_info())  # logs an error in closing; the one above is raised
        raise
    return SinkSet(opened)


class SinkSet:
    """Several outputs as one. An output that fails is closed, and the others continue.

    Attributes:
        paths: Files written, in order.
        quiet: Whether failures are not logged, because the caller reports them; `failure` has the first one.
    """

    quiet = False

    def __init__(self, sinks: Sequence[Sink]) -> None:
        """Take over open sinks, text before video."""
        self.paths = tuple(sink.path for sink in sinks)
        self._open = list(sinks)
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
            logger.warning("%s", failure)  # the error that ended the run is the one to raise

    def __iter__(self) -> Iterator[Sink]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)

    @property
    def failure(self) -> OutputError | None:
        """First failure of an output, until `close`; None if there was none."""
        return self._failure

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write one frame's result to every output.

        Raises:
            OutputError: No output is left, or the last one failed. While others continue the failure is logged, and
                raised by `close`.
        """
        for sink in list(self._open):
            try:
                sink.write(frame, result)
            except OutputError as error:
                self._drop(sink, error)
        if self._failure is not None and not self._open:
            raise self._failure

    def close(self) -> None:
        """Close every output; safe to call twice.

        Raises:
            OutputError: An output failed, during the run or now.
        """
        with ExitStack() as stack:
            for sink in reversed(self._open):  # each is closed, even if closing another one raises
                stack.callback(self._close_one, sink)
            self._open = []
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _close_one(self, sink: Sink) -> None:
        try:
            sink.close()
        except OutputError as error:
            self._record(error)

    def _drop(self, sink: Sink, error: OutputError) -> None:
        self._open.remove(sink)
        self._record(error)
        try:
            sink.close()
        except OutputError as second:
            logger.debug("closing %s after its failure: %s", sink.path, second)

    def _record(self, error: OutputError) -> None:
        if self._failure is None:
            self._failure = error  # raised by `close`
            if self._open and not self.quiet:
                logger.warning("An output failed; the others continue, and the error follows at the end of the run.")
        elif not self.quiet:
            logger.error("%s", error)
