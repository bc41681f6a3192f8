"""Writer of Label Studio's video timelines: a task with one region per track, as predictions.

Sources: the tags ``Video`` and ``VideoRectangle`` in Label Studio's documentation, ``VideoRectangleTag`` of its SDK.
Coordinates are shares of the image in per cent, frames count from 1. A keyframe that is not ``enabled`` is still shown;
the region is hidden after it, until the next keyframe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from .scene import Scene, TrackLine, TrackPart
from .tracked_video import TrackedVideo

_LOCAL = "/data/local-files/?d="  # Label Studio's URL of a file in its local storage


def write_label_studio(scene: Scene) -> Iterator[bytes]:
    """Yield the parts of the JSON file to import."""
    facts = scene.facts
    data = {"video": scene.video_url or _LOCAL + quote(facts.file_name), "fps": round(facts.frame_rate, 6)}
    regions = [_region(track, facts) for track in scene.tracks()]
    prediction = {"model_version": "fairmot_dla34", "result": regions}
    yield (json.dumps([{"data": data, "predictions": [prediction]}], ensure_ascii=False) + "\n").encode()


def labelling_config(labels: tuple[str, ...]) -> bytes:
    """Return the project's labelling configuration; the frame rate is a field of each task."""
    options = "\n".join(f"    <Label value={quoteattr(name)}/>" for name in labels)
    return (
        '<View>\n  <Labels name="label" toName="video">\n'
        f'{options}\n  </Labels>\n  <Video name="video" value="$video" frameRate="$fps"/>\n'
        '  <VideoRectangle name="box" toName="video"/>\n</View>\n'
    ).encode()


def _region(track: TrackLine, facts: TrackedVideo) -> dict[str, Any]:
    value = {
        "framesCount": facts.frame_count,
        "duration": round(facts.duration_s, 6),
        "sequence": [keyframe for part in track.parts for keyframe in _keyframes(part, facts)],
        "labels": [track.label],
    }
    return {
        "id": f"track-{track.track_id}",
        "from_name": "box",
        "to_name": "video",
        "type": "videorectangle",
        "origin": "prediction",
        "score": round(track.score, 4),
        "meta": {"text": [f"id {track.track_id}"]},
        "value": value,
    }


def _keyframes(part: TrackPart, facts: TrackedVideo) -> list[dict[str, Any]]:
    """Return the keyframes of a stretch without gaps; the last one hides the region after it."""
    rows = np.flatnonzero(part.keyframes)
    return [
        {
            "frame": int(part.frames[row]),
            "time": round(int(part.frames[row]) / facts.frame_rate, 6),
            "enabled": bool(row != rows[-1]),
            "rotation": 0,
            **_per_cent(part.boxes[row].tolist(), facts),
        }
        for row in rows
    ]


def _per_cent(box: list[float], facts: TrackedVideo) -> dict[str, float]:
    x1, y1, x2, y2 = box
    return {
        "x": round(100 * x1 / facts.width, 4),
        "y": round(100 * y1 / facts.height, 4),
        "width": round(100 * (x2 - x1) / facts.width, 4),
        "height": round(100 * (y2 - y1) / facts.height, 4),
    }
