"""Comma-separated values with a header and the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .writer import TextWriter

if TYPE_CHECKING:
    from ..values import FrameResult


class CsvWriter(TextWriter):
    """One row a track; frame from 1 as in the MOT file, time in seconds, corners in image px."""

    suffix = ".csv"
    header = "frame,time_s,id,x1,y1,x2,y2,score,age_frames,class_id\n"

    def format(self, result: FrameResult) -> str:
        """One row a track; no value needs quotes."""
        return "".join(
            f"{result.index + 1},{result.time_s:.6f},{track.track_id},"
            f"{','.join(f'{value:.2f}' for value in track.box)},{track.score:.4f},{track.age_frames},{track.class_id}\n"
            for track in result.tracks
        )
