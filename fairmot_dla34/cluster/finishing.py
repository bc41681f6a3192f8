"""The last task of a split video: joins the detections of its ranges, and makes its tracks from all of them."""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..batch.job import Job, JobResult, output_digest, plain_summary
from ..detections import AssociationJob, join_detections
from ..detections.recording import KIND, detections_path
from ..files import make_folder, output_error
from ..outputs import OutputClaim
from ..tracking.completion import source_digest
from ..tracking.job import check_ended


@dataclass(frozen=True)
class Joint:
    """A video whose ranges are detected; picklable.

    Attributes:
        job: Job of the video.
        chunks: Detections files of the ranges, in order.
        source: Digest of the source before it was read.
        started_s: Seconds since 1970 at the start.
    """

    job: Job
    chunks: tuple[Path, ...]
    source: str | None
    started_s: float


def finish_video(joint: Joint) -> JobResult:
    """Join the detections of a video, make its tracks, and move the results to their places.

    Raises:
        FairMOTError: A file cannot be read or written.
    """
    job, settings = joint.job, joint.job.settings
    joined = joint.chunks[0].with_name("joined.detections")
    ending = join_detections(joint.chunks, joined)
    folder = Path(settings.writing.output_dir)
    kept = _claim(job) if settings.keep_detections else None
    try:
        association = AssociationJob(
            joined,
            tracker=settings.model.tracker_config,
            output_options=replace(settings.writing, name=job.name),
            progress=False,
            part=job.part / "tracks",
        )
        summary = association.run()
        check_ended(summary)
        paths = list(summary.paths)
        if kept is not None:
            kept.take()
            paths.append(_moved(joined, detections_path(folder, job.name)))
    finally:
        shutil.rmtree(job.part, ignore_errors=True)
        if kept is not None:
            kept.close()
    seconds = time.time() - joint.started_s
    stages = {**ending.stage_seconds, "association": summary.stage_seconds["association"]}
    summary = replace(summary, seconds=seconds, stage_seconds=stages, paths=tuple(paths))
    return JobResult(
        source=joint.source if source_digest(job.source) == joint.source else None,
        outputs={os.path.relpath(path, folder): output_digest(path) for path in paths},
        summary=plain_summary(summary),
        precision=settings.model.precision,
        host=socket.gethostname(),
        worker=os.getpid(),
        seconds=seconds,
    )


def _claim(job: Job) -> OutputClaim:
    """Reserve the file of detections."""
    writing = job.settings.writing
    with job.settings.reading.open(job.source.spec) as source:
        return OutputClaim(Path(writing.output_dir), job.name, [KIND], source.origin, overwrite=writing.overwrite)


def _moved(path: Path, target: Path) -> Path:
    """Move a file on the same disk, and return its new path."""
    try:
        make_folder(target.parent)
        return path.replace(target)
    except OSError as error:
        raise output_error(target, error) from error
