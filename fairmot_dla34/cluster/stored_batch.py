"""Jobs whose video or results are in a store: they run on the local disk of a node, which is cleared afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..batch.engine import Engine
from ..batch.job import Job, JobResult, OutputFacts, run_job
from ..batch.manifest import MANIFEST
from ..closing import ClosedOnExit
from ..errors import SourceError
from ..outputs.reservation import STATE_FOLDER
from ..tracking.expansion import NamedSource
from .stores import copy_in, copy_out, identity_of, read_stored, size_of

_PUSH_S = 30.0  # time after which the manifest is written to the store again


@dataclass(frozen=True)
class StoredRun:
    """Function that runs a job like `run_job`, with a video or results in a store; picklable.

    Attributes:
        url: URL of the folder of the results; "": the local output directory of the job.
    """

    url: str = ""

    def __call__(self, job: Job) -> JobResult:
        """Copy the video, track it, and write the results back.

        Raises:
            FairMOTError: One of the kinds listed for `run_job`, or the store cannot be read or written.
        """
        start_s = time.perf_counter()
        scratch = Path(tempfile.mkdtemp(prefix="fairmot_dla34-"))
        try:
            source = job.source
            if source.identity:
                path = copy_in(str(source.spec), scratch)
                source = NamedSource(path, path, source.name, source.folder)
            result = self._run(replace(job, source=source), scratch / "results")
            if not job.source.identity:
                return replace(result, seconds=time.perf_counter() - start_s)
            unchanged = identity_of(str(job.source.spec)) == job.source.identity
            identity = job.source.identity if unchanged else None
            return replace(result, source=identity, seconds=time.perf_counter() - start_s)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _run(self, job: Job, folder: Path) -> JobResult:
        if not self.url:
            return run_job(job)
        settings = replace(job.settings, writing=replace(job.settings.writing, output_dir=folder))
        part = folder / STATE_FOLDER / "batch" / job.part.name
        result = run_job(replace(job, settings=settings, part=part))
        shutil.rmtree(folder / STATE_FOLDER, ignore_errors=True)
        written = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in written:
            copy_out(path, f"{self.url}/{path.relative_to(folder).as_posix()}")
        names = [Path(os.path.relpath(path, folder)).as_posix() for path in result.summary["paths"]]
        return replace(result, summary={**result.summary, "paths": [f"{self.url}/{name}" for name in names]})


class StoredResults(ClosedOnExit):
    """The results of a batch in a store: a local folder for the manifest, which is copied from and to the store.

    Args:
        url: URL of the folder of the results.

    Attributes:
        folder: The local folder, removed by `close`.

    Raises:
        FairMOTError: The store cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.folder = Path(tempfile.mkdtemp(prefix="fairmot_dla34-"))
        self._manifest = self.folder / MANIFEST
        self._pushed: tuple[int, float] = (0, 0.0)
        try:
            found = read_stored(f"{self.url}/{MANIFEST}")
            if found is not None:
                self._manifest.write_bytes(found)
                self._pushed = (len(found), time.monotonic())
            else:
                self._manifest.touch()
                copy_out(self._manifest, f"{self.url}/{MANIFEST}")  # a store that cannot be written is noticed here
        except BaseException:
            self.close()
            raise

    def is_unchanged(self, path: Path, facts: OutputFacts) -> bool:
        """Return whether an output is in the store, with its size.

        Args:
            path: Its path below the local folder.
            facts: Facts about it in the manifest.
        """
        try:
            return size_of(f"{self.url}/{path.relative_to(self.folder).as_posix()}") == facts.bytes
        except SourceError:
            return False

    def push(self, *, now: bool = False) -> None:
        """Copy the manifest to the store, if it has grown; unless ``now``, only after some time.

        Raises:
            OutputError: The store cannot be written.
        """
        size = self._manifest.stat().st_size if self._manifest.exists() else 0
        last, pushed_s = self._pushed
        if size != last and (now or time.monotonic() - pushed_s > _PUSH_S):
            copy_out(self._manifest, f"{self.url}/{MANIFEST}")
            self._pushed = (size, time.monotonic())

    def engine(self, engine: Engine) -> Engine:
        """Return an engine that copies the manifest to the store while items are run."""
        return _PushingEngine(engine, self)

    def close(self) -> None:
        """Remove the local folder; safe to call twice."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _PushingEngine:
    """An engine that runs a function of results after each item."""

    def __init__(self, engine: Engine, results: StoredResults) -> None:
        self._engine, self._results = engine, results

    def check(self) -> None:
        self._engine.check()

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        try:
            for pair in self._engine.run(function, items, on_start=on_start):
                yield pair
                self._results.push()
        finally:
            self._results.push(now=True)

    def close(self) -> None:
        self._engine.close()
