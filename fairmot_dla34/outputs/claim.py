"""Reserves the output files of one run, before anything slow starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from .paths import prepare_output_dir
from .registry import find_sink
from .sink_set import SinkSet, open_sinks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..origin import Origin
    from .sink import SinkContext


class OutputClaim(ClosedOnExit):
    """The output files of one run, reserved until `close`; a context manager.

    Attributes:
        name: Stem of the files.
    """

    def __init__(
        self, output_dir: str | Path, name: str, kinds: Sequence[str], origin: Origin, *, overwrite: bool = False
    ) -> None:
        """Reserve the files.

        Args:
            output_dir: Directory to write to; created if it does not exist.
            name: Stem of the files.
            kinds: Registered names of the outputs.
            origin: Source of the run.
            overwrite: Whether to replace results of other sources.

        Raises:
            OutputError: A folder or file cannot be written.
        """
        self.name = name
        self._output_dir, self._kinds = Path(output_dir), tuple(kinds)
        prepare_output_dir(self._output_dir, [find_sink(kind).folder for kind in kinds])

    def open(self, context: SinkContext) -> SinkSet:
        """Open the outputs; earlier ones of the same source are replaced.

        Raises:
            OutputError: A file cannot be written.
        """
        return open_sinks(self._output_dir, self.name, self._kinds, context)

    def close(self) -> None:
        """Release the files for other runs; safe to call twice."""
