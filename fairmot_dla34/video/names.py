"""What a source is called: the name of its output files, and how a message shows it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".ts", ".m3u8", ".mpg", ".mpeg", ".flv"})
ARRAYS_NAME = "inputimages"  # what PaddleHub's module calls a list of arrays
_LONGEST = 120  # characters; file systems stop at 255 bytes, and suffixes follow


def stem_of(path: Path) -> str:
    """The name of a video file's outputs: its stem."""
    return path.absolute().stem or "video"


def folder_name(folder: Path) -> str:
    """The name of a folder of images; the sequence's for MOTChallenge's ``MOT17-02/img1``."""
    folder = folder.resolve()
    return (folder.parent.name if folder.name == "img1" else folder.name) or "images"


def glob_name(pattern: str) -> str:
    """The name of a glob pattern: the folder above its first wildcard."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return folder_name(Path(fixed + "x").parent)


def url_name(url: str) -> str:
    """Host and path of a URL as a file name; no user, password, port, query or fragment."""
    parts = urlsplit(url)
    path = Path(parts.path.rstrip("/"))
    text = f"{parts.hostname or ''}{path.with_suffix('') if path.suffix.lower() in VIDEO_SUFFIXES else path}"
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("._")[:_LONGEST] or "stream"


def hide_secrets(url: str) -> str:
    """A URL without user, password, query and fragment, to show in a message."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in host:
        rest = host.rpartition("@")[2] + rest[len(host) :]
    elif ":" in host and "@" in rest:  # a password with / ? or # that was not written as %2F %3F %23
        rest = rest.rpartition("@")[2]
    return f"{scheme}://{re.split(r'[?#]', rest, maxsplit=1)[0]}"
