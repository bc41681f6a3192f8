"""Writer of "CVAT for video 1.1": one XML file with a track per person, its keyframes and where it is outside.

Source: "XML annotation format" in CVAT's manual. CVAT reads the keyframes alone and interpolates between them; other
readers, such as Datumaro, take every box. CVAT counts frames from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from .scene import Scene, TrackLine


def write_cvat(scene: Scene) -> Iterator[bytes]:
    """Yield the parts of the XML file."""
    yield _head(scene).encode()
    for track in scene.tracks():
        yield _track(track, scene.facts.frame_count).encode()
    yield b"</annotations>\n"


def _head(scene: Scene) -> str:
    facts = scene.facts
    labels = "".join(
        f"<label><name>{escape(name)}</name><type>rectangle</type><attributes></attributes></label>"
        for name in scene.labels
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta>\n<task>\n'
        f"<name>{escape(scene.name)}</name>\n<size>{facts.frame_count}</size>\n<mode>interpolation</mode>\n"
        f"<start_frame>0</start_frame>\n<stop_frame>{facts.frame_count - 1}</stop_frame>\n"
        f"<frame_filter></frame_filter>\n<labels>{labels}</labels>\n"
        f"<original_size><width>{facts.width}</width><height>{facts.height}</height></original_size>\n"
        f"<source>{escape(facts.file_name)}</source>\n</task>\n</meta>\n"
    )


def _track(track: TrackLine, frame_count: int) -> str:
    lines = [f'<track id="{track.track_id}" label={quoteattr(track.label)} source="auto">']
    for part in track.parts:
        for frame, box, keyframe in zip(
            part.frames.tolist(), part.boxes.tolist(), part.keyframes.tolist(), strict=True
        ):
            lines.append(_box(frame - 1, box, keyframe=keyframe, outside=False))
        last = int(part.frames[-1])
        if last < frame_count:  # frame number `last`, from 0, is the one after it
            lines.append(_box(last, part.boxes[-1].tolist(), keyframe=True, outside=True))
    return "\n".join([*lines, "</track>\n"])


def _box(frame: int, box: list[float], *, keyframe: bool, outside: bool) -> str:
    x1, y1, x2, y2 = box
    return (
        f'<box frame="{frame}" keyframe="{keyframe:d}" outside="{outside:d}" occluded="0" xtl="{x1:.2f}" ytl="{y1:.2f}"'
        f' xbr="{x2:.2f}" ybr="{y2:.2f}" z_order="0"></box>'
    )
