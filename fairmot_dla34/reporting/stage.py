"""The video with its time line, and the heat map, both with the lines and zones drawn over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..analytics.heat_image import heat_image, scale_top
from .charts import people_line
from .images import frame_url
from .markup import card, number, tag, text
from .texts import Texts, clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .facts import Facts
    from .playback import Playback

_COLOURS = 8  # stops of the heat map's scale
_NAME_CHARS = 20


def replay(t: Texts, facts: Facts, playback: Playback, poster: str, why: str) -> str:
    """Return the video, or the first frame, with boxes, controls and the time line.

    Args:
        t: Texts.
        facts: Outcome of the analysis.
        playback: The video.
        poster: Data URL of the first frame; "" without one.
        why: Reason for a page without a video; "" with one.
    """
    width, height = facts.size
    media = tag("img", src=poster, alt="") if poster else ""
    if playback.url:
        media += tag(
            "video",
            src=playback.url,
            id="video",
            muted=True,
            playsinline=True,
            controls=True,
            preload="auto",
            aria_label=t["video"],
        )
    layers = _places(facts) + tag("g", cls="boxes")
    media += tag("svg", layers, id="boxes", viewBox=f"0 0 {width} {height}", aria_hidden="true")
    stage = tag("div", media, cls="stage", id="stage")
    controls = tag("button", text(t["play"]), type="button", id="play", cls="play")
    controls += tag("output", id="clock")
    box = tag("input", type="checkbox", id="show-boxes", checked=True)
    controls += tag("label", box + text(t["show_boxes"]))
    slider = tag(
        "input",
        type="range",
        id="position",
        min=0,
        max=f"{facts.length_s:.3f}",
        step="0.04",
        value=0,
        autocomplete="off",
        aria_label=t["position"],
    )
    line = people_line(facts.times_s, facts.people, facts.length_s, facts.marks_s, label=t["time_line"])
    axis = "".join(
        tag("span", text(clock(facts.length_s * share / 4, tenths=facts.length_s < 30))) for share in range(5)
    )
    caption = t["people_over_time"].format(count=facts.summary.largest)
    content = stage + tag("div", controls, cls="controls") + slider
    content += tag("div", line, id="line") + tag("div", axis, cls="line-axis") + tag("p", text(caption), cls="note")
    missing = why or t["video_missing"].format(name=playback.name)
    content += tag("p", text(missing), id="missing", cls="warning", hidden=not why)
    content += tag("p", role="status", id="status", cls="status")
    return card("replay", t["replay" if playback.url else "replay_only"], content)


def heat_section(t: Texts, facts: Facts, first: NDArray[np.uint8] | None) -> str:
    """Return the heat map over the first frame, with the scale of its colours."""
    heat = facts.heat
    width, height = heat.size
    url = frame_url(heat_image(heat, first, with_scale=False))
    alt = t["heat_alt"] if first is not None else t["heat_alt_plain"]
    image = tag("img", src=url, alt=alt)
    image += tag("svg", _places(facts), viewBox=f"0 0 {width} {height}", aria_hidden="true")
    cell = number(heat.cell_px)
    scale = tag("span", "0") + _scale() + tag("span", text(f"{scale_top(heat.seconds):.2g}"))
    scale += tag("span", text(t["heat_scale"].format(cell=cell)))
    caption = t["heat_caption"].format(of=t[heat.of], total=f"{heat.total_s:.1f}")
    content = tag("div", image, cls="stage") + tag("div", scale, cls="scale") + tag("p", text(caption), cls="note")
    return card("heat", t["heat"], content)


def _scale() -> str:
    """Return the colours of the heat map from cold to hot."""
    levels = np.linspace(0, 255, _COLOURS).round().astype(np.uint8)[None]
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[0, :, ::-1].tolist()
    stops = "".join(
        tag("stop", offset=place / (_COLOURS - 1), stop_color=f"#{red:02x}{green:02x}{blue:02x}")
        for place, (red, green, blue) in enumerate(colours)
    )
    gradient = tag("linearGradient", stops, id="heat-colours")
    shape = tag("rect", width=100, height=10, fill="url(#heat-colours)")
    return tag("svg", gradient + shape, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def _places(facts: Facts) -> str:
    """Return the lines and zones with their names, in image px."""
    size = max(facts.size[1] / 30, facts.size[0] / 50)
    shapes = ""
    for zone in facts.config.zones:
        points = " ".join(f"{x:g},{y:g}" for x, y in zone.points)
        shapes += tag("polygon", points=points, cls="halo") + tag("polygon", points=points, cls="shape")
        shapes += _name(zone.name, zone.points[0], size, facts)
    for line in facts.config.lines:
        ends = {"x1": line.start[0], "y1": line.start[1], "x2": line.end[0], "y2": line.end[1]}
        shapes += tag("line", cls="halo", **ends) + tag("line", **ends) + _name(line.name, line.start, size, facts)
    return tag("g", shapes, cls="places")


def _name(name: str, point: tuple[float, float], size: float, facts: Facts) -> str:
    """Return a name beside a point, within the image."""
    shown = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
    right = point[0] > facts.size[0] * 0.7
    y = min(max(point[1] - 0.4 * size, size), facts.size[1] - 0.3 * size)
    return tag(
        "text", text(shown), x=float(point[0]), y=float(y), font_size=float(size), text_anchor="end" if right else None
    )
