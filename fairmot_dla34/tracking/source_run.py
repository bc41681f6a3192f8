"""The run over one source of a command: names its outputs, skips complete results, and records that it is complete."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import FairMOTError, InvalidInputError
from ..file_names import safe_file_name
from ..values import TrackingSummary
from .completion import Completion, read_completion, settings_digest, source_digest, write_completion
from .expansion import NamedSource
from .job import VideoJob, check_ended
from .model import FairMOT
from .options import OutputOptions, SourceOptions
from .shared_model import SharedModel

logger = logging.getLogger(__name__)

# Settings of outputs that do not change their content.
_NO_EFFECT = frozenset({"output_dir", "overwrite", "show", "name"})

JobMaker = Callable[[Callable[[], FairMOT], NamedSource, OutputOptions], VideoJob]


@dataclass(frozen=True)
class Plan:
    """Everything that the runs of a command share.

    Attributes:
        model: Model of all runs.
        make_job: Function that makes the job of a source.
        reading: Settings for reading a source.
        writing: Outputs and their folder; ``name`` may have the placeholders ``{name}`` and ``{folder}``.
        resume: Skip sources whose results are complete and unchanged.
    """

    model: SharedModel
    make_job: JobMaker
    reading: SourceOptions
    writing: OutputOptions
    resume: bool = False

    def settings_digest(self) -> str:
        """Return a digest of all settings that results depend on.

        Raises:
            FairMOTError: The model cannot be loaded.
        """
        return results_digest(self.model.facts(), self.reading, self.writing)


class SourceRun:
    """The run over one source; `run` is called once.

    Args:
        plan: What the run shares with others.
        source: The source.

    Attributes:
        skipped: Whether the results were complete and unchanged.
    """

    def __init__(self, plan: Plan, source: NamedSource) -> None:
        self.skipped = False
        self._plan, self._source = plan, source
        self._job: VideoJob | None = None
        self._earlier: Mapping[str, Any] | None = None

    @property
    def shown(self) -> str:
        """Source in messages."""
        return self._source.shown

    @property
    def result(self) -> TrackingSummary | None:
        """Summary of the job, also if it was interrupted; None before the model is loaded, and after an error."""
        return None if self._job is None else self._job.summary

    @property
    def summary(self) -> Mapping[str, Any] | None:
        """Summary of the job as a mapping, or that of the earlier run whose results are complete."""
        return summary_fields(self.result) if self.result is not None else self._earlier

    def run(self) -> None:
        """Track the source, unless an earlier run is complete and unchanged, and record that it is complete.

        Raises:
            FairMOTError: One of its kinds; see `VideoJob.run` and `check_ended`. An `InvalidInputError` if a camera
                or a URL is to be resumed.
        """
        plan, source = self._plan, self._source
        if plan.resume and source.is_remote:
            raise InvalidInputError(
                f"resume is True for {source.shown}; expected files or folders, whose changes can be seen."
            )
        outputs = outputs_of(plan.writing, source)
        folder, name = Path(outputs.output_dir), outputs.name or source.name
        digest = source_digest(source)
        if plan.resume and digest is None:
            logger.info("%s cannot be compared with an earlier run.", source.shown)
        if plan.resume and digest is not None:
            record = read_completion(folder, name)
            if record is not None and self._is_complete(record, digest, folder):
                self.skipped = True
                self._earlier = {
                    **record.summary,
                    "status": "skipped",
                    "paths": [str(folder / path) for path in record.outputs],
                }
                return
        self._job = plan.make_job(plan.model.load, source, outputs)
        summary = self._job.run()
        check_ended(summary)
        if digest is not None and summary.ended == "end" and source_digest(source) == digest:
            try:
                settings = plan.settings_digest()
            except FairMOTError as error:  # the weights were removed meanwhile
                logger.debug("%s is not recorded as complete: %s", name, error)
                return
            write_completion(folder, name, digest, settings, summary.paths, summary_fields(summary))

    def _is_complete(self, record: Completion, digest: str, folder: Path) -> bool:
        """Return whether a record holds; log the reason if it does not."""
        if record.source != digest:
            changed = "the source"
        elif not record.holds(folder):
            changed = "a file of the results"
        elif record.settings != self._plan.settings_digest():
            changed = "a setting, the network or the version of the package"
        else:
            return True
        logger.info("%s is tracked again: %s has changed.", self._source.shown, changed)
        return False


def outputs_of(writing: OutputOptions, source: NamedSource) -> OutputOptions:
    """Return the outputs of one source, with their name.

    Args:
        writing: Outputs of all sources; ``name`` may have the placeholders ``{name}`` and ``{folder}``.
        source: The source.

    Raises:
        InvalidInputError: The name has placeholders, and the source is a camera or a URL.
    """
    template = writing.name
    if template is None or not has_placeholder(template):
        return writing
    if not source.name:
        raise InvalidInputError(
            f"name is {template!r} for {source.shown}; expected a name without {{name}} and {{folder}}, which only"
            " files and folders have."
        )
    name = template.replace("{folder}", source.folder).replace("{name}", source.name)
    return replace(writing, name=safe_file_name(name, "video"))


def results_digest(facts: Mapping[str, object], reading: SourceOptions, writing: OutputOptions) -> str:
    """Return a digest of all settings that results depend on.

    Args:
        facts: Facts about the model; see `SharedModel.facts`.
        reading: Settings for reading the source.
        writing: Outputs; their folder and names do not count.
    """
    names = [field.name for field in dataclasses.fields(OutputOptions) if field.name not in _NO_EFFECT]
    outputs = {name: getattr(writing, name) for name in names}
    return settings_digest({"version": __version__, **facts, "source": reading, "outputs": outputs})


def summary_fields(summary: TrackingSummary) -> dict[str, Any]:
    """Return a summary as names and values, as ``--json`` prints them."""
    return dataclasses.asdict(summary) | {"frames_per_second": summary.frames_per_second}


def has_placeholder(name: str) -> bool:
    """Return whether a name depends on the source."""
    return "{name}" in name or "{folder}" in name
