"""Finds files below the root of a dataset by names from label files: never above the root, in any case of letters."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ...errors import DatasetError
from ...video.images import is_image


class FileIndex:
    """Files below a folder, listed once per folder.

    Args:
        root: Folder that every file is below.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[Path, dict[str, list[str]]] = {}
        self._stems: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str) -> Path | None:
        """Return a file or folder by its path relative to the root, or None if it does not exist.

        A name that differs in the case of its letters alone is found too, if it is the only one.

        Raises:
            DatasetError: The name is not a relative path below the root.
        """
        path = self.root
        for part in _parts(name, self.root):
            entry = _only(self._entries(path).get(part.casefold(), []), part)
            if entry is None:
                return None
            path /= entry
        return path

    def find_image(self, stem: str) -> Path | None:
        """Return the image file of a relative path without suffix, or None.

        Raises:
            DatasetError: The path is not below the root, or several images have that stem.
        """
        folder, _, last = stem.rpartition("/")
        place = self.find(folder) if folder else self.root
        if place is None:
            return None
        _parts(last, self.root)
        names = self._images(place).get(last.casefold(), [])
        exact = [name for name in names if name.rpartition(".")[0] == last] or names
        if len(exact) > 1:
            raise DatasetError(f"{place} has {exact[0]} and {exact[1]}; expected one image per label. Remove one.")
        return place / exact[0] if exact else None

    def _images(self, folder: Path) -> dict[str, list[str]]:
        """Return the names of the images in a folder by the lower case of their stems."""
        if folder not in self._stems:
            found: dict[str, list[str]] = {}
            for names in self._entries(folder).values():
                for name in filter(lambda name: is_image(folder / name), names):
                    found.setdefault(name.rpartition(".")[0].casefold(), []).append(name)
            self._stems[folder] = found
        return self._stems[folder]

    def _entries(self, folder: Path) -> dict[str, list[str]]:
        """Return the names in a folder by their lower case."""
        if folder not in self._folders:
            found: dict[str, list[str]] = {}
            if folder.is_dir():
                for entry in folder.iterdir():
                    found.setdefault(entry.name.casefold(), []).append(entry.name)
            self._folders[folder] = found
        return self._folders[folder]


def _only(names: list[str], wanted: str) -> str | None:
    if wanted in names:
        return wanted
    return names[0] if len(names) == 1 else None


def _parts(name: str, root: Path) -> tuple[str, ...]:
    """Return the folders and the file of a relative path with slashes of any system."""
    text = name.replace("\\", "/")
    parts = PurePosixPath(text).parts
    drive = PureWindowsPath(text).drive
    if not parts or ".." in parts or text.startswith("/") or drive or "\0" in text:
        raise DatasetError(f"A label names the file {name!r}; expected a relative path to a file below {root}.")
    return parts
