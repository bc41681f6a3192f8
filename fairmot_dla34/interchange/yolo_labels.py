"""Writer of YOLO labels with track ids: a text file per frame, as ultralytics' tracking mode writes with ``save_txt``.

Each line is ``class cx cy w h id``, in shares of the image. The file of frame 7 of ``street.mp4`` is
``labels/street_7.txt``. Images of a folder give labels of their own name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from ..errors import InvalidInputError
from .scene import Scene


def write_yolo(scene: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield the files as relative path and content: ``data.yaml``, then the labels of each tracked frame."""
    names = "".join(f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(scene.labels))
    yield "data.yaml", f"path: .\ntrain: images\nval: images\nnames:\n{names}".encode()
    stems = [PurePath(image).stem for image in scene.facts.images]
    if len(set(stems)) < len(stems):
        twice = next(stem for position, stem in enumerate(stems) if stem in stems[:position])
        raise InvalidInputError(
            f"source is {str(scene.facts.path)!r}, which has several images named {twice}; expected different names"
            " without their suffixes, because each has one file of labels."
        )
    results, boxes, kept = scene.results, scene.boxes, scene.kept
    starts = np.searchsorted(results.frames, results.tracked_frames)
    ends = np.searchsorted(results.frames, results.tracked_frames, side="right")
    for frame, start, end in zip(results.tracked_frames.tolist(), starts.tolist(), ends.tolist(), strict=True):
        lines = "".join(_line(scene, row, boxes[row].tolist()) for row in range(start, end) if kept[row])
        yield f"labels/{_stem(scene, frame)}.txt", lines.encode()


def _stem(scene: Scene, frame: int) -> str:
    images = scene.facts.images
    return PurePath(images[frame - 1]).stem if images else f"{PurePath(scene.facts.file_name).stem}_{frame}"


def _line(scene: Scene, row: int, box: list[float]) -> str:
    facts = scene.facts
    x1, y1, x2, y2 = box
    values = (
        (x1 + x2) / 2 / facts.width,
        (y1 + y2) / 2 / facts.height,
        (x2 - x1) / facts.width,
        (y2 - y1) / facts.height,
    )
    numbers = " ".join(f"{value:.6f}" for value in values)
    return f"{scene.results.class_ids[row]} {numbers} {scene.results.ids[row]}\n"
