"""KITTI tracking text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .writer import TextWriter

if TYPE_CHECKING:
    from ..values import FrameResult

# devkit_tracking/readme.txt: truncation and occlusion -1, angle -10, size -1, place -1000, turn -10 where not known
_NOT_KNOWN_BEFORE, _NOT_KNOWN_AFTER = "-1 -1 -10", "-1 -1 -1 -1000 -1000 -1000 -10"


class KittiWriter(TextWriter):
    """``frame id Pedestrian truncated occluded alpha x1 y1 x2 y2 h w l x y z rotation_y score``; frame from 0."""

    suffix = ".kitti.txt"

    def format(self, result: FrameResult) -> str:
        """One line a track."""
        return "".join(
            f"{result.index} {track.track_id} Pedestrian {_NOT_KNOWN_BEFORE} "
            f"{' '.join(f'{value:.2f}' for value in track.box)} {_NOT_KNOWN_AFTER} {track.score:.4f}\n"
            for track in result.tracks
        )
