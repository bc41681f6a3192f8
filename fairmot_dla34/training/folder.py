"""The folder of a run: claimed by one process, checked against an earlier run, cleaned of unfinished files.

Both engines use it, so it imports no PyTorch.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import OutputError
from ..files import make_folder, output_error
from .records.metrics import METRICS_FILE

STATE_FILE = "state.pt"
LAST_FILE, BEST_FILE = "last.pdparams", "best.pdparams"
_LOCK_FILE = ".lock"
_TEMPORARY = re.compile(r"[0-9a-f]{16}\.tmp")  # names that `replaced_file` gives
_REPLACED = ("curves.png", "best.md", "last.md", "samples", "validation", "tensorboard")


@dataclass(frozen=True)
class RunFiles:
    """Names of the files and folders of a run, besides those that every run has.

    Attributes:
        position: The one that a run is continued from.
        marks: Others that show that there is an earlier run.
        others: Others that are removed with an earlier run.
    """

    position: str = STATE_FILE
    marks: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """Names of which each shows that there is an earlier run, of either engine."""
        return tuple(dict.fromkeys((self.position, STATE_FILE, LAST_FILE, BEST_FILE, METRICS_FILE, *self.marks)))


@contextlib.contextmanager
def claimed_folder(folder: Path, files: RunFiles | None = None, *, resume: bool, overwrite: bool) -> Iterator[Path]:
    """Claim the folder of a run for this process.

    Args:
        folder: Folder of the run; created if it does not exist.
        files: Files of the engine; None: those of PyTorch's.
        resume: The run continues, so its files stay.
        overwrite: Files of an earlier run are removed.

    Yields:
        The folder.

    Raises:
        OutputError: The folder cannot be written, another process uses it, or it has an earlier run.
    """
    try:
        make_folder(folder)
        lock = FileLock(folder / _LOCK_FILE)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"{folder} is in use by another training run; expected a folder of its own. Wait for that run, or name "
            "another --output-dir."
        ) from error
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        _prepare(folder, files or RunFiles(), resume=resume, overwrite=overwrite)
        yield folder
    finally:
        lock.release()


@contextlib.contextmanager
def emptied_on_error(folder: Path, inner: str) -> Iterator[None]:
    """Remove, after an error, what this process created in vain: empty folders, and the lock.

    A folder that existed before stays, and so does one with anything in it, such as frames of a video that was read.

    Args:
        folder: Folder of the run; it is claimed within the context.
        inner: Folder in it that is created within the context.
    """
    folders = (folder / inner, folder, *folder.parents)
    new = [path for path in folders if not os.path.lexists(path)]
    has_lock = os.path.lexists(folder / _LOCK_FILE)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError, Timeout):  # the first error is the one to report
            if not has_lock:
                with FileLock(folder / _LOCK_FILE, timeout=0):  # never that of another process
                    (folder / _LOCK_FILE).unlink()
            for path in new:
                if os.path.lexists(path):
                    path.rmdir()
        raise


def check_no_earlier_run(folder: Path, files: RunFiles | None = None) -> None:
    """Check that a folder has no earlier run.

    Raises:
        OutputError: It has.
    """
    files = files or RunFiles()
    if earlier := _earlier(folder, files):
        resumable = "--resume to continue, " if _has_content(folder / files.position) else ""
        raise OutputError(
            f"{folder} has an earlier run ({earlier}); expected an empty folder. Use {resumable}--overwrite to replace "
            "it, or name another --output-dir."
        )


def _earlier(folder: Path, files: RunFiles) -> str | None:
    return next((name for name in files.written if _has_content(folder / name)), None)


def _prepare(folder: Path, files: RunFiles, *, resume: bool, overwrite: bool) -> None:
    if not (resume or overwrite):
        check_no_earlier_run(folder, files)
    earlier = _earlier(folder, files)
    try:
        for path in folder.glob("*.tmp"):
            if _TEMPORARY.fullmatch(path.name):  # of a process that was killed while it wrote
                path.unlink()
        if earlier and not resume:  # without an earlier run, files of these names are the user's
            for path in (folder / name for name in (*files.written, *_REPLACED, *files.others)):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.exists() or path.is_symlink():
                    path.unlink()
    except OSError as error:
        raise output_error(folder, error) from error


def _has_content(path: Path) -> bool:
    try:
        return path.is_dir() or path.stat().st_size > 0  # a run that ended before its first step has empty metrics
    except OSError:
        return False
