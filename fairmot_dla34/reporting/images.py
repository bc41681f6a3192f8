"""Images of the report as data URLs: the first frame, the heat map and one crop per person."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..console.progress import progress_bar
from ..video.opening import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .people import Person

_CROP_PX = (132, 264)  # largest width and height of a crop, twice the size on the page for sharp screens
_FRAME_PX = 1280  # largest side of the frame and of the heat map
_QUALITY, _CROP_QUALITY = 80, 78  # of JPEG
_MARGIN = 0.08  # of the box's size, on each side
_SMALLEST_PX = 2


@dataclass
class VideoImages:
    """Images taken from the video.

    Attributes:
        first: First frame, ``(H, W, 3)`` uint8 BGR; None without one.
        crops: Data URLs by id. Ids whose frame or whose box has no image are missing.
    """

    first: NDArray[np.uint8] | None = None
    crops: dict[int, str] = field(default_factory=dict)


def read_images(source: Path, people: Iterable[Person], *, progress: bool = True) -> VideoImages:
    """Decode the video up to the last frame that is needed.

    Args:
        source: Video, or folder of images.
        people: People of whom crops are made.
        progress: Show progress on stderr.

    Raises:
        SourceError: The video cannot be read.
    """
    wanted: dict[int, list[Person]] = {}
    for person in people:
        wanted.setdefault(person.frame, []).append(person)
    last, found = max(wanted, default=1), VideoImages()
    with (
        open_source(source) as frames,
        progress_bar(f"reading crops of {frames.name}", last, enabled=progress) as bar,
    ):
        for frame in frames:
            if found.first is None:
                found.first = frame.image.copy()
            for person in wanted.get(frame.index + 1, ()):
                crop = _crop(frame.image, person.box)
                if crop is not None:
                    found.crops[person.track_id] = jpeg_url(_fitted(crop, *_CROP_PX), _CROP_QUALITY)
            bar.update()
            if frame.index + 1 >= last:
                break
    return found


def frame_url(image: NDArray[np.uint8]) -> str:
    """Return an image as a data URL, reduced to at most 1280 px."""
    return jpeg_url(_fitted(image, _FRAME_PX, _FRAME_PX), _QUALITY)


def jpeg_url(image: NDArray[np.uint8], quality: int) -> str:
    """Return a ``(H, W, 3)`` uint8 BGR image as the data URL of a JPEG."""
    import cv2

    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"


def _crop(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.uint8] | None:
    """Return the part of an image in a box, with a margin; None if almost nothing of it is in the image."""
    x1, y1, x2, y2 = box
    margin_x, margin_y = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    height, width = image.shape[:2]
    left, right = np.clip([math.floor(x1 - margin_x), math.ceil(x2 + margin_x)], 0, width)
    top, bottom = np.clip([math.floor(y1 - margin_y), math.ceil(y2 + margin_y)], 0, height)
    return image[top:bottom, left:right] if min(right - left, bottom - top) >= _SMALLEST_PX else None


def _fitted(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return an image reduced to fit a size; a smaller one as it is."""
    import cv2

    share = min(width / image.shape[1], height / image.shape[0], 1.0)
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
