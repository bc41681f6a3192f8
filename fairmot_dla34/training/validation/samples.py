"""Sample images of a validation: labels and predictions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...association.config import DEFAULT_CONF_THRES
from ...datasets.prepared.dataset import DatasetImage
from ...datasets.values import NO_IDENTITY, ImageLabels
from ...files import output_error, write_whole
from ...messages import counted
from ...outputs import draw_tracks
from ...values import Detections, Track
from .data import LabelledPositions, ValidationSequence, spread

FOLDER = "samples"
SAMPLES = 4
MIN_SCORE = DEFAULT_CONF_THRES  # of the detections that a sample shows
_PANEL_WIDTHS = 480, 960  # px, smallest and largest
_MAX_PANEL_HEIGHT = 2000  # px, for images that are much higher than wide
_CAPTION_PX, _GAP_PX = 32, 6
_WHITE, _DARK = (255, 255, 255), (40, 40, 40)


class SampleImages:
    """Draws a few images of the validation, the same each time, to ``samples/<name>_<k>.jpg``, k from 1.

    Args:
        sequences: Sequences to validate on.
        positions: Positions of the images with boxes; images without are drawn only if no image has boxes.
        output_dir: Folder of the run.
    """

    def __init__(self, sequences: Sequence[ValidationSequence], positions: LabelledPositions, output_dir: Path) -> None:
        self._folder = output_dir / FOLDER
        images = [
            sequence.sequence.images[position]
            for sequence, of_sequence in zip(sequences, positions.with_boxes, strict=True)
            for position in of_sequence
        ] or [image for sequence in sequences for image in sequence.sequence.images]
        images = list({image.path: image for image in images}.values())  # a dataset may be named twice
        chosen = [images[place] for place in spread(len(images), SAMPLES)]
        self._numbers = {image.path: number for number, image in enumerate(chosen, start=1)}

    def draw(
        self,
        name: str,
        sequence: ValidationSequence,
        image: DatasetImage,
        labels: ImageLabels,
        detections: Detections,
        tracks: tuple[Track, ...] | None,
    ) -> None:
        """Draw an image if it is one of the samples.

        Args:
            name: Name of the validation.
            sequence: Sequence of the image.
            image: Image.
            labels: Labels of the image.
            detections: Detections in the image; drawn from a score of `MIN_SCORE`.
            tracks: Tracks in the frame of a video, drawn instead; None for other images.

        Raises:
            DatasetError: The image cannot be read.
            OutputError: The file cannot be written.
        """
        number = self._numbers.get(image.path)
        if number is None:
            return
        pixels = sequence.dataset.read_image(image)
        predicted = _from_detections(detections) if tracks is None else tracks
        kind = (
            f"{counted(len(predicted), 'detection')}, score from {MIN_SCORE:g}"
            if tracks is None
            else counted(len(predicted), "track")
        )
        drawn = side_by_side(pixels, labels, predicted, f"{name}: {kind}")
        path = self._folder / f"{name}_{number}.jpg"
        try:
            write_whole(path, cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
        except OSError as error:
            raise output_error(path, error) from error


def side_by_side(
    image: NDArray[np.uint8], labels: ImageLabels, predicted: Sequence[Track], caption: str
) -> NDArray[np.uint8]:
    """Return the image twice: with its labels at the left and with the predictions at the right.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        labels: Labels; ignored areas are crossed out in white.
        predicted: Predictions, image px.
        caption: Text above the predictions.
    """
    height, width = image.shape[:2]
    scale = min(min(max(width, _PANEL_WIDTHS[0]), _PANEL_WIDTHS[1]) / width, _MAX_PANEL_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    panel = np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )
    truth = panel.copy()
    for left, top, right, bottom in _corners(labels.ignored * scale, size):
        for colour, line in ((_DARK, 4), (_WHITE, 2)):  # seen on any ground
            cv2.rectangle(truth, (left, top), (right, bottom), colour, line)
            cv2.line(truth, (left, top), (right, bottom), colour, line)
            cv2.line(truth, (left, bottom), (right, top), colour, line)
    named = labels.ids != NO_IDENTITY
    truth = draw_tracks(truth, _from_boxes(labels.boxes[~named] * scale, None), labels="none")
    truth = draw_tracks(truth, _from_boxes(labels.boxes[named] * scale, labels.ids[named]), labels="id")
    scaled = [Track(t.track_id, _scaled(t.box, scale), t.score, t.age_frames, t.class_id) for t in predicted]
    areas = f", {len(labels.ignored)} ignored" if len(labels.ignored) else ""
    panels = (
        _with_caption(truth, f"labels: {len(labels)}{areas}"),
        _with_caption(draw_tracks(panel, scaled), caption),
    )
    gap = np.full((panels[0].shape[0], _GAP_PX, 3), _WHITE, np.uint8)
    return np.concatenate([panels[0], gap, panels[1]], axis=1)


def _with_caption(panel: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    strip = np.full((_CAPTION_PX, panel.shape[1], 3), _DARK, np.uint8)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.6
    needed = cv2.getTextSize(text, font, scale, 1)[0][0] + 20
    scale *= min(1.0, panel.shape[1] / needed)
    cv2.putText(strip, text, (10, _CAPTION_PX - 10), font, scale, _WHITE, 1, cv2.LINE_AA)
    return np.concatenate([strip, panel])


def _from_detections(detections: Detections) -> tuple[Track, ...]:
    chosen = detections.scores >= MIN_SCORE
    scores = detections.scores[chosen].tolist()
    boxes = detections.boxes[chosen].tolist()
    return tuple(
        Track(number, (left, top, right, bottom), score, 0)
        for number, ((left, top, right, bottom), score) in enumerate(zip(boxes, scores, strict=True), start=1)
    )


def _from_boxes(boxes: NDArray[np.float32], ids: NDArray[np.int64] | None) -> list[Track]:
    numbers = range(1, len(boxes) + 1) if ids is None else (ids + 1).tolist()
    return [
        Track(number, (left, top, right, bottom), 1.0, 0)
        for number, (left, top, right, bottom) in zip(numbers, boxes.tolist(), strict=True)
    ]


def _scaled(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left * scale, top * scale, right * scale, bottom * scale


def _corners(boxes: NDArray[np.float32], size: tuple[int, int]) -> list[list[int]]:
    """Return corners in whole px, none farther outside the image than its size: OpenCV refuses larger numbers."""
    limit = np.array([*size, *size])
    corners: list[list[int]] = np.rint(np.clip(boxes, -limit, 2 * limit)).astype(int).tolist()
    return corners
