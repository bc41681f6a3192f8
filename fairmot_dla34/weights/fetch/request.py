"""HTTP requests of files: redirects, credentials, and conversion of the libraries' errors."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ...errors import DownloadError
from .limits import RetryPolicy, TransientError
from .location import SAMPLE_REMEDY, DownloadLocation

if TYPE_CHECKING:
    import requests
    import urllib3

    from .session import DownloadSession

MAX_REDIRECTS = 10


def send_request(
    session: DownloadSession, location: DownloadLocation, headers: dict[str, str], timeouts_s: tuple[float, float]
) -> requests.Response:
    """Request a file and follow redirects. Credentials are sent only to the server they are meant for.

    Args:
        session: Session of this transfer.
        location: URL to request.
        headers: Request headers.
        timeouts_s: Longest waits for the connection and for the next bytes, in seconds.

    Returns:
        The last response, which is not a redirect. Its body is not read yet.

    Raises:
        DownloadError: The URL cannot be used, or the redirects end in unencrypted HTTP or nowhere.
        requests.RequestException: The request failed.
    """
    import requests

    url = location.url
    try:
        for _ in range(MAX_REDIRECTS + 1):
            auth = None if session.is_elsewhere(location.url, url) else location.auth
            response = session.get(url, headers=headers, auth=auth, timeout=timeouts_s, stream=True)
            target = session.redirect_location(response)
            if not target:
                return response
            response.close()
            source, url = url, urljoin(url, target)
            _check_encrypted(source, url, location)
    except (requests.RequestException, DownloadError):
        raise
    except (OSError, ValueError) as error:  # a missing CA bundle; a host name that urllib3 cannot parse
        raise DownloadError(
            f"{location.url} cannot be used ({type(error).__name__}). Check the URL, $REQUESTS_CA_BUNDLE and any "
            f"proxy, pass the path of a weights file, {SAMPLE_REMEDY}."
        ) from error
    raise DownloadError(
        f"{location.url} was redirected more than {MAX_REDIRECTS} times. Check the URL, set $FAIRMOT_DLA34_MIRROR to "
        f"another server, pass the path of a weights file, {SAMPLE_REMEDY}."
    )


def _check_encrypted(source: str, target: str, location: DownloadLocation) -> None:
    if source.startswith("https:") and target.startswith("http:"):
        raise DownloadError(
            f"{location.url} redirects from HTTPS to HTTP, where the file could be changed on its way. Set "
            f"$FAIRMOT_DLA34_MIRROR to another server, pass the path of a weights file, {SAMPLE_REMEDY}."
        )


def convert_error(
    error: requests.RequestException | urllib3.exceptions.HTTPError,
    location: DownloadLocation,
    retry_policy: RetryPolicy,
) -> TransientError | DownloadError:
    """Return the error to raise, without the text of ``error``: it may hold a password or the token of a redirect.

    Args:
        error: Error of requests or urllib3.
        location: URL of the download.
        retry_policy: Source of the timeouts in the message.
    """
    from requests import exceptions
    from urllib3.exceptions import ProtocolError

    root: BaseException = error
    while root.__context__ is not None:  # requests wraps urllib3's error, which wraps the operating system's
        root = root.__context__
    if isinstance(error, exceptions.ConnectTimeout):
        return TransientError(f"no connection within {retry_policy.connect_timeout_s:g} s")
    if isinstance(error, exceptions.Timeout) or isinstance(root, TimeoutError):
        return TransientError(f"no data for {retry_policy.read_timeout_s:g} s")
    cause = f"{type(error).__name__}: {root}" if root is not error else type(error).__name__
    broken = (exceptions.ConnectionError, exceptions.ChunkedEncodingError, ProtocolError)
    if isinstance(error, broken) and not isinstance(error, exceptions.SSLError):
        return TransientError(f"the connection failed ({cause})")
    return DownloadError(
        f"{location.url} cannot be used ({cause}). Check the URL, the machine's certificates and any proxy, set "
        f"$FAIRMOT_DLA34_MIRROR to another server, pass the path of a weights file, {SAMPLE_REMEDY}."
    )
