"""Expands the sources of one command: a pattern or a folder of videos becomes one source for each video."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from ..errors import InvalidInputError, SourceError
from ..file_names import safe_file_name
from ..outputs.reservation import read_record
from ..video.images import is_image, natural_key
from ..video.locations import local_path
from ..video.names import VIDEO_FILE_SUFFIXES, file_name, folder_name, glob_name, redact_url
from ..video.opening import matching_paths

logger = logging.getLogger(__name__)

_PLAYLIST = ".m3u8"


@dataclass(frozen=True)
class NamedSource:
    """One source of a command.

    Attributes:
        spec: Text or path that `open_source` opens.
        path: Path or pattern of a local source; None for a camera, a URL, and a text that names nothing.
        name: Name of its outputs; "" without a path: the name is known when the source is open.
        folder: Name of the folder that contains it; "" without a path.
        identity: Digest of a file in a store, which is copied to a local disk before it is opened; "" for others.
    """

    spec: str | Path
    path: Path | None = None
    name: str = ""
    folder: str = ""
    identity: str = ""

    @property
    def is_remote(self) -> bool:
        """True for a camera and for a URL that is not in a store."""
        if self.identity:
            return False
        return self.path is None and isinstance(self.spec, str) and (self.spec.isdecimal() or "://" in self.spec)

    @property
    def shown(self) -> str:
        """Source in messages, without credentials."""
        return redact_url(self.spec) if isinstance(self.spec, str) and "://" in self.spec else str(self.spec) or "''"


@dataclass(frozen=True)
class Expansion:
    """The sources of one command.

    Attributes:
        sources: Sources in the order in which they were named, the videos of a pattern or a folder sorted by name.
        several: Whether the command is about several sources, also if a pattern or a folder has one video only.
    """

    sources: tuple[NamedSource, ...]
    several: bool


def expand_sources(words: Sequence[str]) -> Expansion:
    """Return the sources that words name. A video that is named twice is one source.

    A word that names nothing stays a source: the error follows when it is opened, and does not end the others.

    Args:
        words: Files, folders, patterns, camera indices and URLs. A folder or a pattern of images is one source.

    Raises:
        SourceError: A folder or a pattern has images and videos, or a playlist beside videos.
        InvalidInputError: A camera or a URL, or single images, are among several sources.
    """
    found: list[NamedSource] = []
    several = len(words) > 1
    for word in words:
        members = _members(word)
        several = several or members is not None
        found += [_named(word)] if members is None else members
    unique: dict[tuple[str, str], NamedSource] = {}
    for source in found:
        place = str(source.spec) if source.path is None else os.path.realpath(source.path)
        unique.setdefault((source.name, place), source)
    kept = tuple(unique.values())
    if len(kept) < len(found):
        logger.info("Sources that are named twice are tracked once: %d.", len(found) - len(kept))
    if several:
        _check_together(kept)
    return Expansion(kept, several)


def source_files(source: NamedSource) -> list[Path]:
    """Return the files of a local source, in order; empty for a camera or a URL.

    Raises:
        OSError: A folder cannot be read.
    """
    if source.path is None:
        return []
    if source.path.is_dir():
        return sorted(filter(is_image, source.path.iterdir()), key=natural_key)
    if source.path.exists():
        return [source.path]
    return sorted(filter(is_image, set(matching_paths(str(source.path)))), key=natural_key)


def _named(word: str) -> NamedSource:
    """Return the source that a word names, which may not exist."""
    path = _path(word)
    try:
        if path is None:
            return NamedSource(word)
        if path.is_dir():
            return _in_folder(word, path, folder_name(path), path)
        if not path.exists() and glob.has_magic(str(path)):
            fixed = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
            return _in_folder(word, path, glob_name(str(path)), fixed)
        return _file(word, path)
    except (OSError, RuntimeError):  # the current folder was removed, or links go in a circle
        return NamedSource(word)


def _file(spec: str | Path, path: Path) -> NamedSource:
    return NamedSource(spec, path, file_name(path), path.absolute().parent.name)


def _in_folder(spec: str | Path, path: Path, name: str, folder: Path) -> NamedSource:
    """Return a source of images; the folder that contains it is the one above the folder that gives the name."""
    resolved = folder.resolve()
    levels = (resolved, *resolved.parents)
    above = next((level.parent.name for level in levels if safe_file_name(level.name, "") == name), "")
    return NamedSource(spec, path, name, above)


def _path(word: str) -> Path | None:
    """Return the path that a word names; None for a camera, for a URL, and for a text that names nothing."""
    if not word.strip() or "\0" in word:
        return None
    try:
        os.fsencode(word)  # a lone surrogate is in no path
        path = local_path(word)
        if path is not None:
            path.exists()  # raises for a path that is too long or is out of reach
    except (RuntimeError, OSError, ValueError):
        return None
    return path


def _members(word: str) -> list[NamedSource] | None:
    """Return the sources in the folder or of the pattern that a word names; None if it is a single source."""
    path = _path(word)
    if path is None:
        return None
    try:
        if path.is_dir():
            return _videos_among(path.iterdir(), f"Folder {path}")
        if path.exists() or not glob.has_magic(str(path)):
            return None
        matches = list(dict.fromkeys(matching_paths(str(path))))
        videos = _videos_among(matches, f"Pattern {path}")
        if videos is None and not any(map(is_image, matches)):
            return _in_folders(match for match in matches if match.is_dir())
    except SourceError:
        raise
    except OSError:  # the error is reported when the source is opened
        return None
    return videos


def _in_folders(folders: Iterable[Path]) -> list[NamedSource] | None:
    """Return the sources in the folders that a pattern matches: videos, or one folder of images; None without any."""
    found: list[NamedSource] = []
    for folder in sorted(folders, key=natural_key):
        entries = list(folder.iterdir())
        videos = _videos_among(entries, f"Folder {folder}")
        if videos is not None:
            found += videos
        elif any(map(is_image, entries)):
            found.append(_in_folder(folder, folder, folder_name(folder), folder))
    return found or None


def _videos_among(entries: Iterable[Path], shown: str) -> list[NamedSource] | None:
    """Return the videos among files, sorted, without the results of earlier runs; None if there are none."""
    paths = list(entries)
    videos = sorted((path for path in paths if _is_video(path)), key=natural_key)
    own = [path for path in videos if read_record(path).source]
    videos = [path for path in videos if path not in set(own)]
    if own:
        logger.info("%s: results of earlier runs are left out, %d in all, such as %s.", shown, len(own), own[0].name)
    images = [path for path in paths if is_image(path)]
    if images and videos:
        raise SourceError(
            f"{shown} has images ({len(images)}) and videos ({len(videos)}); expected one of both: name the images or"
            " the videos by a pattern in quotes, such as '*.mp4'."
        )
    playlists = [path for path in videos if path.suffix.lower() == _PLAYLIST]
    if playlists and len(videos) > 1:
        raise SourceError(
            f"{shown} has the playlist {playlists[0].name} beside other videos, which may be its parts; expected videos"
            " alone: name the playlist, or the videos by a pattern in quotes, such as '*.mp4'."
        )
    return [_file(path, path) for path in videos] or None


def _is_video(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in VIDEO_FILE_SUFFIXES and not hidden and path.is_file()


def _check_together(sources: Sequence[NamedSource]) -> None:
    """Check that every one of several sources has an end and is a video.

    Raises:
        InvalidInputError: One is a camera or a URL, or two are single images.
    """
    for source in sources:
        if source.is_remote:
            raise InvalidInputError(
                f"Source {source.shown!r} is one of {len(sources)}; expected files and folders: track a camera or a URL"
                " in a run of its own."
            )
    images = [source for source in sources if source.path and is_image(source.path) and source.path.is_file()]
    if len(images) > 1:
        raise InvalidInputError(
            f"Sources {images[0].shown} and {images[1].shown} are single images; expected videos: name the images of"
            " one video by their folder, or by a pattern in quotes."
        )
