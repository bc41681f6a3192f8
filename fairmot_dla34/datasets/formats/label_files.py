"""Finds the exports of labelling tools below a folder, and names their sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import DatasetError
from ..values import SourceSequence
from .mot_folders import unique_names
from .reading import entries_of, require_folder

_MAX_DEPTH = 4


def find_label_files(root: Path, suffixes: tuple[str, ...], layout: str) -> list[Path]:
    """Return the files with one of the suffixes, in natural order; ``root`` itself if it is a file.

    Args:
        root: Folder of the dataset, or one file of labels.
        suffixes: Suffixes in lower case.
        layout: Content of the folder, for messages.

    Raises:
        DatasetError: There is none.
    """
    if root.is_file():
        if root.suffix.casefold() not in suffixes:
            raise DatasetError(f"{root} ends in {root.suffix or 'no suffix'}; expected {layout}.")
        return [root]
    require_folder(root, layout)
    found: list[Path] = []
    _collect(root, suffixes, 0, found)
    if not found:
        raise DatasetError(f"{root} has no file ending in {' or '.join(suffixes)}; expected {layout}.")
    return found


def _collect(folder: Path, suffixes: tuple[str, ...], depth: int, found: list[Path]) -> None:
    for entry in entries_of(folder):
        if entry.is_dir():
            if depth < _MAX_DEPTH:
                _collect(entry, suffixes, depth + 1, found)
        elif entry.suffix.casefold() in suffixes:
            found.append(entry)


def with_unique_names(sequences: Sequence[SourceSequence]) -> list[SourceSequence]:
    """Return the sequences with names that are unique in the dataset."""
    names = unique_names([sequence.name for sequence in sequences], [[] for _ in sequences])
    return [replace(sequence, name=name) for sequence, name in zip(sequences, names, strict=True)]
