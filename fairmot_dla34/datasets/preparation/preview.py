"""Preview of a prepared dataset: images with their boxes and identities, and hatched ignored areas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...files import output_error, write_whole
from ...outputs.drawing import draw_tracks
from ...values import Track
from ..prepared.dataset import Dataset, DatasetImage
from ..prepared.manifest import PARTS
from ..values import NO_IDENTITY, ImageLabels

MAX_PREVIEWS = 1000
_WITHOUT_ID = (255, 255, 255)  # BGR
_HATCHING = (200, 200, 200)
_SPACING = 40  # hatching lines in the shorter side of an image
_JPEG_QUALITY = 90


def write_previews(dataset: Dataset, folder: Path, count: int) -> tuple[Path, ...]:
    """Draw the labels of some images, spread evenly over both parts.

    Args:
        dataset: The dataset.
        folder: Folder for the files.
        count: Number of images, at most.

    Returns:
        The files.

    Raises:
        OutputError: A file cannot be written.
        DatasetError: An image or its labels cannot be read.
    """
    chosen = _chosen(dataset, count)
    paths = []
    for number, (part, image) in enumerate(chosen, 1):
        path = folder / f"{number:0{len(str(len(chosen)))}d}_{part}_{image.sequence}_{image.path.stem}"[:200]
        path = path.with_name(f"{path.name}.jpg")
        _write(path, draw_labels(dataset.read_image(image), dataset.labels(image)))
        paths.append(path)
    return tuple(paths)


def draw_labels(image: NDArray[np.uint8], labels: ImageLabels) -> NDArray[np.uint8]:
    """Draw boxes with ids in colours, boxes without id in white, and ignored areas hatched in grey.

    Args:
        image: ``(H, W, 3)`` uint8 BGR; not changed.
        labels: Its labels, image px.

    Returns:
        A new ``(H, W, 3)`` uint8 BGR image.
    """
    import cv2

    canvas = image.copy()
    thickness = max(1, round(min(canvas.shape[:2]) / 400))
    for area in labels.ignored:
        _hatch(canvas, area, max(1, thickness // 2))
    for box in labels.boxes[labels.ids == NO_IDENTITY]:
        left, top, right, bottom = _whole_px(box)
        cv2.rectangle(canvas, (left, top), (right, bottom), (0, 0, 0), thickness + 2)  # visible on bright ground too
        cv2.rectangle(canvas, (left, top), (right, bottom), _WITHOUT_ID, thickness)
    with_id = np.flatnonzero(labels.ids != NO_IDENTITY)
    tracks = [Track(int(labels.ids[index]), _as_box(labels.boxes[index]), 1.0, 0) for index in with_id]
    return draw_tracks(canvas, tracks, labels="id", in_place=True)


def _chosen(dataset: Dataset, count: int) -> list[tuple[str, DatasetImage]]:
    """Return images spread evenly over the dataset; the same ones at each call."""
    images = [(part, image) for part in PARTS for image in dataset.images(part)]
    places = np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int))
    return [images[place] for place in places.tolist()]


def _hatch(canvas: NDArray[np.uint8], area: NDArray[np.float32], thickness: int) -> None:
    """Draw an area's edge and diagonal lines in it."""
    import cv2

    height, width = canvas.shape[:2]
    left, top, right, bottom = _whole_px(area)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return
    inside = canvas[top:bottom, left:right]
    spacing = max(4, min(height, width) // _SPACING)
    for start in range(-(bottom - top), right - left, spacing):
        cv2.line(inside, (start, bottom - top), (start + bottom - top, 0), _HATCHING, thickness)
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), _HATCHING, thickness)


def _whole_px(box: NDArray[np.float32]) -> tuple[int, int, int, int]:
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    return left, top, right, bottom


def _as_box(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    import cv2

    try:
        write_whole(path, cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
    except OSError as error:
        raise output_error(path, error) from error
