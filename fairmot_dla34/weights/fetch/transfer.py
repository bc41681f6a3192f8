"""HTTP transfers into a partial file, resumed with range requests (RFC 9110, sections 13.1.5 and 14)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ...console.progress import progress_bar
from ...errors import DownloadError
from ...messages import plain_line
from .chunk_digests import CHUNK_BYTES
from .headers import content_range, file_info, retry_after_s, validator
from .limits import DownloadLimits, RateCheck, RetryPolicy, TransientError
from .location import SAMPLE_REMEDY, DownloadLocation
from .partial import PartialFile, RemoteFileInfo
from .request import convert_error, send_request

if TYPE_CHECKING:
    import requests

    from .session import StallGuard


def transfer(
    location: DownloadLocation,
    partial: PartialFile,
    retry_policy: RetryPolicy,
    *,
    limits: DownloadLimits,
    label: str | None,
) -> RemoteFileInfo:
    """Download into ``partial`` until it has its full length. One attempt; retries are up to the caller.

    Args:
        location: URL to download from.
        partial: File to write, resumed if it has bytes of the same version.
        retry_policy: Source of the timeouts.
        limits: Ceilings of the whole download.
        label: Text before the progress bar, None for no bar.

    Returns:
        The server's data about the file.

    Raises:
        TransientError: The connection failed, stalled, was too slow or ended early, or the server is busy or broken.
        DownloadError: The server refused the request, the URL cannot be used, or a limit is exceeded.
        OSError: The file cannot be written.
    """
    import requests
    import urllib3

    from .session import DownloadSession, StallGuard

    earlier, size = partial.resumable(location.url)
    if earlier and size == earlier.total_bytes:
        return earlier
    headers = {"Accept-Encoding": "identity"}
    if earlier and earlier.validator:
        headers.update({"Range": f"bytes={size}-", "If-Range": earlier.validator})
    timeouts_s = (retry_policy.connect_timeout_s, retry_policy.read_timeout_s)
    with StallGuard(2 * retry_policy.read_timeout_s) as guard, DownloadSession(guard) as session:
        try:
            with send_request(session, location, headers, timeouts_s) as response:
                guard.check()
                info, offset = _start_or_resume(response, location, partial, earlier, size)
                _check_bytes(limits, partial, info.total_bytes or 0, location.url)
                if offset != info.total_bytes:
                    rate = RateCheck(retry_policy.slowest_bytes_per_s, retry_policy.read_timeout_s)
                    chunks = _chunks(response, guard)
                    _append_body(chunks, partial, info, offset, limits=limits, rate=rate, label=label)
                return info
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            guard.check()
            raise convert_error(error, location, retry_policy) from error


def _start_or_resume(
    response: requests.Response,
    location: DownloadLocation,
    partial: PartialFile,
    earlier: RemoteFileInfo | None,
    size: int,
) -> tuple[RemoteFileInfo, int]:
    """Return the info about the file and the offset of the response body; empty ``partial`` unless it is resumed."""
    status, reason = response.status_code, plain_line(response.reason or "", 60)
    encoding = response.headers.get("Content-Encoding", "identity")
    if status in {200, 206} and encoding != "identity":  # decoding could turn a few bytes into gigabytes
        raise DownloadError(
            f"{location.url} answered in the encoding {encoding!r}; expected the file's own bytes, as asked for. Set "
            f"$FAIRMOT_DLA34_MIRROR to another server, pass the path of a weights file, {SAMPLE_REMEDY}."
        )
    if status == 200:  # the first transfer, another version of the file, or a server without ranges
        info = file_info(location.url, response.headers)
        partial.start(info)
        return info, 0
    if status in {206, 416} and earlier:
        first, total = content_range(response.headers)
        same_version = earlier.total_bytes in {None, total} and validator(response.headers) in {None, earlier.validator}
        if same_version and (first == size if status == 206 else total == size):
            return replace(earlier, total_bytes=total), size
        partial.discard()
        raise TransientError("the server's range does not fit the partial file, which was deleted")
    if status >= 500 or status in {206, 408, 416, 425, 429}:
        raise TransientError(f"the server answered {status} {reason}", retry_after_s(response.headers))
    raise DownloadError(
        f"{location.url} answered {status} {reason}; expected the file. Check the URL and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to a server that has it, pass the path of a weights file, {SAMPLE_REMEDY}."
    )


def _chunks(response: requests.Response, guard: StallGuard) -> Iterator[bytes]:
    # `read1` returns what has arrived; `iter_content` would wait for a whole chunk, for hours from a slow server
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
        guard.progress()
        yield chunk
    guard.check()


def _append_body(
    chunks: Iterator[bytes],
    partial: PartialFile,
    info: RemoteFileInfo,
    offset: int,
    *,
    limits: DownloadLimits,
    rate: RateCheck,
    label: str | None,
) -> None:
    received = offset
    bar = progress_bar(
        label or "", info.total_bytes, enabled=label is not None, unit="B", unit_scale=True, initial=offset
    )
    with bar, partial.writer() as file:
        for chunk in chunks:
            file.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
            _check_bytes(limits, partial, received, info.url)
            limits.check_time(info.url)
            rate.add(len(chunk), time.monotonic())
    if info.total_bytes is not None and received != info.total_bytes:
        raise TransientError(f"the connection ended after {received} of {info.total_bytes} bytes")


def _check_bytes(limits: DownloadLimits, partial: PartialFile, count: int, url: str) -> None:
    """Check a number of bytes against the limits; delete a file that is too long instead of resuming it later."""
    try:
        limits.check_bytes(count, url)
    except DownloadError:
        partial.discard()
        raise
