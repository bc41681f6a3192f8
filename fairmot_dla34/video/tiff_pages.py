"""Pages of a TIFF file: their sizes, and each page as a file of its own for a decoder that reads only the first.

TIFF 6.0, section 2, and BigTIFF: a header with the position of the first directory (IFD); each directory ends with the
position of the next one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MAX_PAGES = 100_000
_MAX_ENTRIES = 4096  # of one directory, as in libtiff
_MAX_ALL_ENTRIES = 20 * _MAX_PAGES  # directories that overlap could state billions in a small file
_SUBFILE_TYPE, _WIDTH, _HEIGHT = 254, 256, 257
_REDUCED, _MASK = 1, 4  # bits of the subfile type: a smaller version of another page, or its mask
_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # field types that hold the tags above


@dataclass(frozen=True)
class Page:
    """One page of a TIFF file.

    Attributes:
        position: Position of its directory in the file.
        width: Width in px.
        height: Height in px.
        is_frame: Whether it is an image of its own, not a preview or a mask of another page.
        following: Position of the next directory, or 0.
        entries: Number of entries of its directory.
    """

    position: int
    width: int
    height: int
    is_frame: bool
    following: int
    entries: int


def frame_pages(data: Any) -> tuple[list[Page], str]:
    """Return the pages that are images of their own, in order, and the reason why some may be missing, or "".

    Args:
        data: The file: a buffer of bytes.
    """
    pages: dict[int, Page] = {}
    page, entries = read_page(data, None), 0
    reason = "" if page else "its first directory is damaged"
    while page is not None:
        pages[page.position] = page
        entries += page.entries
        if not page.following:
            break
        if len(pages) == _MAX_PAGES or entries > _MAX_ALL_ENTRIES:
            reason = f"only its first {len(pages)} pages are used; split larger files"
            break
        if page.following in pages:
            reason = f"page {len(pages) + 1} is an earlier one again"
            break
        page = read_page(data, page.following)
        reason = "" if page else f"the directory of page {len(pages) + 1} is damaged"
    return [page for page in pages.values() if page.is_frame], reason


def read_page(data: Any, position: int | None) -> Page | None:
    """Return the page whose directory is at a position, or None if it is damaged.

    Args:
        data: The file: a buffer of bytes.
        position: Position of the directory; None: of the first one.
    """
    try:
        return _read_page(data, position)
    except (struct.error, KeyError, IndexError, ValueError):
        return None


def select_page(data: Any, page: Page) -> None:
    """Make a page the only one.

    Args:
        data: The file: a writable buffer of bytes. Its header and the end of the page's directory are changed.
        page: A page of this file.
    """
    order, is_big = _header(data)
    word = order + ("Q" if is_big else "I")
    struct.pack_into(word, data, 8 if is_big else 4, page.position)
    end = page.position + (8 + 20 * page.entries if is_big else 2 + 12 * page.entries)
    struct.pack_into(word, data, end, 0)  # decoders follow the links to all further pages, for each page


def _header(data: Any) -> tuple[str, bool]:
    order = {b"II": "<", b"MM": ">"}[bytes(data[:2])]
    version = struct.unpack_from(order + "H", data, 2)[0]
    if version not in {42, 43}:
        raise ValueError(version)
    return order, version == 43


def _read_page(data: Any, position: int | None) -> Page:
    order, is_big = _header(data)
    word = order + ("Q" if is_big else "I")
    if position is None:
        position = int(struct.unpack_from(word, data, 8 if is_big else 4)[0])
    count = struct.unpack_from(order + ("Q" if is_big else "H"), data, position)[0]
    if count > _MAX_ENTRIES:
        raise ValueError(count)
    start, length = position + (8 if is_big else 2), 20 if is_big else 12
    tags = {}
    for entry in range(start, start + length * count, length):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in {_SUBFILE_TYPE, _WIDTH, _HEIGHT}:
            tags[tag] = int(struct.unpack_from(order + _FORMATS[kind], data, entry + length - (8 if is_big else 4))[0])
    following = int(struct.unpack_from(word, data, start + length * count)[0])
    is_frame = not tags.get(_SUBFILE_TYPE, 0) & (_REDUCED | _MASK)
    return Page(position, tags[_WIDTH], tags[_HEIGHT], is_frame, following, count)
