"""Draws a heat map over a frame, with the scale of its colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .heat import HeatMap

_BACKGROUND = 40  # grey, without a frame
_DIMMED = 0.55  # brightness of the frame, which is grey too, so that colours mean heat only
_OPAQUE_AT = 0.25  # share of the scale from which the colour covers the frame as far as it ever does
_OPACITY = 0.85
_STRETCH = 2  # the colours follow the square root of the time: paths are seen beside people who stand still
_TOP_QUANTILE = 0.99  # of the cells with heat
_MOST_PX = 4096 * 2160  # larger images are made smaller, which bounds the memory
_CAPITALS_OF_SCALE = 21.0  # px, see outputs/labels.py


def heat_png(heat: HeatMap, frame: NDArray[np.uint8] | None) -> bytes:
    """Return the heat map as a PNG of the size of the frames, at most that of 4096x2160 px.

    Colours go from 0 to the 99th percentile of the cells in which somebody was, with the square root of the time. The
    scale in the corner is in seconds for one cell.

    Args:
        heat: The heat map.
        frame: ``(H, W, 3)`` uint8 BGR image below it; None: a grey ground. It is enlarged or reduced to the map's size.
    """
    import cv2

    image = heat_image(heat, frame)
    _, encoded = cv2.imencode(".png", image)
    return bytes(encoded)


def heat_image(heat: HeatMap, frame: NDArray[np.uint8] | None, *, with_scale: bool = True) -> NDArray[np.uint8]:
    """Return the ``(H, W, 3)`` uint8 BGR image of `heat_png`, with or without the scale of its colours."""
    import cv2

    scale = min(1.0, math.sqrt(_MOST_PX / (heat.size[0] * heat.size[1])))
    width, height = (max(1, round(side * scale)) for side in heat.size)
    top_s = scale_top(heat.seconds)
    share = (np.clip(heat.seconds / top_s, 0, 1) ** (1 / _STRETCH)).astype(np.float32)
    share = _enlarged(_enlarged(share, height, scale * heat.cell_px).T, width, scale * heat.cell_px).T
    ground = _ground(frame, width, height).astype(np.float32)
    colours = cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_INFERNO).astype(np.float32)
    opacity = (_OPACITY * np.clip(share / _OPAQUE_AT, 0, 1))[:, :, None]
    image = np.asarray(opacity * colours + (1 - opacity) * ground).astype(np.uint8)
    if with_scale:
        _draw_scale(image, top_s, heat.cell_px)
    return image


def scale_top(seconds: NDArray[np.float64]) -> float:
    """Return the seconds at the upper end of the scale; 1 for a map without heat."""
    warm = seconds[seconds > 0]
    return float(np.quantile(warm, _TOP_QUANTILE)) if len(warm) else 1.0


def _enlarged(values: NDArray[Any], length: int, cell_px: float) -> NDArray[Any]:
    """Interpolate the rows of values in cells, between the middles of the cells, to a length in px."""
    places = np.clip((np.arange(length) + 0.5) / cell_px - 0.5, 0, len(values) - 1)
    lower = places.astype(np.intp)
    upper = np.minimum(lower + 1, len(values) - 1)
    part = (places - lower).astype(np.float32)[:, None]
    enlarged: NDArray[Any] = (1 - part) * values[lower] + part * values[upper]
    return enlarged


def _ground(frame: NDArray[np.uint8] | None, width: int, height: int) -> NDArray[np.uint8]:
    import cv2

    if frame is None:
        return np.full((height, width, 3), _BACKGROUND, np.uint8)
    if frame.shape[:2] != (height, width):
        frame = np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.cvtColor((_DIMMED * grey).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def _draw_scale(image: NDArray[np.uint8], top_s: float, cell_px: float) -> None:
    """Draw the scale of colours in the lower left corner, if it has room there."""
    import cv2

    height, width = image.shape[:2]
    capitals = max(8, round(min(height, width) / 45))
    scale, weight = capitals / _CAPITALS_OF_SCALE, max(1, round(capitals / 12))

    def wide(text: str) -> int:
        return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)[0][0])

    unit = f"person-seconds in {cell_px:g}x{cell_px:g} px"
    length, left, top = wide(unit), capitals, height - 6 * capitals
    if length + 2 * capitals > width or top < 0:
        return
    image[top:, : length + 2 * capitals] = 0
    bar = cv2.applyColorMap(np.linspace(0, 255, length).astype(np.uint8)[None], cv2.COLORMAP_INFERNO)
    image[top + capitals // 2 : top + 3 * capitals // 2, left : left + length] = bar
    middle, end = _rounded(top_s * 0.5**_STRETCH), _rounded(top_s)
    labels = [("0", 0), (middle, (length - wide(middle)) // 2), (end, length - wide(end))]
    for text, x, line in [*((text, x, 3) for text, x in labels), (unit, 0, 5)]:
        origin = (left + x, top + round((line + 0.2) * capitals))
        cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), weight, cv2.LINE_AA)


def _rounded(seconds: float) -> str:
    """Return seconds with two digits at least."""
    digits = max(0, 1 - math.floor(math.log10(seconds)))
    return f"{seconds:.{min(digits, 6)}f}"
