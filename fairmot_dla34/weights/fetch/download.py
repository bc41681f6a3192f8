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
from .limits import DEFAULT_MAX_BYTES, DownloadLimits, RetryPolicy, TransientError
from .location import SAMPLE_REMEDY, DownloadLocation, download_location
from .partial import PartialFile, RemoteFileInfo
from .transfer import transfer

logger = logging.getLogger(__name__)

DEFAULT_RETRY_POLICY = RetryPolicy()
_DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def download(
    entry: WeightsEntry,
    target: Path,
    *,
    check: Callable[[Path], object],
    progress: bool = True,
    replace: bool = False,
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
) -> Path:
    """Download ``entry`` to ``target``, unless another process has done so while this one waited for the lock.

    ``target`` appears complete and verified, or not at all. The bytes of an interrupted download stay beside it, and
    the next download resumes them. A download has at most the registered length, or 1 GB if none is registered.

    Args:
        entry: Registered weights to fetch.
        target: Path of the finished file; its folder is created.
        check: Called with the path of the downloaded file; raises `CheckpointError` if it is not a usable checkpoint.
        progress: Show the progress on stderr.
        replace: Download also if ``target`` exists, which is then replaced.
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
            if replace or not target.is_file():
                partial = PartialFile(target)
                logger.info("downloading %s from %s to %s", entry.name, location.url, target.parent)
                label = entry.name if progress else None
                limits = DownloadLimits(entry.bytes or DEFAULT_MAX_BYTES, retry_policy.total_s)
                info = _transfer_with_retries(location, partial, retry_policy, limits, label)
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
    location: DownloadLocation,
    partial: PartialFile,
    retry_policy: RetryPolicy,
    limits: DownloadLimits,
    label: str | None,
) -> RemoteFileInfo:
    for attempt in range(1, retry_policy.attempts + 1):
        try:
            return transfer(location, partial, retry_policy, limits=limits, label=label)
        except TransientError as error:
            failure = error
        if attempt < retry_policy.attempts:
            pause_s = max(retry_policy.backoff_s * 2 ** (attempt - 1), failure.retry_after_s or 0.0)
            if pause_s > retry_policy.longest_retry_after_s:
                raise DownloadError(
                    f"{location.url}: {failure}, and asks to wait {pause_s:.0f} s. Try again then, set "
                    "$FAIRMOT_DLA34_MIRROR to another server, or pass the path of a weights file."
                ) from failure
            logger.warning("%s: %s; trying again in %g s", location.url, failure, pause_s)
            time.sleep(min(pause_s, limits.seconds_left))
            limits.check_time(location.url)
    raise DownloadError(
        f"{location.url} was not downloaded in {retry_policy.attempts} attempts: {failure}; the next try resumes. Set "
        f"$FAIRMOT_DLA34_MIRROR, put the file at {str(partial.path).removesuffix('.part')}, {SAMPLE_REMEDY}."
    ) from failure


def _verify(partial: PartialFile, entry: WeightsEntry, info: RemoteFileInfo, check: Callable[[Path], object]) -> None:
    try:
        check_bytes(partial.path, entry, info.content_md5)
        check(partial.path)
    except (IntegrityError, CheckpointError) as error:
        partial.discard()
        reason = str(error).replace(str(partial.path), "it").rstrip(".")
        raise IntegrityError(
            f"The file from {info.url} is not usable and was deleted: {reason}. Try again, or set "
            "$FAIRMOT_DLA34_MIRROR to another server."
        ) from error


def _write_error_message(target: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    full = isinstance(error, OSError) and error.errno in _DISK_FULL_ERRNOS
    remedy = "Free some space" if full else "Make that folder writable"
    return (
        f"{target.parent} cannot be written ({reason}). {remedy}, set ${HOME_VARIABLE} to another folder, pass the "
        f"path of a weights file, {SAMPLE_REMEDY}."
    )
