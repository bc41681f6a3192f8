"""JSON Lines: one object a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .writer import TextWriter

if TYPE_CHECKING:
    from ..values import FrameResult, Track


class JsonlWriter(TextWriter):
    """``{"frame", "time_s", "tracks": [{"id", "box", "score", "age_frames", "class_id"}]}``, also for empty frames.

    A track that was filled in, not seen, has ``"filled": true`` besides.
    """

    suffix = ".jsonl"

    def format(self, result: FrameResult) -> str:
        """One line, whatever the number of tracks."""
        tracks = [_track(track) for track in result.tracks]
        return json.dumps({"frame": result.index + 1, "time_s": round(result.time_s, 6), "tracks": tracks}) + "\n"


def _track(track: Track) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": track.track_id,
        "box": [round(float(value), 2) for value in track.box],
        "score": round(float(track.score), 4),
        "age_frames": track.age_frames,
        "class_id": track.class_id,
    }
    return fields | {"filled": True} if track.filled else fields
