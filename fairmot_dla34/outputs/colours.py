"""Gives each track id a colour, and each colour a readable text colour."""

from __future__ import annotations

import colorsys

_Colour = tuple[int, int, int]  # BGR

_GOLDEN_RATIO = 0.618033988749895  # consecutive ids get distant hues, and no two ids the same one
_TONES = ((0.80, 1.0), (0.55, 1.0), (0.90, 0.80))  # saturation and value


def colour_of(track_id: int) -> _Colour:
    """Return the id's BGR colour, the same in every run: hues by the golden ratio, tones in turn."""
    saturation, value = _TONES[track_id % len(_TONES)]
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_RATIO % 1.0, saturation, value)
    return round(blue * 255), round(green * 255), round(red * 255)


def text_colour_on(colour: _Colour) -> _Colour:
    """Return black or white, whichever is easier to read on ``colour`` (luma of ITU-R BT.601)."""
    blue, green, red = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else (255, 255, 255)
