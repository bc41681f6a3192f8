"""HTTP transfers into a partial file, resumed with range requests (RFC 9110, sections 13.1.5 and 14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...console import progress_bar
from ...errors import DownloadError
from .headers import content_range, file_info, validator
from .location import SAMPLE_REMEDY, DownloadLocation
from .partial import PartialFile, RemoteFileInfo

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class RetryPolicy:
    """Timeouts and attempts of a download.

    Attributes:
        attempts: Number of transfers before the download fails; each one resumes the last.
        connect_timeout_s: Longest wait for a connection, in seconds.
        read_timeout_s: Longest wait for the next bytes, in seconds.
        backoff_s: Pause between the first two attempts, in seconds; doubled after each further attempt.
    """

    attempts: int = 5
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    backoff_s: float = 1.0


class TransientError(Exception):
    """A failed transfer that another attempt may complete."""


def transfer(
    location: DownloadLocation, partial: PartialFile, retry_policy: RetryPolicy, *, label: str | None
) -> RemoteFileInfo:
    """Download into ``partial`` until it has its full length. One attempt; retries are up to the caller.

    Args:
        location: URL to download from.
        partial: File to write, resumed if it has bytes of the same version.
        retry_policy: Source of the timeouts.
        label: Text before the progress bar, None for no bar.

    Returns:
        The server's data about the file.

    Raises:
        TransientError: The connection failed, stalled or ended early, or the server is busy or broken.
        DownloadError: The server refused the request, or the URL cannot be used.
        OSError: The file cannot be written.
    """
    import requests

    earlier, size = partial.resumable(location.url)
    if earlier and size == earlier.total_bytes:
        return earlier
    headers = {"Accept-Encoding": "identity"}  # makes Content-Length the length of the file
    if earlier and earlier.validator:
        headers.update({"Range": f"bytes={size}-", "If-Range": earlier.validator})
    timeouts_s = (retry_policy.connect_timeout_s, retry_policy.read_timeout_s)
    try:
        with _send_request(location, headers, timeouts_s) as response:
            info, offset = _start_or_resume(response, location, partial, earlier, size)
            if offset != info.total_bytes:
                _append_body(response, partial, info, offset, label)
            return info
    except requests.RequestException as error:
        raise _convert_error(error, location, retry_policy) from error


def _send_request(
    location: DownloadLocation, headers: dict[str, str], timeouts_s: tuple[float, float]
) -> requests.Response:
    import requests

    try:
        return requests.get(location.url, headers=headers, auth=location.auth, timeout=timeouts_s, stream=True)
    except requests.RequestException:
        raise
    except (OSError, ValueError) as error:  # a missing CA bundle; a host name that urllib3 cannot parse
        raise DownloadError(
            f"{location.url} cannot be used ({type(error).__name__}). Check the URL, $REQUESTS_CA_BUNDLE and any "
            f"proxy, pass the path of a weights file, {SAMPLE_REMEDY}."
        ) from error


def _convert_error(
    error: requests.RequestException, location: DownloadLocation, retry_policy: RetryPolicy
) -> TransientError | DownloadError:
    """Return the error to raise, without the text of ``error``: it may hold a password or the token of a redirect."""
    from requests import exceptions

    root: BaseException = error
    while root.__context__ is not None:  # requests wraps urllib3's error, which wraps the operating system's
        root = root.__context__
    if isinstance(error, exceptions.ConnectTimeout):
        return TransientError(f"no connection within {retry_policy.connect_timeout_s:g} s")
    if isinstance(error, exceptions.Timeout) or isinstance(root, TimeoutError):
        return TransientError(f"no data for {retry_policy.read_timeout_s:g} s")
    cause = f"{type(error).__name__}: {root}" if root is not error else type(error).__name__
    broken = (exceptions.ConnectionError, exceptions.ChunkedEncodingError, exceptions.ContentDecodingError)
    if isinstance(error, broken) and not isinstance(error, exceptions.SSLError):
        return TransientError(f"the connection failed ({cause})")
    return DownloadError(
        f"{location.url} cannot be used ({cause}). Check the URL, the machine's certificates and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to another server, pass the path of a weights file, {SAMPLE_REMEDY}."
    )


def _start_or_resume(
    response: requests.Response,
    location: DownloadLocation,
    partial: PartialFile,
    earlier: RemoteFileInfo | None,
    size: int,
) -> tuple[RemoteFileInfo, int]:
    """Return the info about the file and the offset of the response body; empty ``partial`` unless it is resumed."""
    status = response.status_code
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
        raise TransientError(f"the server answered {status} {response.reason}")
    raise DownloadError(
        f"{location.url} answered {status} {response.reason}; expected the file. Check the URL and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to a server that has it, pass the path of a weights file, {SAMPLE_REMEDY}."
    )


def _append_body(
    response: requests.Response, partial: PartialFile, info: RemoteFileInfo, offset: int, label: str | None
) -> None:
    received = offset
    bar = progress_bar(
        label or "", info.total_bytes, enabled=label is not None, unit="B", unit_scale=True, initial=offset
    )
    with bar, partial.path.open("ab") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            file.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
    if info.total_bytes is not None and received != info.total_bytes:
        raise TransientError(f"the connection ended after {received} of {info.total_bytes} bytes")
