"""Data about a remote file, read from the headers of an HTTP response (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .partial import RemoteFileInfo


def file_info(url: str, headers: Mapping[str, str]) -> RemoteFileInfo:
    """Return the data that a response with the whole file gives about it.

    Args:
        url: URL of the file.
        headers: Response headers, a mapping that ignores the case of names.
    """
    if headers.get("Content-Encoding", "identity") != "identity":
        return RemoteFileInfo(url, None, None, None)  # length and digest are those of the encoded bytes
    length = headers.get("Content-Length", "")
    return RemoteFileInfo(
        url=url,
        validator=validator(headers),
        content_md5=headers.get("Content-MD5"),
        total_bytes=int(length) if length.isdecimal() else None,
    )


def validator(headers: Mapping[str, str]) -> str | None:
    """Return the strong ETag, else the Last-Modified date, else None."""
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):  # a weak ETag does not guarantee equal bytes
        return etag
    return headers.get("Last-Modified")


def content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the first offset and the total length from Content-Range, each None if it is not given."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range", "").strip())
    if not match:
        return None, None
    return int(match[1]) if match[1] else None, int(match[2]) if match[2] != "*" else None
