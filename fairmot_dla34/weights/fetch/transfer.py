"""One HTTP transfer into a partial file, going on where an earlier one stopped (RFC 9110, sections 13.1.5 and 14)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import DownloadError
from ..locate import SAMPLE_REMEDY, Source
from .partial import PartialFile, Promise

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Patience:
    """How long a download waits and how often it tries.

    Attributes:
        attempts: Transfers before it gives up, each going on where the last one stopped.
        connect_s: Seconds to wait for a connection.
        stall_s: Seconds to wait for the next bytes.
        backoff_s: Seconds between the first two attempts, doubled after each.
    """

    attempts: int = 5
    connect_s: float = 10.0
    stall_s: float = 30.0
    backoff_s: float = 1.0


class TransientError(Exception):
    """The transfer failed in a way that another attempt may cure."""


def transfer(source: Source, partial: PartialFile, patience: Patience, label: str | None) -> Promise:
    """Bring ``partial`` to its full length.

    Args:
        source: Where from.
        partial: Where to.
        patience: Its timeouts; the attempts are the caller's.
        label: Name beside the progress bar on stderr, None for no bar.

    Returns:
        What the server said of the file.

    Raises:
        TransientError: The connection failed, stalled or ended early, or the server is busy or broken.
        DownloadError: The server refuses.
        OSError: The file cannot be written.
    """
    import requests

    known, have = partial.resumable(source.url)
    if known and have == known.total:
        return known
    headers = {"Accept-Encoding": "identity"}  # Content-Length then counts the bytes of the file
    if known and known.validator:
        headers.update({"Range": f"bytes={have}-", "If-Range": known.validator})
    timeouts = (patience.connect_s, patience.stall_s)
    try:
        with _open(source, headers, timeouts) as response:
            promise, start = _agree(response, source, partial, known, have)
            if start != promise.total:
                _receive(response, partial, promise, start, label)
            return promise
    except requests.RequestException as error:
        raise _explain(error, source, patience) from error


def _open(source: Source, headers: dict[str, str], timeouts: tuple[float, float]) -> requests.Response:
    import requests

    try:
        return requests.get(source.url, headers=headers, auth=source.auth, timeout=timeouts, stream=True)
    except requests.RequestException:
        raise
    except (OSError, ValueError) as error:  # a CA bundle that is not there; a host name that urllib3 cannot parse
        raise DownloadError(
            f"{source.url} cannot be used ({type(error).__name__}). Check the address, $REQUESTS_CA_BUNDLE and any "
            f"proxy, pass the path of a file you have, {SAMPLE_REMEDY}."
        ) from error


def _explain(error: requests.RequestException, source: Source, patience: Patience) -> Exception:
    """Turn an error of requests into one of ours, without its text: that may show a redirect's token or a password."""
    from requests import exceptions

    reason: BaseException = error
    while reason.__context__ is not None:  # requests wraps urllib3, which wraps the system's error
        reason = reason.__context__
    if isinstance(error, exceptions.ConnectTimeout):
        return TransientError(f"no connection within {patience.connect_s:g} s")
    if isinstance(error, exceptions.Timeout) or isinstance(reason, TimeoutError):
        return TransientError(f"no data for {patience.stall_s:g} s")
    told = f"{type(error).__name__}: {reason}" if reason is not error else type(error).__name__
    broken = (exceptions.ConnectionError, exceptions.ChunkedEncodingError, exceptions.ContentDecodingError)
    if isinstance(error, broken) and not isinstance(error, exceptions.SSLError):
        return TransientError(f"the connection failed ({told})")
    return DownloadError(
        f"{source.url} cannot be used ({told}). Check the address, the machine's certificates and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to another server, pass the path of a file you have, {SAMPLE_REMEDY}."
    )


def _agree(
    response: requests.Response, source: Source, partial: PartialFile, known: Promise | None, have: int
) -> tuple[Promise, int]:
    """Return what the server promises and the offset its body begins at."""
    status = response.status_code
    if status == 200:  # the first transfer, another version of the file, or a server without ranges
        promise = _promise(response, source)
        partial.begin(promise)
        return promise, 0
    if status in {206, 416} and known:
        first, total = _content_range(response)
        same = known.total in {None, total} and _validator(response) in {None, known.validator}
        if same and (first == have if status == 206 else total == have):
            return replace(known, total=total), have
        partial.discard()
        raise TransientError("the server's range does not fit the partial file, which was deleted")
    if status >= 500 or status in {206, 408, 416, 425, 429}:
        raise TransientError(f"the server answered {status} {response.reason}")
    raise DownloadError(
        f"{source.url} answered {status} {response.reason}; expected the file. Check the address and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to a server that has it, pass the path of a file you have, {SAMPLE_REMEDY}."
    )


def _promise(response: requests.Response, source: Source) -> Promise:
    headers = response.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        return Promise(source.url, None, None, None)  # its lengths and digests are those of the encoded bytes
    length = headers.get("Content-Length", "")
    return Promise(
        url=source.url,
        validator=_validator(response),
        content_md5=headers.get("Content-MD5"),
        total=int(length) if length.isdecimal() else None,
    )


def _validator(response: requests.Response) -> str | None:
    etag = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):  # a weak one does not promise equal bytes
        return etag
    return response.headers.get("Last-Modified")


def _content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """Return the first offset and the total length from Content-Range; None where it does not tell."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not match:
        return None, None
    return int(match[1]) if match[1] else None, int(match[2]) if match[2] != "*" else None


def _receive(
    response: requests.Response, partial: PartialFile, promise: Promise, start: int, label: str | None
) -> None:
    from tqdm import tqdm

    done = start
    bar = tqdm(
        total=promise.total,
        initial=start,
        desc=label,
        unit="B",
        unit_scale=True,
        file=sys.stderr,
        disable=label is None,
    )
    with bar, partial.path.open("ab") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
    if promise.total is not None and done != promise.total:
        raise TransientError(f"the connection ended after {done} of {promise.total} bytes")
