"""Checks a local HLS playlist before FFmpeg reads it: it may name regular files of this machine only.

RFC 8216, section 4: a line that is not a comment names a segment or another playlist; tags name keys and maps in
``URI="…"``.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from ..errors import SourceError
from .regular_files import check_regular, read_regular

_MAX_BYTES = 16 << 20
_MAX_PLAYLISTS = 100


def is_playlist(head: bytes) -> bool:
    """Return whether a file is an HLS playlist.

    Args:
        head: The first bytes of the file.
    """
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"#EXTM3U")


def check_playlist(path: Path) -> None:
    """Check what a playlist names, and what the playlists named in it name.

    Args:
        path: A local playlist.

    Raises:
        SourceError: It names a URL, a pipe or a device, is too large, or names playlists that name further ones.
    """
    media = [file for file in _existing_files(path) if _is_playlist_file(file)]
    if len(media) > _MAX_PLAYLISTS:
        raise SourceError(f"{path} names more than {_MAX_PLAYLISTS} playlists; expected one video.")
    for playlist in media:
        # RFC 8216, section 4.3.4.2: they are media playlists. FFmpeg follows further ones, in a circle for ever.
        if any(map(_is_playlist_file, _existing_files(playlist))):
            raise SourceError(
                f"{path} names {playlist.name}, which names a playlist too; expected one with segments only: track"
                " that one by itself."
            )


def _existing_files(playlist: Path) -> list[Path]:
    """Return the files that a playlist names, once each; FFmpeg leaves missing segments out."""
    files = [file for file in dict.fromkeys(_named_files(playlist)) if file.exists()]
    for file in files:
        check_regular(file)
    return files


def _is_playlist_file(path: Path) -> bool:
    with path.open("rb") as file:
        return is_playlist(file.read(64))


def _named_files(playlist: Path) -> list[Path]:
    try:
        text = read_regular(playlist, _MAX_BYTES).decode(errors="replace")
    except OSError as error:
        raise SourceError(
            f"{playlist} cannot be read ({error}); expected a playlist: check its permissions."
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    names += [found for line in lines if line.startswith("#") for found in re.findall(r'URI="([^"]*)"', line)]
    files = []
    for name in names:
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name)
        if scheme and scheme[1].lower() not in {"file", "data"}:
            raise SourceError(
                f"{playlist} is a local playlist that names a URL ({scheme[1]}:); expected files next to it: pass the"
                " playlist's own URL instead."
            )
        if not scheme or scheme[1].lower() == "file":
            files.append(playlist.parent / unquote(re.sub(r"^file:(//)?", "", name)))
    return files
