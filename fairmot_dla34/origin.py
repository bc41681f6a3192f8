"""The identity of a source, by which a run recognises its own earlier results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """Identity of a source: the same source has the same one in every run.

    Attributes:
        name: Name of the output files, unless the user chooses another one.
        identity: Text that differs for any two sources, such as an absolute path or a whole URL. It may contain
            secrets: only a digest of it is stored.
        shown: Source in messages, without credentials.
        files: Files that are read. An output never replaces one of them.
    """

    name: str
    identity: str
    shown: str
    files: tuple[Path, ...] = ()


# Arrays have no place: scripts that pass arrays under one name replace each other's results.
ORIGIN_OF_ARRAYS = Origin("inputimages", "images from Python", "images from Python")  # PaddleHub's name
