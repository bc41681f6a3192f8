"""Derives the name of a source's output files, and removes credentials from URLs in messages."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".ts", ".m3u8", ".mpg", ".mpeg", ".flv"})
_MAX_LENGTH = 120  # characters; file systems allow 255 bytes, and suffixes follow


def file_name(path: Path) -> str:
    """Return the name of a video file's outputs: its stem."""
    return path.absolute().stem or "video"


def folder_name(folder: Path) -> str:
    """Return the name of a folder of images; of the sequence for MOTChallenge's ``MOT17-02/img1``."""
    folder = folder.resolve()
    return (folder.parent.name if folder.name == "img1" else folder.name) or "images"


def glob_name(pattern: str) -> str:
    """Return the name of a glob pattern: the folder above its first wildcard."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return folder_name(Path(fixed + "x").parent)


def url_name(url: str) -> str:
    """Return host and path of a URL as a file name; no user, password, port, query or fragment."""
    parts = urlsplit(url)
    path = Path(parts.path.rstrip("/"))
    text = f"{parts.hostname or ''}{path.with_suffix('') if path.suffix.lower() in VIDEO_SUFFIXES else path}"
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._")[:_MAX_LENGTH] or "stream"


def url_identity(url: str) -> str:
    """Return a URL without user and password, but with its query: cameras of one server may differ in it alone."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return f"{scheme.lower()}://{host.rpartition('@')[2]}{rest[len(host) :]}"


def redact_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, to show in a message."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in host:
        rest = host.rpartition("@")[2] + rest[len(host) :]
    elif ":" in host and "@" in rest:  # a password with / ? or # that is not escaped as %2F %3F %23
        rest = rest.rpartition("@")[2]
    return f"{scheme}://{re.split(r'[?#]', rest, maxsplit=1)[0]}"
