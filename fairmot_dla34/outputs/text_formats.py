"""The four text formats: MOTChallenge, JSON Lines, CSV and KITTI tracking."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..values import TRACK_COLUMNS, FrameResult
from .text_sink import TextSink

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..values import Track

# KITTI's devkit_tracking/readme.txt: truncation and occlusion -1, angle -10, size -1, position -1000, rotation -10 if
# unknown
_KITTI_UNKNOWN_BEFORE_BOX, _KITTI_UNKNOWN_AFTER_BOX = "-1 -1 -10", "-1 -1 -1 -1000 -1000 -1000 -10"


_PEOPLE = ("person", "pedestrian", "people")


class MotSink(TextSink):
    """MOTChallenge text: ``frame,id,x1,y1,w,h,score,-1,-1,-1``; frame from 1, coordinates in image px.

    The first -1 is the class, from 0, if the network is known to have several, as in PaddleDetection's results.

    Args:
        path: File to write.
        class_names: Names of the network's classes; empty if they are not known.
    """

    def __init__(self, path: Path, class_names: Sequence[str] = ()) -> None:
        self._with_classes = len(class_names) > 1
        super().__init__(path)

    def format(self, result: FrameResult) -> str:
        """Return one line per track."""
        return mot_lines(result.index, result.tracks, with_classes=self._with_classes)


class JsonlSink(TextSink):
    """JSON Lines, one object per frame, also for frames without tracks.

    ``{"frame", "time_s", "tracks": [{"id", "box", "score", "age_frames", "class_id"}]}``; a track that was
    interpolated in a gap also has ``"filled": true``. Frame from 1, time in seconds, boxes xyxy in image px.
    """

    def format(self, result: FrameResult) -> str:
        """Return one line, whatever the number of tracks."""
        return json.dumps(rounded_result(result).to_dict()) + "\n"


class CsvSink(TextSink):
    """Comma-separated values with a header; frame from 1, time in seconds, corners in image px.

    ``filled`` is 1 if the track was interpolated in a gap, else 0.
    """

    header = ",".join(TRACK_COLUMNS) + "\n"

    def format(self, result: FrameResult) -> str:
        """Return one row per track; no value needs quotes."""
        return "".join(
            f"{result.index + 1},{result.time_s:.6f},{track.track_id},"
            f"{','.join(f'{value:.2f}' for value in track.box)},{track.score:.4f},{track.age_frames},{track.class_id},"
            f"{int(track.filled)}\n"
            for track in result.tracks
        )


class KittiSink(TextSink):
    """KITTI tracking text; frame from 0, corners in image px.

    ``frame id type truncated occluded alpha x1 y1 x2 y2 h w l x y z rotation_y score``; the type is ``Pedestrian`` for
    people and for the first class if the names are not known, else the class, such as ``Car`` or ``Class_1``.

    Args:
        path: File to write.
        class_names: Names of the network's classes; empty if they are not known.
    """

    def __init__(self, path: Path, class_names: Sequence[str] = ()) -> None:
        self._types = ["Pedestrian" if name in _PEOPLE else _kitti_type(name) for name in class_names or ("person",)]
        super().__init__(path)

    def format(self, result: FrameResult) -> str:
        """Return one line per track."""
        return "".join(
            f"{result.index} {track.track_id} {self._type(track.class_id)} {_KITTI_UNKNOWN_BEFORE_BOX} "
            f"{' '.join(f'{value:.2f}' for value in track.box)} {_KITTI_UNKNOWN_AFTER_BOX} {track.score:.4f}\n"
            for track in result.tracks
        )

    def _type(self, class_id: int) -> str:
        return self._types[class_id] if class_id < len(self._types) else f"Class_{class_id}"


def mot_lines(index: int, tracks: Iterable[Track], *, with_classes: bool = False) -> str:
    """Return the lines of `MotSink` for the tracks of the frame ``index``, which counts from 0."""
    lines = []
    for track in tracks:
        x1, y1, x2, y2 = track.box
        lines.append(
            f"{index + 1},{track.track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{track.score:.4f},"
            f"{track.class_id if with_classes else -1},-1,-1\n"
        )
    return "".join(lines)


def rounded_result(result: FrameResult) -> FrameResult:
    """Return a result with the decimals of the text formats."""
    return FrameResult(
        result.index,
        round(float(result.time_s), 6),
        tuple(replace(track, box=_rounded_box(track), score=round(float(track.score), 4)) for track in result.tracks),
    )


def _rounded_box(track: Track) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(value), 2) for value in track.box)
    return x1, y1, x2, y2


def _kitti_type(name: str) -> str:
    """Return a class's name as KITTI writes it: with a capital, without spaces, which separate the columns."""
    return name.capitalize().replace(" ", "_")
