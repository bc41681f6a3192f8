"""Reserves the output files of one run, before anything slow starts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import OutputError, StateError
from ..files import output_error
from .paths import prepare_output_dir, regular_file
from .publishing import publish_files
from .registry import as_sink_kind, sink_names
from .reservation import Record, Reservation, digest_of, read_record
from .sink_set import SinkSet, open_sinks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..origin import Origin
    from .sink import SinkContext, SinkKind

_REMEDY = "choose another name (--name), or replace it (--overwrite)."


class OutputClaim(ClosedOnExit):
    """The output files of one run, reserved until `close`; a context manager.

    Other runs are kept out by locks, which the system releases if the process is killed.

    Attributes:
        name: Stem of the files.
    """

    def __init__(
        self,
        output_dir: str | Path,
        name: str,
        kinds: Sequence[SinkKind | str],
        origin: Origin,
        *,
        overwrite: bool = False,
        made_from: Record | None = None,
        part: Path | None = None,
        beside: Sequence[SinkKind] = (),
    ) -> None:
        """Reserve the files; none of them is changed.

        Args:
            output_dir: Directory to write to; created if it does not exist.
            name: Stem of the files.
            kinds: Kinds of outputs, or their registered names.
            origin: Source of the run.
            overwrite: Whether to replace results of other sources.
            made_from: Record of results that this run reads in place of the source; the files then count as results of
                its source. None, or a record without a source: they are results of ``origin``.
            part: Temporary folder in which the outputs are written, on the same disk; `publish` moves them to their
                places. None: they are written in their places.
            beside: Kinds of files that the run writes itself, such as detections; they are reserved and published with
                the outputs.

        Raises:
            OutputError: A folder or file cannot be written, another run writes it, it contains results of another
                source, or it is a file of this source.
        """
        self.name = name
        self._output_dir, self._kinds = Path(output_dir), tuple(dict.fromkeys(map(as_sink_kind, kinds)))
        self._reserved = (*self._kinds, *beside)
        self._origin, self._part = origin, part
        if made_from is not None and made_from.source:
            self._source, self._shown = made_from.source, made_from.shown
        else:
            self._source, self._shown = digest_of(origin), origin.shown
        self._stack = ExitStack()
        prepare_output_dir(self._output_dir, [kind.folder for kind in self._reserved])
        paths = [kind.path_in(self._output_dir, name) for kind in self._reserved]
        for path in paths:
            self._check_writable(path)
        self._check_source(paths)
        try:
            self._reservations = [self._stack.enter_context(Reservation(path)) for path in paths]
            if not overwrite:
                self._check_earlier_results()
        except BaseException:
            self.close()
            raise

    def open(self, context: SinkContext) -> SinkSet:
        """Open the outputs; earlier ones are replaced, now or by `publish`.

        Raises:
            OutputError: A file cannot be written.
        """
        if self._part is not None:
            return open_sinks(self._part, self.name, self._kinds, context)
        self.take()
        return open_sinks(self._output_dir, self.name, self._kinds, context)

    def publish(self) -> tuple[Path, ...]:
        """Move the closed outputs from the temporary folder to their places, each of them whole.

        An earlier output that this run does not have, such as the video of a source without a frame, is removed.

        Returns:
            The outputs that exist, in order; see `SinkSet.paths`.

        Raises:
            OutputError: A file cannot be moved. Those moved before it are whole.
            StateError: The outputs were written in their places.
        """
        if self._part is None:
            raise StateError("The outputs were written in their places; publish needs a temporary folder.")
        self.take()
        kinds = sorted(self._reserved, key=lambda kind: kind.needs_images)  # as `open_sinks` does
        return publish_files(self._part, self._output_dir, [kind.path_in("", self.name) for kind in kinds])

    def take(self) -> None:
        """Record the source whose results replace those in the files; `open` and `publish` do so, too.

        Raises:
            OutputError: A record cannot be written.
        """
        for reservation in self._reservations:
            reservation.take(self._source, self._shown, self.name)

    def close(self) -> None:
        """Release the files for other runs; safe to call twice."""
        self._stack.close()

    def _check_writable(self, path: Path) -> None:
        try:
            if regular_file(path) is not None:
                path.open("r+b").close()
        except OutputError:
            raise
        except OSError as error:
            raise output_error(path, error) from error

    def _check_source(self, paths: Sequence[Path]) -> None:
        """Refuse to write a file that is read, whatever links lead to it."""
        existing = [(path, status) for path in paths if (status := regular_file(path)) is not None]
        for file in self._origin.files if existing else ():
            try:
                read = file.stat()
            except OSError:
                continue  # the source reports it
            for path, status in existing:
                if os.path.samestat(read, status):
                    raise OutputError(
                        f"{path} is a file of the source itself, which the results would replace; choose another name"
                        " (--name) or another output directory."
                    )

    def _check_earlier_results(self) -> None:
        """Refuse to replace results of another source.

        A source without results of this name does not add any to those of another source either.
        """
        kinds = dict.fromkeys((*map(as_sink_kind, sink_names()), *self._reserved))
        paths = {kind: kind.path_in(self._output_dir, self.name) for kind in kinds}
        records = {kind: read_record(path) for kind, path in paths.items() if _exists(path)}
        own = {kind for kind, record in records.items() if (record.source, record.name) == (self._source, self.name)}
        for kind, record in records.items():
            if kind in own or (own and kind not in self._reserved):
                continue
            if record.source not in {"", self._source} and record.name == self.name:
                raise OutputError(f"{paths[kind]} contains results of another source, {record.shown}; {_REMEDY}")
            if kind in self._reserved:
                raise OutputError(f"{paths[kind]} exists, but no run of this source and name wrote it; {_REMEDY}")


def _exists(path: Path) -> bool:
    try:
        return regular_file(path) is not None
    except OutputError:  # not a file that this run writes: those were checked
        return False
