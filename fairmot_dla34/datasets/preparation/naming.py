"""Names of the folders and files of a prepared dataset: valid on every system, unique, and safe for other readers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ...file_names import MAX_NAME_CHARS, safe_file_name
from ...video.images import natural_key

_SUFFIX_CHARS = 10  # of a number that makes a name unique
_MAX_BYTES = 180  # in UTF-8, with such a number
# FairMOT and PaddleDetection find the labels of an image by replacing these texts anywhere in its path.
_REPLACED_BY_READERS = re.compile(r"images|\.(?=(?:png|jpg)(?:\W|_|$))")


def unique_names(texts: Iterable[str], fallback: str) -> list[str]:
    """Return a file or folder name for each text; no two differ in upper and lower case alone.

    Args:
        texts: Names in the source, such as ``camera/1``.
        fallback: Name for a text without usable characters.
    """
    taken: set[str] = set()
    names = []
    for text in texts:
        plain = _shortened(safe_file_name(_without_traps(text), fallback))
        name, number = plain, 1
        while _key(name) in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(_key(name))
        names.append(name)
    return names


def image_names(texts: list[str], *, in_order: bool) -> list[str]:
    """Return a stem for each image of a sequence.

    Args:
        texts: Stems in the source.
        in_order: Whether sorting the stems must give the order of the images, as for the frames of a video. If the
            stems of the source do not, the images are numbered.
    """
    names = unique_names(texts, "image")
    keys = [natural_key(Path(name)) for name in names]
    if in_order and keys != sorted(keys):
        return [f"{number:06d}" for number in range(1, len(names) + 1)]
    return names


def _without_traps(text: str) -> str:
    return _REPLACED_BY_READERS.sub(lambda found: "imgs" if found[0] == "images" else "_", text)


def _shortened(name: str) -> str:
    short = name[: MAX_NAME_CHARS - _SUFFIX_CHARS]
    return short.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(". ") or name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
