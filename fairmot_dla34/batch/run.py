"""`Batch`: runs a job for each video on an engine, keeps the manifest, and collects what became of each video."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..backends import PRECISIONS
from ..config import check_flag
from ..console.progress import is_terminal, progress_bar
from ..errors import FairMOTError, InvalidInputError, ManifestError, OutputError
from ..tracking.completion import source_digest
from ..tracking.expansion import NamedSource
from ..tracking.options import ModelOptions, OutputOptions, SourceOptions
from ..tracking.several import Outcome, check_names
from ..tracking.source_run import outputs_of, results_digest
from .engine import Engine
from .entry import Entry, entry_of, source_facts
from .folder import BatchFolder
from .job import Job, JobResult, JobSettings, OutputFacts, run_job
from .manifest import Manifest
from .progress import BatchProgress
from .worker_model import ModelFacts, probe_model

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchSettings:
    """Settings of a batch.

    Attributes:
        model: The model; ``precision="auto"`` is decided once, for all workers.
        reading: Settings for reading the sources.
        writing: Outputs and their folder; ``name`` may have the placeholders ``{name}`` and ``{folder}``.
        keep_detections: Write a file of detections for each video too.
        resume: Run only what is not complete and unchanged.

    Raises:
        InvalidInputError: A window is asked for, which a worker cannot show, or a value is of the wrong type.
    """

    model: ModelOptions
    reading: SourceOptions
    writing: OutputOptions
    keep_detections: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        check_flag("keep_detections", self.keep_detections)
        check_flag("resume", self.resume)
        if self.writing.show:
            raise InvalidInputError("show is True for a batch, whose workers have no window; expected False.")

    @property
    def output_dir(self) -> Path:
        """Folder of the results."""
        return Path(self.writing.output_dir)


class Batch:
    """Tracks many videos on an engine; `run` is called once.

    Args:
        engine: The engine; the caller closes it.
        sources: Files and folders, such as `expand_sources` returns them.
        settings: Settings.
        message: Function that returns the message of an error.
        progress: Show the progress on stderr.
        function: Function that does one job.
        settle: Function that decides the precision for all workers, and returns the settings of the model with it and
            the facts about the model; None: workers load the model, and the first one decides.
        loads: Number of workers that load the model at the start.
        is_unchanged: Function that compares an output with the facts about it, if it is not in the output directory;
            see `Entry.change`.

    Raises:
        InvalidInputError: Two sources would write one file, or a source is a camera or a URL.

    Attributes:
        outcomes: Outcome of each source, in the order of the sources, also if a signal ended the batch.
        results: Result of each job that was run, by the position of its source.
        seconds: Seconds of `run`.
    """

    def __init__(  # noqa: PLR0913 (one for each part that may be replaced)
        self,
        engine: Engine,
        sources: Sequence[NamedSource],
        settings: BatchSettings,
        *,
        message: Callable[[Exception], str] = str,
        progress: bool = True,
        function: Callable[[Job], JobResult] = run_job,
        settle: Callable[[ModelOptions], tuple[ModelOptions, ModelFacts]] | None = None,
        loads: int = 1,
        is_unchanged: Callable[[Path, OutputFacts], bool] | None = None,
    ) -> None:
        for source in sources:
            if source.is_remote:
                raise InvalidInputError(
                    f"Source {source.shown!r} is a camera or a URL; expected files and folders: use track, or watch."
                )
        check_names(settings.writing, sources)
        self.results: dict[int, JobResult] = {}
        self.seconds = 0.0
        self._engine, self._sources, self._settings = engine, tuple(sources), settings
        self._message, self._progress, self._function = message, progress, function
        self._settle, self._loads, self._is_unchanged = settle or self._probed, loads, is_unchanged
        self._outcomes: dict[int, Outcome] = {}
        self._manifest = Manifest(settings.output_dir)

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcome of each source, in the order of the sources."""
        return [self._outcomes.get(place, Outcome(source, "not started")) for place, source in enumerate(self._sources)]

    def run(self) -> None:
        """Run all jobs. A video that fails does not end the others; see `outcomes`.

        Raises:
            ManifestError: The output directory has results of other settings, and neither ``resume`` nor ``overwrite``
                is set.
            EngineError: The workers cannot be started or reached.
            FairMOTError: The model cannot be loaded, or the output directory cannot be written.
            KeyboardInterrupt: A signal; jobs in progress are ended, and what they wrote is removed.
        """
        start_s = time.monotonic()
        try:
            self._engine.check()
            with BatchFolder(self._settings.output_dir) as folder:
                entries = self._manifest.read()
                model, facts = self._settle(self._settings.model)
                logger.info("Network: %s", facts.backend)
                settings = self._decided(model, facts)
                self._check_manifest(entries, settings)
                self._run_jobs(self._pending(entries, settings, folder), facts)
        finally:
            self.seconds = time.monotonic() - start_s

    def _probed(self, model: ModelOptions) -> tuple[ModelOptions, ModelFacts]:
        """Load the model in the workers, all at the same time; on one machine all decide alike."""
        found = [value for _, value in self._engine.run(probe_model, [model] * self._loads)]
        loaded: list[ModelFacts] = []
        for value in found:
            if isinstance(value, BaseException):
                raise value
            loaded.append(value)
        facts = loaded[0]
        precision = facts.precision if facts.precision in PRECISIONS else model.precision
        return replace(model, precision=precision), facts

    def _decided(self, model: ModelOptions, facts: ModelFacts) -> JobSettings:
        settings = self._settings
        known = {**facts.facts, "detections": True} if settings.keep_detections else facts.facts
        return JobSettings(
            model=replace(model, progress=False),
            reading=settings.reading,
            writing=settings.writing,
            keep_detections=settings.keep_detections,
            network=facts.network,
            digest=results_digest(known, settings.reading, settings.writing),
        )

    def _check_manifest(self, entries: dict[str, Entry], settings: JobSettings) -> None:
        """Refuse to mix results of several settings, unless that is asked for."""
        others = [entry for entry in entries.values() if entry.settings != settings.digest]
        if not others or self._settings.resume:
            return
        if not settings.writing.overwrite:
            raise ManifestError(
                f"{self._manifest.path} has {len(others)} of {len(entries)} videos of other settings, network or"
                " version; use --resume to run those again, --overwrite to start anew, or another --output-dir."
            )
        self._manifest.clear()

    def _pending(
        self, entries: dict[str, Entry], settings: JobSettings, folder: BatchFolder
    ) -> list[tuple[int, Job, int]]:
        """Return what is to be run, the largest source first: position of the source, job, and bytes of the source."""
        pending = []
        is_checked = self._settings.resume and bool(entries)
        with progress_bar(
            "batch: compare with the manifest",
            len(self._sources),
            enabled=self._progress and is_checked and is_terminal(),
            unit="video",
        ) as bar:
            for place, source in enumerate(self._sources):
                name = outputs_of(settings.writing, source).name or source.name or f"video{place + 1}"
                skipped = self._skipped(source, entries.get(name), settings) if is_checked else None
                if skipped is not None:
                    self._outcomes[place] = skipped
                else:
                    pending.append((place, Job(source, name, settings, folder.new_part()), source_facts(source)[0]))
                bar.update()
        if self._outcomes:
            logger.info("Complete and unchanged: %d of %d.", len(self._outcomes), len(self._sources))
        return sorted(pending, key=lambda one: -one[2])

    def _skipped(self, source: NamedSource, entry: Entry | None, settings: JobSettings) -> Outcome | None:
        """Return the outcome of a source that is complete and unchanged; None if it is to be run."""
        if entry is None:
            return None
        out = self._settings.output_dir
        changed = entry.change(out, source_digest(source), settings.digest, self._is_unchanged)
        if changed:
            logger.info("%s is tracked again: %s has changed.", source.shown, changed)
            return None
        kept = [str(out / path) for path in entry.outputs] if self._is_unchanged is None else entry.summary["paths"]
        return Outcome(source, "skipped", {**entry.summary, "status": "skipped", "paths": kept})

    def _run_jobs(self, pending: list[tuple[int, Job, int]], facts: ModelFacts) -> None:
        places = [place for place, _, _ in pending]
        jobs = [job for _, job, _ in pending]
        started: set[int] = set()
        with BatchProgress(jobs, [size for _, _, size in pending], len(self._outcomes), enabled=self._progress) as bar:

            def on_start(index: int) -> None:
                if index in started:
                    logger.warning("%s is run again: its worker was killed.", jobs[index].source.shown)
                started.add(index)
                bar.started(index)

            running = self._engine.run(self._function, jobs, on_start=on_start)
            try:
                for index, value in running:
                    outcome = self._outcome(places[index], jobs[index], value, facts)
                    self._outcomes[places[index]] = outcome
                    bar.finished(index, (outcome.summary or {}).get("frames", 0))
            except BaseException:
                for index in started:
                    self._outcomes.setdefault(places[index], Outcome(jobs[index].source, "interrupted"))
                if isinstance(running, Generator):  # ends the jobs in progress before their folders are removed
                    running.close()
                raise

    def _outcome(self, place: int, job: Job, value: JobResult | BaseException, facts: ModelFacts) -> Outcome:
        """Return the outcome of a job, after its entry is in the manifest; log the reason if it failed."""
        error: Exception
        if isinstance(value, JobResult):
            self.results[place] = value
            try:
                self._manifest.append(entry_of(job, value, facts.weights))
            except OutputError as failure:
                error = failure
            else:
                return Outcome(job.source, "tracked", value.summary)
        elif isinstance(value, Exception):
            error = value
        else:
            error = FairMOTError(f"The worker was interrupted: {value!r}.")
        logger.error("%s failed: %s", job.source.shown, self._message(error))
        return Outcome(job.source, "failed", None, error)
