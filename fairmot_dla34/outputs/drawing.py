"""Draws tracks on an image: boxes, labels, and a trail of the last second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..values import check_image
from .drawing_options import check_labels, check_line_width
from .labels import draw_labels
from .track_colours import FARTHEST_PX, TrackColours
from .trails import Trails, draw_trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..values import Track
    from .colours import Colour

_BOX_LINES = 50  # a box is as high as 50 widths of its line


def draw_tracks(  # noqa: PLR0913 (keywords)
    image: NDArray[np.uint8],
    tracks: Iterable[Track],
    *,
    trails: Trails | None = None,
    draw_threshold: float = 0.0,
    in_place: bool = False,
    labels: str = "auto",
    line_width: int | None = None,
    colours: TrackColours | None = None,
    class_names: Sequence[str] = (),
) -> NDArray[np.uint8]:
    """Draw the box, label and trail of each track. No label covers a head, that is the upper quarter of a box.

    Args:
        image: ``(H, W, 3)`` uint8 BGR; not changed unless ``in_place``.
        tracks: Boxes in image px, also outside the image; one with a number that is not finite is left out.
        trails: Points to join to a line for each track drawn.
        draw_threshold: Tracks with a lower score are not drawn.
        in_place: Whether to draw on ``image`` itself, if it is writable.
        labels: ``auto`` (id and score, only the id of a small person), ``id``, ``score`` (id and score) or ``none``.
        line_width: Width of the boxes' lines in px, from 1 to 100, or None for a width that fits the box.
        colours: Colours of the tracks drawn so far, so that a track keeps its colour in all frames of a video; None
            chooses colours for this image alone.
        class_names: Names of the classes, by `Track.class_id`; written before the ids if there are several.

    Returns:
        A ``(H, W, 3)`` uint8 BGR image: a new one, or ``image``.

    Raises:
        InvalidInputError: ``image`` is not such an array, or ``labels`` or ``line_width`` is not one of these values.
    """
    check_image(image)
    check_labels(labels)
    check_line_width(line_width)
    canvas = image if in_place and _can_draw_on(image) else np.array(image, np.uint8, order="C")
    visible = [t for t in tracks if t.score >= draw_threshold and all(map(math.isfinite, t.box))]
    visible.sort(key=lambda track: track.box[3])  # nearer people are drawn over those behind them
    if visible:
        chosen = (colours or TrackColours()).choose(visible)
        boxes = np.clip(np.array([track.box for track in visible], np.float64), -FARTHEST_PX, FARTHEST_PX)
        lines = _line_widths(boxes, canvas, line_width)
        if trails is not None:
            for track, colour, line in zip(visible, chosen, lines, strict=True):
                draw_trail(canvas, trails.points_of(track.track_id), colour, max(1, line // 2))
        _draw_boxes(canvas, boxes, chosen, lines)
        if labels != "none":  # after all boxes, so that none crosses a number; near people first, who are larger
            draw_labels(canvas, visible[::-1], boxes[::-1], chosen[::-1], labels, class_names)
    return canvas


def _can_draw_on(image: NDArray[np.uint8]) -> bool:
    """Return whether OpenCV can draw on the array: writable, rows in order, pixels side by side."""
    return image.flags.writeable and image.strides[1:] == (3, 1) and image.strides[0] >= 3 * image.shape[1]


def _line_widths(boxes: NDArray[np.float64], canvas: NDArray[np.uint8], line_width: int | None) -> list[int]:
    """Return the width of each box's lines in px: thin lines for small people, who would vanish behind thick ones."""
    if line_width is not None:
        return [line_width] * len(boxes)
    side = min(canvas.shape[:2])
    least, most = max(1, round(side / 540)), max(1, round(side / 240))  # 1 and 2 at 640x480, 2 and 4 at 1920x1080
    widths: list[int] = np.clip(np.rint((boxes[:, 3] - boxes[:, 1]) / _BOX_LINES), least, most).astype(int).tolist()
    return widths


def _draw_boxes(
    canvas: NDArray[np.uint8], boxes: NDArray[np.float64], colours: Sequence[Colour], lines: Sequence[int]
) -> None:
    """Draw boxes; corners more than an image size outside are moved: OpenCV refuses larger numbers."""
    import cv2

    height, width = canvas.shape[:2]
    size = np.array([width, height, width, height])
    corners = np.rint(np.clip(boxes, -size, 2 * size)).astype(int).tolist()
    for (x1, y1, x2, y2), colour, line in zip(corners, colours, lines, strict=True):
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, line)  # upright lines need no smoothing, which is slow
