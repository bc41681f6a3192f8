"""MOTChallenge text: the format of every benchmark's scorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .writer import TextWriter

if TYPE_CHECKING:
    from ..values import FrameResult


class MotWriter(TextWriter):
    """``frame,id,x1,y1,w,h,score,-1,-1,-1``; frame from 1, coordinates in image px."""

    suffix = ".txt"

    def format(self, result: FrameResult) -> str:
        """One line a track."""
        lines = []
        for track in result.tracks:
            x1, y1, x2, y2 = track.box
            lines.append(
                f"{result.index + 1},{track.track_id},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
                f"{track.score:.4f},-1,-1,-1\n"
            )
        return "".join(lines)
