"""Recognition of a run that ``torchrun`` restarts: its folder names the job that it belongs to."""

from __future__ import annotations

import os
from pathlib import Path

from ...files import output_error, write_whole

JOB_FILE = ".torchrun"


def is_run_of_this_job(folder: Path) -> bool:
    """Return whether the run in a folder was started by the ``torchrun`` command that started this process.

    A restart continues only such a run: without ``--resume``, the run of an earlier command stays as it is.
    """
    try:
        return _job() is not None and (folder / JOB_FILE).read_text(encoding="utf-8") == _job()
    except (OSError, ValueError):
        return False


def record_job(folder: Path) -> None:
    """Write the name of the ``torchrun`` command to the folder of its run; without ``torchrun`` do nothing.

    Raises:
        OutputError: The file cannot be written.
    """
    job = _job()
    if job is None:
        return
    try:
        write_whole(folder / JOB_FILE, job.encode())
    except OSError as error:
        raise output_error(folder / JOB_FILE, error) from error


def _job() -> str | None:
    """Return a name that all restarts of a job share: its id, which is ``none`` by default, and the launcher's PID."""
    job = os.environ.get("TORCHELASTIC_RUN_ID")
    return None if job is None else f"{job} {os.getppid()}"
