"""Writer of CVAT's "MOT 1.1": a zip archive in which columns 7 to 9 are *not ignored*, class and visibility.

Source: "MOT" in CVAT's manual of formats. In the results of `track`, column 7 is the score: a tool that reads it as a
flag would drop every person with a score below 1.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from .scene import Scene

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that zip can state, so that equal tracks give equal files


def write_mot_archive(scene: Scene) -> Iterator[bytes]:
    """Yield the archive."""
    results = scene.results
    shift = 1 if len(results) and results.ids.min() == 0 else 0  # readers take id 0 as unknown
    rows = "".join(
        f"{frame},{track_id + shift},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,{class_id + 1},1\n"
        for frame, track_id, (x1, y1, x2, y2), class_id in zip(
            results.frames.tolist(),
            results.ids.tolist(),
            results.boxes.tolist(),
            results.class_ids.tolist(),
            strict=True,
        )
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("gt/gt.txt", rows), ("gt/labels.txt", "".join(f"{name}\n" for name in scene.labels))):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    yield buffer.getvalue()
