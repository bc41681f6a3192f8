"""Data about a remote file, read from the headers of an HTTP response (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ...errors import DownloadError
from ...messages import plain_line
from .partial import RemoteFileInfo


def file_info(url: str, headers: Mapping[str, str]) -> RemoteFileInfo:
    """Return the data that an unencoded response with the whole file gives about it.

    Args:
        url: URL of the file.
        headers: Response headers, a mapping that ignores the case of names.

    Raises:
        DownloadError: The stated length is not a number.
    """
    length = headers.get("Content-Length")
    if length is not None and _whole_number(length) is None:
        raise DownloadError(f"{url} states a length of {plain_line(length, 30)!r}; expected a number of bytes.")
    return RemoteFileInfo(
        url=url,
        validator=validator(headers),
        content_md5=headers.get("Content-MD5"),
        total_bytes=_whole_number(length or ""),
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks to wait, from a number or a date (RFC 9110, 10.2.3), or None."""
    text = headers.get("Retry-After", "").strip()
    seconds = _whole_number(text)
    if seconds is not None:
        return float(seconds)
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # another form, or a date without a time zone
        return None


def validator(headers: Mapping[str, str]) -> str | None:
    """Return the strong ETag, else the Last-Modified date, else None."""
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):  # a weak ETag does not guarantee equal bytes
        return etag
    return headers.get("Last-Modified")


def content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the first offset and the total length from Content-Range, each None if it is not given."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range", "").strip())
    return (_whole_number(match[1] or ""), _whole_number(match[2])) if match else (None, None)


def _whole_number(text: str) -> int | None:
    """Return the number in a header, or None; a longer one than any file's would not convert."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
