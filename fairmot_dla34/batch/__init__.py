"""Many videos: jobs, a manifest of what is complete, and engines that run jobs in several processes.

A `Batch` runs one job for each video on an `Engine`. A job writes into a temporary folder and moves whole results to
their places; the batch then appends a line to the manifest. The names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .engine import Engine
    from .entry import Entry
    from .job import Job, JobResult, JobSettings, OutputFacts, run_job
    from .local import LocalEngine
    from .manifest import Manifest
    from .run import Batch, BatchSettings

__all__ = [
    "Batch",
    "BatchSettings",
    "Engine",
    "Entry",
    "Job",
    "JobResult",
    "JobSettings",
    "LocalEngine",
    "Manifest",
    "OutputFacts",
    "run_job",
]

_HOMES = {
    "Batch": "run",
    "BatchSettings": "run",
    "Engine": "engine",
    "Entry": "entry",
    "Job": "job",
    "JobResult": "job",
    "JobSettings": "job",
    "LocalEngine": "local",
    "Manifest": "manifest",
    "OutputFacts": "job",
    "run_job": "job",
}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
