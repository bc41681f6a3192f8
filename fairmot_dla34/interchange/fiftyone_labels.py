"""Writer of a FiftyOne video dataset: a folder that ``FiftyOneVideoLabelsDataset`` imports.

Sources: FiftyOne's guide to importing datasets and ETA's ``VideoLabels``. Coordinates are shares of the image, frames
count from 1, and the track id is ``index``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import numpy as np

from .scene import Scene


def write_fiftyone(scene: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield the files as relative path and content; the video itself is linked at `video_place`."""
    labels = f"labels/{PurePath(scene.facts.file_name).stem}.json"
    manifest = {
        "type": "eta.core.datasets.LabeledVideoDataset",
        "description": f"tracks by fairmot_dla34 in {scene.facts.file_name}",
        "index": [{"data": video_place(scene), "labels": labels}],
    }
    yield "manifest.json", (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    frames = {str(frame): fields for frame, fields in _frames(scene)}
    yield labels, (json.dumps({"frames": frames}, ensure_ascii=False) + "\n").encode()


def video_place(scene: Scene) -> str:
    """Return the relative path of the video in the dataset."""
    return f"data/{scene.facts.file_name}"


def _frames(scene: Scene) -> Iterator[tuple[int, dict[str, Any]]]:
    results = scene.results
    facts = scene.facts
    boxes = scene.boxes / [facts.width, facts.height, facts.width, facts.height]
    rows = np.flatnonzero(scene.kept)
    frames, starts = np.unique(results.frames[rows], return_index=True)
    for frame, start, end in zip(frames.tolist(), starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=False):
        objects = [_object(scene, int(row), boxes[row].tolist()) for row in rows[start:end]]
        yield frame, {"frame_number": frame, "objects": {"objects": objects}}


def _object(scene: Scene, row: int, box: list[float]) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(value, 6) for value in box)
    return {
        "type": "eta.core.objects.DetectedObject",
        "label": scene.label(row),
        "bounding_box": {"top_left": {"x": x1, "y": y1}, "bottom_right": {"x": x2, "y": y2}},
        "confidence": round(float(scene.results.scores[row]), 4),
        "index": int(scene.results.ids[row]),
        "frame_number": int(scene.results.frames[row]),
    }
