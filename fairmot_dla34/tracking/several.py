"""Runs over one source after the other with one network; a source that fails does not end the others."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..console.progress import is_terminal
from ..errors import FairMOTError, InvalidInputError
from ..memory import is_lack_of_memory
from ..outputs.registry import as_sink_kind
from .expansion import NamedSource
from .options import OutputOptions
from .source_run import Plan, SourceRun, has_placeholder, outputs_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """Outcome of one source.

    Attributes:
        source: The source.
        status: ``tracked``; ``skipped``: complete and unchanged; ``failed``; ``interrupted``; ``closed``, by
            the window; or ``not started``.
        summary: Summary of the run, or of the earlier one; None without one.
        error: Reason of a failure; None without one.
    """

    source: NamedSource
    status: str
    summary: Mapping[str, Any] | None = None
    error: Exception | None = None


class SeveralRuns:
    """Runs over several sources, in order.

    Args:
        plan: What the runs share.
        sources: The sources.
        message: Function that returns the message of an error.

    Attributes:
        outcomes: What became of each source, also if a signal ended the command.
    """

    def __init__(self, plan: Plan, sources: Sequence[NamedSource], message: Callable[[Exception], str] = str) -> None:
        self.outcomes: list[Outcome] = []
        self._plan, self._sources, self._message = plan, sources, message

    def run(self) -> None:
        """Track all sources.

        Raises:
            InvalidInputError: Two sources would write one file; nothing is started.
            FairMOTError: The model cannot be loaded.
            KeyboardInterrupt: A signal; the present source ends with valid files, and the others are not started.
        """
        check_names(self._plan.writing, self._sources)
        with self._completed_outcomes():
            for source in self._sources:
                run = SourceRun(self._plan, source)
                try:
                    run.run()
                except KeyboardInterrupt:
                    self._add(Outcome(source, "interrupted" if run.result else "not started", run.summary))
                    raise
                except Exception as error:
                    if error is self._plan.model.failure or not is_of_source(error):
                        raise
                    self._add(Outcome(source, "failed", run.summary, error))
                    continue
                closed = run.result is not None and run.result.ended == "closed"
                self._add(Outcome(source, "skipped" if run.skipped else "closed" if closed else "tracked", run.summary))
                if closed:  # the window: the user has seen enough
                    return

    @contextmanager
    def _completed_outcomes(self) -> Iterator[None]:
        """Add the sources that were not started at the end."""
        try:
            yield
        finally:
            rest = self._sources[len(self.outcomes) :]
            self.outcomes += [Outcome(source, "not started") for source in rest]

    def _add(self, outcome: Outcome) -> None:
        """Keep an outcome, and log one line about it."""
        self.outcomes.append(outcome)
        number = f"{len(self.outcomes)} of {len(self._sources)}"
        shown = outcome.source.shown
        if outcome.error is not None:
            logger.error("%s: %s failed: %s", number, shown, self._message(outcome.error))
        elif outcome.status == "skipped":
            logger.info("%s: %s is skipped, its results are complete and unchanged.", number, shown)
        elif outcome.summary is not None and not is_terminal():  # a terminal shows the bar
            frames, ids = outcome.summary["frames"], outcome.summary["track_ids"]
            rate = outcome.summary["frames_per_second"]
            logger.info("%s: %s, %d frames, %d ids, %.1f frames/s", number, shown, frames, ids, rate)


def check_names(writing: OutputOptions, sources: Sequence[NamedSource]) -> None:
    """Check that several sources write different files.

    Raises:
        InvalidInputError: Two of them would write one file.
    """
    if len(sources) > 1 and writing.name is not None and not has_placeholder(writing.name):
        raise InvalidInputError(
            f"name is {writing.name!r} for {len(sources)} sources; expected a name with {{name}} or {{folder}}"
            " in it, the name of each source and of its folder, such as '{folder}_{name}'."
        )
    owners: dict[str, NamedSource] = {}
    for source in sources:
        if not source.name:  # a text that names nothing, which is reported when it is opened
            continue
        outputs = outputs_of(writing, source)
        name = outputs.name or source.name
        for kind in map(as_sink_kind, outputs.sinks):
            path = str(kind.path_in(Path(outputs.output_dir), name))
            owner = owners.setdefault(path.casefold() if sys.platform in {"win32", "darwin"} else path, source)
            if owner is not source:
                raise InvalidInputError(
                    f"{owner.shown} and {source.shown} would both write {path}; expected different names: add"
                    " --name '{folder}_{name}', or track them in two runs with an --output-dir each."
                )


def is_of_source(error: Exception) -> bool:
    """Return whether an error may concern one source alone; others are defects, or end the command."""
    return isinstance(error, FairMOTError | OSError) or is_lack_of_memory(error)
