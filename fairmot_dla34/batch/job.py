"""A job of a batch: tracks one video into a temporary folder and moves the whole results to their places."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..detections.recording import recorded_tracking_job
from ..files import file_digest, output_error
from ..tracking.completion import output_facts, source_digest
from ..tracking.expansion import NamedSource
from ..tracking.job import TrackingJob, check_ended
from ..tracking.options import ModelOptions, OutputOptions, SourceOptions
from ..tracking.source_run import summary_fields
from ..values import TrackingSummary
from .part_progress import PROGRESS_FILE, PartProgress
from .worker_model import worker_model


@dataclass(frozen=True)
class JobSettings:
    """Settings that all jobs of a batch share.

    Attributes:
        model: The model; ``precision`` is decided, and ``threads`` are those of one worker.
        reading: Settings for reading the source.
        writing: Outputs; ``output_dir`` is the folder of the final results.
        keep_detections: Write the file of detections too.
        network: Key of the network (`Network.key`); a worker that loads another one raises.
        digest: Digest of all settings that results depend on.
    """

    model: ModelOptions
    reading: SourceOptions
    writing: OutputOptions
    keep_detections: bool = False
    network: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Job:
    """One video of a batch: picklable, and independent of the other jobs.

    Attributes:
        source: The video.
        name: Stem of the outputs.
        settings: Settings of the batch.
        part: Temporary folder for the outputs, which ends in ``.part``; on the disk of ``settings.writing.output_dir``.
    """

    source: NamedSource
    name: str
    settings: JobSettings
    part: Path


@dataclass(frozen=True)
class OutputFacts:
    """One file of the results.

    Attributes:
        bytes: Size of the file.
        mtime_ns: Modification time in ns.
        files: Number of files; more than 1 for the index of a folder of crops.
        sha256: Digest of the file.
    """

    bytes: int
    mtime_ns: int
    files: int
    sha256: str


@dataclass(frozen=True)
class JobResult:
    """Result of a complete job, all of plain types.

    Attributes:
        source: Digest of the source; see `fairmot_dla34.tracking.completion.source_digest`; None if it has none.
        outputs: Facts about each output, by its path in the output directory.
        summary: Summary of the run; see `fairmot_dla34.tracking.source_run.summary_fields`.
        precision: Precision in which the network ran.
        host: Name of the machine.
        worker: Id of the process.
        seconds: Seconds from the start of the job to its end.
    """

    source: str | None
    outputs: Mapping[str, OutputFacts]
    summary: Mapping[str, Any]
    precision: str
    host: str
    worker: int
    seconds: float


def run_job(job: Job) -> JobResult:
    """Track the video of a job. The results are in their places when it returns, and not before.

    The model is loaded at the first job of a process and kept for the next one of the same settings.

    Raises:
        FairMOTError: The source cannot be read, a result cannot be written, or the network is not the one of the
            batch. Nothing is left in the folder ``part``.
    """
    start_s = time.perf_counter()
    attempt = job.part / secrets.token_hex(4)  # an earlier one, whose worker was lost, may still be writing
    settings = job.settings
    digest = source_digest(job.source)
    try:
        with PartProgress(job.part / PROGRESS_FILE) as progress:
            make = recorded_tracking_job if settings.keep_detections else TrackingJob
            tracking = make(
                lambda: worker_model(settings.model, settings.network),
                job.source.spec,
                source_options=settings.reading,
                output_options=replace(settings.writing, name=job.name),
                progress=progress.started,
                part=attempt,
            )
            summary = tracking.run()
    finally:
        shutil.rmtree(job.part, ignore_errors=True)
    check_ended(summary)
    folder = Path(settings.writing.output_dir)
    return JobResult(
        source=digest if source_digest(job.source) == digest else None,
        outputs={os.path.relpath(path, folder): output_digest(path) for path in summary.paths},
        summary=plain_summary(summary),
        precision=settings.model.precision,
        host=socket.gethostname(),
        worker=os.getpid(),
        seconds=time.perf_counter() - start_s,
    )


def output_digest(path: Path) -> OutputFacts:
    """Return the facts about an output.

    Raises:
        OutputError: It cannot be read.
    """
    try:
        size, mtime_ns, files = output_facts(path)
        return OutputFacts(size, mtime_ns, files, file_digest(path, "sha256").hex())
    except OSError as error:
        raise output_error(path, error) from error


def plain_summary(summary: TrackingSummary) -> dict[str, Any]:
    """Return a summary as JSON has it: paths are texts, tuples are lists."""
    plain: dict[str, Any] = json.loads(json.dumps(summary_fields(summary), default=str))
    return plain
