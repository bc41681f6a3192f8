"""Draws the ids and scores of tracks beside their boxes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .colours import text_colour_on
from .label_places import LabelPlaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..values import Track
    from .colours import Colour

_BOXES_PER_CAPITAL = 18  # a box is as high as 18 capitals of its label
_IMAGES_PER_CAPITAL = 90  # smallest capitals: 12 px at 1920x1080
_LEAST_CAPITALS_PX = 9  # legible at any resolution
_LARGEST_CAPITALS = 2.0  # in smallest capitals
_TINY_CAPITALS = 0.75  # of the id, if the label has no room; in smallest capitals
_SMALL_BOX = 16.0  # height in smallest capitals below which `auto` leaves the score out
_CAPITALS_OF_SCALE = 21.0  # px; the same in OpenCV 4 (Hershey fonts) and 5 (a TrueType font)


class _Text(NamedTuple):
    """A text and its size: capitals, and the whole label with its padding, in px."""

    text: str
    capitals: int
    size: tuple[int, int]


def draw_labels(
    canvas: NDArray[np.uint8],
    tracks: Sequence[Track],
    boxes: NDArray[np.float64],
    colours: Sequence[Colour],
    labels: str,
    class_names: Sequence[str] = (),
) -> None:
    """Write a label beside each box where it covers neither a head nor another label.

    A label without such a place is replaced by its id in small digits, and left out if they have no place either.

    Args:
        canvas: Image to draw on.
        tracks: Tracks to label, the most important first: places are given in this order.
        boxes: Their boxes, finite, xyxy in image px, ``(N, 4)``.
        colours: Their colours.
        labels: ``auto``, ``id`` or ``score``.
        class_names: Names of the classes; written before the ids if there are several.
    """
    places = LabelPlaces(canvas.shape[0], canvas.shape[1], boxes)
    smallest = max(_LEAST_CAPITALS_PX, round(min(canvas.shape[:2]) / _IMAGES_PER_CAPITAL))
    heights = boxes[:, 3] - boxes[:, 1]
    capitals = np.clip(heights / _BOXES_PER_CAPITAL, smallest, _LARGEST_CAPITALS * smallest).astype(int).tolist()
    with_score = ((heights >= _SMALL_BOX * smallest) & (labels == "auto")) | (labels == "score")
    texts = [
        _measured(_text(track, class_names, with_score=score), px)
        for track, score, px in zip(tracks, with_score.tolist(), capitals, strict=True)
    ]
    left_over = _draw_where_free(canvas, places, boxes, colours, texts, range(len(tracks)))
    tiny = max(_LEAST_CAPITALS_PX, round(_TINY_CAPITALS * smallest))
    if left_over:
        ids = [_measured(str(tracks[index].track_id), tiny) for index in left_over]
        _draw_where_free(canvas, places, boxes[left_over], [colours[index] for index in left_over], ids, left_over)


def _text(track: Track, class_names: Sequence[str], *, with_score: bool) -> str:
    named = len(class_names) > 1 and track.class_id < len(class_names)
    words = [class_names[track.class_id]] if named else []
    return " ".join([*words, str(track.track_id), *([f"{track.score:.2f}"] if with_score else [])])


def _draw_where_free(
    canvas: NDArray[np.uint8],
    places: LabelPlaces,
    boxes: NDArray[np.float64],
    colours: Sequence[Colour],
    texts: Sequence[_Text],
    names: Sequence[int],
) -> list[int]:
    """Draw the texts that have a free place; return the ``names`` of those that have none."""
    without = []
    sizes = np.array([text.size for text in texts], np.int64).reshape(-1, 2)
    for name, text, colour, candidates in zip(names, texts, colours, places.candidates(boxes, sizes), strict=True):
        place = places.take_first_free(candidates, text.size)
        if place is None:
            without.append(name)
        else:
            _write(canvas, text, place, colour)
    return without


def _write(canvas: NDArray[np.uint8], text: _Text, place: tuple[int, int], colour: Colour) -> None:
    """Write a text on a ground of the track's colour."""
    import cv2

    (left, top), (width, height) = place, text.size
    canvas[top : top + height, left : left + width] = colour
    pad = _padding(text.capitals)
    scale, weight = _font(text.capitals)
    origin = left + pad, top + height - pad
    cv2.putText(canvas, text.text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, text_colour_on(colour), weight, cv2.LINE_AA)


@functools.lru_cache(maxsize=4096)
def _measured(text: str, capitals: int) -> _Text:
    import cv2

    scale, weight = _font(capitals)
    width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)[0][0]
    pad = _padding(capitals)
    return _Text(text, capitals, (width + 2 * pad, capitals + 2 * pad))


def _font(capitals: int) -> tuple[float, int]:
    """Return OpenCV's scale and line width for capitals of a height in px."""
    return capitals / _CAPITALS_OF_SCALE, max(1, round(capitals / 12))


def _padding(capitals: int) -> int:
    """Return the px between a text and the edge of its label."""
    return max(2, round(capitals / 4))
