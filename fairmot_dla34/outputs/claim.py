"""Reserves the output files of one run, before anything slow starts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import OutputError
from ..files import output_error
from .paths import prepare_output_dir, regular_file
from .registry import find_sink, sink_names
from .reservation import Reservation, digest_of, read_record
from .sink_set import SinkSet, open_sinks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..origin import Origin
    from .sink import SinkContext

_REMEDY = "choose another name (--name), or replace it (--overwrite)."


class OutputClaim(ClosedOnExit):
    """The output files of one run, reserved until `close`; a context manager.

    Other runs are kept out by locks, which the system releases if the process is killed.

    Attributes:
        name: Stem of the files.
    """

    def __init__(
        self, output_dir: str | Path, name: str, kinds: Sequence[str], origin: Origin, *, overwrite: bool = False
    ) -> None:
        """Reserve the files; none of them is changed.

        Args:
            output_dir: Directory to write to; created if it does not exist.
            name: Stem of the files.
            kinds: Registered names of the outputs.
            origin: Source of the run.
            overwrite: Whether to replace results of other sources.

        Raises:
            OutputError: A folder or file cannot be written, another run writes it, it contains results of another
                source, or it is a file of this source.
        """
        self.name = name
        self._output_dir, self._kinds = Path(output_dir), tuple(dict.fromkeys(kinds))
        self._origin, self._source = origin, digest_of(origin)
        self._stack = ExitStack()
        prepare_output_dir(self._output_dir, [find_sink(kind).folder for kind in self._kinds])
        paths = [find_sink(kind).path_in(self._output_dir, name) for kind in self._kinds]
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
        """Open the outputs; earlier ones are replaced.

        Raises:
            OutputError: A file cannot be written.
        """
        for reservation in self._reservations:
            reservation.take(self._source, self._origin.shown, self.name)
        return open_sinks(self._output_dir, self.name, self._kinds, context)

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
        paths = {kind: find_sink(kind).path_in(self._output_dir, self.name) for kind in sink_names()}
        records = {kind: read_record(path) for kind, path in paths.items() if _exists(path)}
        own = {kind for kind, record in records.items() if (record.source, record.name) == (self._source, self.name)}
        for kind, record in records.items():
            if kind in own or (own and kind not in self._kinds):
                continue
            if record.source not in {"", self._source} and record.name == self.name:
                raise OutputError(f"{paths[kind]} contains results of another source, {record.shown}; {_REMEDY}")
            if kind in self._kinds:
                raise OutputError(f"{paths[kind]} exists, but no run of this source and name wrote it; {_REMEDY}")


def _exists(path: Path) -> bool:
    try:
        return regular_file(path) is not None
    except OutputError:  # not a file that this run writes: those were checked
        return False
