"""The folder of a run with PaddleDetection: claimed by one process and checked against an earlier run."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import OutputError
from ...files import make_folder, output_error
from ..records.metrics import METRICS_FILE
from .configuration import CONFIG_FILE
from .snapshots import SETTINGS_FILE, SNAPSHOTS

BEST_FILE, LAST_FILE = "best.pdparams", "last.pdparams"
DATA_FOLDER, START_FILE = "data", "start.pdparams"
# Files of both engines: training.folder imports PyTorch, so its names are repeated here.
_WRITTEN = (LAST_FILE, BEST_FILE, METRICS_FILE, "state.pt", SETTINGS_FILE, SNAPSHOTS)
_REPLACED = (
    *_WRITTEN,
    *(CONFIG_FILE, START_FILE, DATA_FOLDER),
    *("curves.png", "best.md", "last.md", "samples", "validation", "tensorboard"),
)


@contextlib.contextmanager
def claimed_folder(run: Path, *, resume: bool, overwrite: bool) -> Iterator[Path]:
    """Claim the folder of a run for this process.

    Args:
        run: Folder of the run; created if it does not exist.
        resume: The run continues, so its files stay.
        overwrite: Files of an earlier run are removed.

    Yields:
        The folder.

    Raises:
        OutputError: The folder cannot be written, another process uses it, or it has an earlier run.
    """
    try:
        make_folder(run)
        lock = FileLock(run / ".lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"{run} is in use by another training run; wait for that run, or name another --output-dir."
        ) from error
    except OSError as error:
        raise output_error(run, error) from error
    try:
        earlier = next((name for name in _WRITTEN if (run / name).exists()), None)
        if earlier and not (resume or overwrite):
            raise OutputError(
                f"{run} has an earlier run ({earlier}); expected an empty folder. Use --resume to continue, "
                "--overwrite to replace it, or name another --output-dir."
            )
        _clean(run, overwrite=overwrite)
        yield run
    finally:
        lock.release()


def _clean(run: Path, *, overwrite: bool) -> None:
    """Remove unfinished files of a killed process and, to overwrite, those of the earlier run."""
    names = _REPLACED if overwrite else ()
    try:
        for path in (*run.glob("*.tmp"), *(run / name for name in names)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise output_error(run, error) from error
