"""The palette of track colours, a colour for an id alone, and a readable text colour."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from .colour_difference import seen_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]  # BGR

_BYTES = bytes.fromhex(  # BGR, from tools/colour_palette.py: each colour is as unlike all before it as possible
    "00ddffff00bbffdd000044cc66aa33bb99ffdd99882299ffbbffcc7711ddbb7711ddff004488aa66bbaabb77bb7788dd"
    "5555bbaabb00ffbb6688ee0066ffddff77aa0066ff8855ff3333ffbb22ddee664433cc5599cc77dd66ff8855aaffff77"
    "66ccff5511eeffbbee0066cc55aa7788eeffccff995588dd9955ddcc778877aaff9999ff7766ccdd99ee44ff9955bbcc"
    "4466aaccdd553344ccee99ccaa6688cc5599ff44ee88aa44aa77eeaadd00ddbb1144ddaacc88aa8877ff3399bb77cc99"
    "8866bb99eedd00bb996655ee77ff77dd66bb3377aacccc006644ccff99aa7777dd00ccccaa00ff1188ccee9900bbff00"
    "66bbffaaff9999dd99bb77dd88bb0088cceeddcc339922ddccee77ff55aa44bb88eebb44aa66aa6666ffcc00cc4433dd"
    "aacc553366cc5566bbcc33ff77aa660033ffcc88ffeeff77ff77ffddaaffdd88004466ee00aa22aaee7766eeeeaa55ff"
    "cc88778899ffbb6677ee88554422ffeeee0055dd880077aa33ffeeee44996688ee9988eedd22ee55aacc66bb0044ccbb"
)
PALETTE: tuple[Colour, ...] = tuple((_BYTES[i], _BYTES[i + 1], _BYTES[i + 2]) for i in range(0, len(_BYTES), 3))


@functools.cache
def palette_differences() -> NDArray[np.float64]:
    """Return how different any two colours of the palette look, ``(128, 128)``; see `seen_difference`. Read-only."""
    colours = np.array(PALETTE, np.uint8)
    differences = seen_difference(colours[:, np.newaxis], colours[np.newaxis])
    differences.flags.writeable = False
    return differences


def colour_of(track_id: int) -> Colour:
    """Return the BGR colour that depends on the id alone: ids n and n + 128 share it."""
    return PALETTE[(track_id - 1) % len(PALETTE)]


def text_colour_on(colour: Colour) -> Colour:
    """Return black or white, whichever is easier to read on ``colour`` (luma of ITU-R BT.601)."""
    blue, green, red = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else (255, 255, 255)
