"""Writer of COCO's format for videos, with the fields of TAO and CocoVID: videos, images, tracks, annotations.

Sources: the TAO dataset's annotation format (``video_id``, ``track_id``, ``frame_index``, ``tracks``) and MMTracking's
CocoVID (``frame_id``). Boxes are left, top, width and height in px; frames count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from .scene import Scene

_VIDEO_ID = 1


def write_coco_video(scene: Scene) -> Iterator[bytes]:
    """Yield the parts of the JSON file."""
    facts = scene.facts
    video = {
        "id": _VIDEO_ID,
        "name": scene.name,
        "width": facts.width,
        "height": facts.height,
        "fps": round(facts.frame_rate, 6),
        "file_name": facts.file_name,
    }
    yield b'{"info": {"description": "tracks by fairmot_dla34"}, "licenses": [],\n'
    yield from _list("videos", iter([video]))
    yield from _list("categories", ({"id": number, "name": name} for number, name in enumerate(scene.labels, 1)))
    yield from _list("images", _images(scene))
    yield from _list("tracks", _tracks(scene))
    yield from _list("annotations", _annotations(scene), last=True)
    yield b"}\n"


def _list(name: str, items: Iterator[dict[str, Any]], *, last: bool = False) -> Iterator[bytes]:
    separator = ""
    yield f'"{name}": ['.encode()
    for item in items:
        yield f"{separator}\n{json.dumps(item, ensure_ascii=False)}".encode()
        separator = ","
    yield b"]\n" if last else b"],\n"


def _images(scene: Scene) -> Iterator[dict[str, Any]]:
    facts = scene.facts
    for frame in scene.results.tracked_frames.tolist():
        yield {
            "id": frame,
            "video_id": _VIDEO_ID,
            "frame_id": frame - 1,
            "frame_index": frame - 1,
            "file_name": facts.images[frame - 1] if facts.images else f"{scene.name}/{frame:06d}.jpg",
            "width": facts.width,
            "height": facts.height,
        }


def _tracks(scene: Scene) -> Iterator[dict[str, Any]]:
    ids, first = np.unique(scene.results.ids, return_index=True)
    for track_id, row in zip(ids.tolist(), first.tolist(), strict=True):
        yield {"id": track_id, "video_id": _VIDEO_ID, "category_id": int(scene.results.class_ids[row]) + 1}


def _annotations(scene: Scene) -> Iterator[dict[str, Any]]:
    results = scene.results
    for row, (frame, track_id, box, class_id, score) in enumerate(
        zip(
            results.frames.tolist(),
            results.ids.tolist(),
            results.boxes.tolist(),
            results.class_ids.tolist(),
            results.scores.tolist(),
            strict=True,
        ),
        1,
    ):
        x1, y1, x2, y2 = box
        width, height = round(x2 - x1, 2), round(y2 - y1, 2)
        yield {
            "id": row,
            "image_id": frame,
            "video_id": _VIDEO_ID,
            "track_id": track_id,
            "category_id": class_id + 1,
            "bbox": [round(x1, 2), round(y1, 2), width, height],
            "area": round(width * height, 2),
            "iscrowd": 0,
            "score": round(score, 4),
            "attributes": {"track_id": track_id},  # the place where Datumaro and CVAT read it
        }
