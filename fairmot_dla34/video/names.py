"""Derives the name of a source's output files, and removes credentials from URLs in messages."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from ..file_names import safe_file_name

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".ts", ".m3u8", ".mpg", ".mpeg", ".flv"})

# Files that a folder or a pattern offers as videos; a file that is named directly may have any suffix.
VIDEO_FILE_SUFFIXES = VIDEO_SUFFIXES | {
    ".3g2", ".3gp", ".264", ".265", ".asf", ".av1", ".dv", ".f4v", ".gif", ".h264", ".h265", ".hevc", ".ivf", ".m1v",
    ".m2ts", ".m2v", ".mjpeg", ".mjpg", ".mpe", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogv", ".qt", ".rm", ".rmvb",
    ".vob", ".wmv", ".y4m",
}  # fmt: skip

# Folders named after what they contain, as datasets name them: img1, frames, image_02, rgb. Their parent has the name.
_CONTENT = re.compile(
    r"(im(g|age)?s?|frames?|video_?frames?|jpe?gs?|jpegimages|pngs?|bmps?|tiffs?|webps?"
    r"|rgb|colou?r|data|raw|input|te?mp)[ _.-]?\d*",
    re.IGNORECASE,
)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+")  # in a text


def file_name(path: Path) -> str:
    """Return the name of a video file's outputs: its stem."""
    return safe_file_name(path.absolute().stem, "video")


def folder_name(folder: Path) -> str:
    """Return the name of a folder of images.

    It is that of the sequence for MOTChallenge's ``MOT17-02/img1``: the nearest folder whose name is not just that of
    its content. If all names are, it is the folder's own.
    """
    folder = folder.resolve()
    names = (part.name for part in (folder, *folder.parents))
    meaningful = (name for name in names if name and not _CONTENT.fullmatch(name))
    return safe_file_name(next(meaningful, folder.name), "images")


def glob_name(pattern: str) -> str:
    """Return the name of a glob pattern: the folder above its first wildcard."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return folder_name(Path(fixed + "x").parent)


def url_name(url: str) -> str:
    """Return host and path of a URL as a file name; no user, password, port, query or fragment."""
    parts = urlsplit(url)
    path = Path(parts.path.rstrip("/"))
    text = f"{parts.hostname or ''}{path.with_suffix('') if path.suffix.lower() in VIDEO_SUFFIXES else path}"
    return safe_file_name(re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._"), "stream")


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


def redact_urls(text: str) -> str:
    """Return a text in which every URL is as `redact_url` returns it."""
    return _URL.sub(lambda match: redact_url(match[0]), text)
