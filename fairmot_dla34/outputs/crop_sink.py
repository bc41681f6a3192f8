"""Writes crops of each person: one folder per id, an image every second, and the one of the best score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..config import is_number, shown
from ..errors import InvalidInputError, StateError
from .crop_folder import BEST, INDEX, clear_crop_folder, write_jpeg
from .sink import VIDEO_FOLDER, SinkKind
from .text_sink import TextSink

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..values import Frame, FrameResult, Track
    from .anonymisation import Anonymisation

DEFAULT_INTERVAL_S = 1.0
MAX_CROPS = 100  # per id, besides the best one
_MAX_INTERVAL_S = 86_400
_MARGIN = 0.05  # of the box's size, on each side
_BEST_AFTER_S = 1.0  # the best crop is written at most this often, and when the person leaves
_MAX_PEOPLE = 10_000  # ids whose number of crops is known


def check_crop_interval(value: object) -> float | None:
    """Return ``value`` as the seconds between two crops of a person, or None.

    Raises:
        InvalidInputError: It is neither None nor a number from 0 to 86400.
    """
    if value is None:
        return None
    if not is_number(value) or not 0 <= float(value) <= _MAX_INTERVAL_S:
        raise InvalidInputError(
            f"crop_interval_s is {shown(value)}; expected seconds between two crops of a person, from 0 (every frame)"
            f" to {_MAX_INTERVAL_S}."
        )
    return float(value)


def crops_kind(interval_s: float, anonymisation: Anonymisation | None = None) -> SinkKind:
    """Return the kind of output that writes crops.

    Args:
        interval_s: Seconds between two crops of a person.
        anonymisation: People who are made unrecognisable, of whom no crops are written.
    """
    return SinkKind(
        name="crops",
        folder=VIDEO_FOLDER,
        suffix=f"_crops/{INDEX}",
        needs_images=True,
        open=lambda path, _: CropSink(path, interval_s, anonymisation),
    )


@dataclass
class _Person:
    """State of one id: its crops so far, and the best one if it is not written yet."""

    next_s: float
    best_due_s: float
    seen_s: float
    count: int = 0
    best_score: float = -1.0
    best: NDArray[np.uint8] | None = None


class CropSink(TextSink):
    """Writes ``<id>/<frame>.jpg`` beside an index, ``crops.csv``, with a line for each.

    A person gets a crop when they appear, then one in each interval in which they are detected, at most 100.
    ``<id>/best.jpg`` is the crop of the highest score. Memory: one crop for each person in view.

    Attributes:
        path: The index.
    """

    header = "frame,time_s,id,score,x1,y1,x2,y2,file\n"

    def __init__(
        self, path: Path, interval_s: float = DEFAULT_INTERVAL_S, anonymisation: Anonymisation | None = None
    ) -> None:
        """Create or empty the index, and remove the crops of an earlier run.

        Args:
            path: The index; crops go to folders beside it.
            interval_s: Seconds between two crops of a person.
            anonymisation: People of whom no crops are written.

        Raises:
            OutputError: A file cannot be written or removed.
        """
        super().__init__(path)
        self._interval_s, self._anonymisation = interval_s, anonymisation
        self._people: dict[int, _Person] = {}
        try:
            clear_crop_folder(path.parent)
        except BaseException:
            self._file.close()
            raise

    def format(self, result: FrameResult) -> str:
        """Return no line: lines are made with the crops."""
        del result
        return ""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write the crops that are due in a frame.

        Raises:
            OutputError: A file cannot be written.
            StateError: The sink is closed.
        """
        if self._file.closed:
            raise StateError(f"{self.path} is closed; write every result before close().")
        lines = []
        for track in result.tracks:
            if track.filled or (self._anonymisation is not None and self._anonymisation.covers(track.track_id)):
                continue
            crop = _crop(frame.image, track)
            if crop is not None and self._is_due(track, frame.time_s, crop):
                name = f"{track.track_id}/{frame.index + 1:06d}.jpg"
                write_jpeg(self.path.parent / name, crop)
                numbers = ",".join(f"{value:.2f}" for value in track.box)
                lines.append(
                    f"{frame.index + 1},{frame.time_s:.3f},{track.track_id},{track.score:.4f},{numbers},{name}\n"
                )
        if lines:
            self._append("".join(lines))
        self._write_best(frame.time_s)

    def close(self) -> None:
        """Write the best crops that are not written yet, and close the index; safe to call twice.

        Raises:
            OutputError: A file cannot be written, or the index was deleted, moved, replaced or changed.
        """
        if self._file.closed:
            return
        try:
            self._write_best(math.inf)
        finally:
            super().close()

    def _is_due(self, track: Track, time_s: float, crop: NDArray[np.uint8]) -> bool:
        """Keep the crop if it is the best one; return whether it is also due by its time."""
        person = self._people.pop(track.track_id, None) or _Person(time_s, time_s + _BEST_AFTER_S, time_s)
        self._people[track.track_id] = person  # at the end: the ids seen last are kept
        person.seen_s = time_s
        if track.score > person.best_score:
            person.best_score, person.best = track.score, crop.copy()
        if time_s < person.next_s or person.count >= MAX_CROPS:
            return False
        person.count += 1
        person.next_s += self._interval_s
        if person.next_s <= time_s:  # the person was away
            person.next_s = time_s + self._interval_s
        return True

    def _write_best(self, time_s: float) -> None:
        """Write best crops: of people in view once a second, of the others at once."""
        for track_id, person in self._people.items():
            if person.best is not None and (time_s >= person.best_due_s or person.seen_s < time_s):
                write_jpeg(self.path.parent / str(track_id) / BEST, person.best)
                person.best, person.best_due_s = None, time_s + _BEST_AFTER_S
        while len(self._people) > _MAX_PEOPLE:
            del self._people[next(iter(self._people))]


def _crop(image: NDArray[np.uint8], track: Track) -> NDArray[np.uint8] | None:
    """Return the part of an image in a track's box, with a margin; None if nothing of it is in the image."""
    if not all(map(math.isfinite, track.box)):
        return None
    x1, y1, x2, y2 = track.box
    margin_x, margin_y = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    height, width = image.shape[:2]
    left, right = np.clip([math.floor(x1 - margin_x), math.ceil(x2 + margin_x)], 0, width)
    top, bottom = np.clip([math.floor(y1 - margin_y), math.ceil(y2 + margin_y)], 0, height)
    return image[top:bottom, left:right] if left < right and top < bottom else None
