"""Downloads of registered weights: lock, transfer with retries, verify, move into place."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CheckpointError, DownloadError, IntegrityError, WeightsError
from ..cache import HOME_VARIABLE
from ..registry import WeightsEntry
from ..verify import check_bytes
from .location import SAMPLE_REMEDY, DownloadLocation, download_location
from .partial import PartialFile, RemoteFileInfo
from .transfer import RetryPolicy, TransientError, transfer

logger = logging.getLogger(__name__)

DEFAULT_RETRY_POLICY = RetryPolicy()
_DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def download(
    entry: WeightsEntry,
    target: Path,
    *,
    check: Callable[[Path], object],
    progress: bool = True,
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
) -> Path:
    """Download ``entry`` to ``target``, unless another process has done so while this one waited for the lock.

    ``target`` appears complete and verified, or not at all. The bytes of an interrupted download stay beside it, and
    the next download resumes them.

    Args:
        entry: Registered weights to fetch.
        target: Path of the finished file; its folder is created.
        check: Called with the path of the downloaded file; raises `CheckpointError` if it is not a usable checkpoint.
        progress: Show a progress bar on stderr, if that is a terminal.
        retry_policy: Timeouts and attempts.

    Returns:
        ``target``.

    Raises:
        DownloadError: The server refused, every attempt failed, or the folder cannot be written.
        IntegrityError: The downloaded file has the wrong bytes or is not a usable checkpoint. It was deleted.
    """
    location = download_location(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            if target.is_dir():
                raise DownloadError(f"{target} is a folder; expected a file or nothing at this path: remove it.")
            if not target.is_file():
                partial = PartialFile(target)
                logger.info("downloading %s from %s to %s", entry.name, location.url, target.parent)
                label = entry.name if progress else None
                info = _transfer_with_retries(location, partial, retry_policy, label)
                _verify(partial, entry, info, check)
                partial.finish(target)
    except WeightsError:
        raise
    except (OSError, NotImplementedError) as error:  # filelock: the file system has no locks
        raise DownloadError(_write_error_message(target, error)) from error
    return target


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock of a download, across processes. The operating system releases it if the process dies."""
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


def _transfer_with_retries(
    location: DownloadLocation, partial: PartialFile, retry_policy: RetryPolicy, label: str | None
) -> RemoteFileInfo:
    for attempt in range(1, retry_policy.attempts + 1):
        try:
            return transfer(location, partial, retry_policy, label=label)
        except TransientError as error:
            failure = error
        if attempt < retry_policy.attempts:
            pause_s = retry_policy.backoff_s * 2 ** (attempt - 1)
            logger.warning("%s: %s; trying again in %g s", location.url, failure, pause_s)
            time.sleep(pause_s)
    raise DownloadError(
        f"{location.url} was not downloaded in {retry_policy.attempts} attempts: {failure}; the next try resumes. "
        "Check the connection and any proxy, set $FAIRMOT_DLA34_MIRROR to a nearer server, put the file at "
        f"{str(partial.path).removesuffix('.part')} yourself, {SAMPLE_REMEDY}."
    ) from failure


def _verify(partial: PartialFile, entry: WeightsEntry, info: RemoteFileInfo, check: Callable[[Path], object]) -> None:
    try:
        check_bytes(partial.path, entry, info.content_md5)
        check(partial.path)
    except (IntegrityError, CheckpointError) as error:
        partial.discard()
        raise IntegrityError(
            f"The file from {info.url} is not usable and was deleted: {str(error).rstrip('.')}. Try again, or set "
            "$FAIRMOT_DLA34_MIRROR to another server."
        ) from error


def _write_error_message(target: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    full = isinstance(error, OSError) and error.errno in _DISK_FULL_ERRNOS
    remedy = "Free some space" if full else "Make that folder writable"
    return (
        f"{target} cannot be written ({reason}). {remedy}, set ${HOME_VARIABLE} to another folder, pass the path of a "
        f"weights file, {SAMPLE_REMEDY}."
    )
