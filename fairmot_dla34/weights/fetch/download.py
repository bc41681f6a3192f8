"""First use of registered weights: lock, transfer with retries, verify, move into place."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CheckpointError, DownloadError, IntegrityError, WeightsError
from ..locate import HOME_VARIABLE, SAMPLE_REMEDY, Source, source_of
from .partial import PartialFile, Promise
from ..formats.reader import load_arrays
from ..registry import WeightsEntry
from .transfer import Patience, TransientError, transfer
from ..verify import check_bytes

logger = logging.getLogger(__name__)

DEFAULT_PATIENCE = Patience()
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def download(
    entry: WeightsEntry,
    target: Path,
    *,
    progress: bool = True,
    patience: Patience = DEFAULT_PATIENCE,
    check: Callable[[Path], object] = load_arrays,
) -> Path:
    """Put ``entry`` at ``target``, unless another process has by the time it is this one's turn.

    The file comes to ``target`` complete and verified, or not at all. What an interrupted download has brought stays
    beside it and the next one goes on from there.

    Args:
        entry: What to fetch.
        target: Where to put it; its folder is made.
        progress: Show a bar on stderr.
        patience: Timeouts and attempts.
        check: Raises `CheckpointError` for a file that is not a usable checkpoint.

    Raises:
        DownloadError: The server or the connection failed for good, or the folder cannot be written.
        IntegrityError: The file that came is not the right one. It was deleted.
    """
    source = source_of(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            if target.is_dir():
                raise DownloadError(f"{target} is a folder; expected a file or nothing there: remove it.")
            if not target.is_file():
                partial = PartialFile(target)
                logger.info("downloading %s from %s to %s", entry.name, source.url, target.parent)
                promise = _transfer_patiently(source, partial, patience, entry.name if progress else None)
                _verify(partial, entry, source, promise, check)
                partial.finish(target)
    except WeightsError:
        raise
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks, from filelock
        raise DownloadError(_unwritable(target, error)) from error
    return target


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock between processes; the system frees it when a holder dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(target.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.info("waiting for another process that downloads %s", target.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _transfer_patiently(source: Source, partial: PartialFile, patience: Patience, label: str | None) -> Promise:
    for attempt in range(1, patience.attempts + 1):
        try:
            return transfer(source, partial, patience, label)
        except TransientError as error:
            failure = error
        if attempt < patience.attempts:
            pause_s = patience.backoff_s * 2 ** (attempt - 1)
            logger.warning("%s: %s; trying again in %g s", source.url, failure, pause_s)
            time.sleep(pause_s)
    raise DownloadError(
        f"{source.url} was not fetched in {patience.attempts} attempts: {failure}. What came is kept and the next try "
        "goes on from there. Check the connection and any proxy, set $FAIRMOT_DLA34_MIRROR to a server nearer to you, "
        f"put the file at {str(partial.path).removesuffix('.part')} yourself, {SAMPLE_REMEDY}."
    ) from failure


def _verify(
    partial: PartialFile,
    entry: WeightsEntry,
    source: Source,
    promise: Promise,
    check: Callable[[Path], object],
) -> None:
    try:
        check_bytes(partial.path, entry, promise.content_md5)
        check(partial.path)
    except (IntegrityError, CheckpointError) as error:
        partial.discard()
        raise IntegrityError(
            f"What {source.url} sent is not usable and was deleted: {str(error).rstrip('.')}. Try again, or set "
            "$FAIRMOT_DLA34_MIRROR to another server."
        ) from error


def _unwritable(target: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    full = isinstance(error, OSError) and error.errno in _FULL
    remedy = "Free some space" if full else "Make that folder writable"
    return (
        f"{target} cannot be written ({reason}). {remedy}, set ${HOME_VARIABLE} to another folder, pass the path of a "
        f"weights file you have, {SAMPLE_REMEDY}."
    )
