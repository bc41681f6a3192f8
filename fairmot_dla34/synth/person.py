"""Drawing of one person in one pose: body parts, clothes and luggage."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance
from .drawing import Brush, shaded
from .figure import Figure, Pose
from .shading import shade_person

_HEAD = 0.062  # radius of the head, in statures
_FACE_PX = 90  # smaller people are drawn without eyes and mouth


def draw_person(person: Appearance, pose: Pose, px_per_m: float) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Draw a person.

    Args:
        person: Appearance.
        pose: Pose and direction of view.
        px_per_m: Scale.

    Returns:
        ``(H, W, 4)`` uint8 premultiplied BGRA, and the px (x, y) of the point on the ground between the feet.
    """
    scale = person.stature_m * px_per_m
    width, height = math.ceil(1.1 * scale) + 4, math.ceil((1.12 + 0.35 * math.sin(pose.elevation)) * scale) + 4
    origin = (width / 2, 1.1 * scale + 2)
    brush = Brush((width, height), scale=scale, origin=origin)
    figure = Figure(person, pose, brush)
    for _, draw in sorted(_parts(figure), key=lambda part: -part[0]):
        draw()
    shade_person(brush.image, person, scale)
    return brush.image, origin


def _parts(figure: Figure) -> list[tuple[float, Callable[[], None]]]:
    """Return the drawing functions of a person's parts, each with its distance behind the trunk."""
    found: list[tuple[float, Callable[[], None]]] = []
    up = math.sqrt(1 - figure.rise**2)
    for side in "lr":
        hip, knee, shoulder, hand = (figure.joints[f"{name}_{side}"] for name in ("hip", "knee", "shoulder", "hand"))
        found.append((0.3 + 0.01 * (hip[2] + knee[2]), partial(_draw_leg, figure, side)))
        away = hand[2] + shoulder[2] - 2 * figure.joints["chest"][2] + 0.2 * up
        found.append((0.2 * away - 0.02, partial(_draw_arm, figure, side)))
    found.append((0.0, partial(_draw_trunk, figure)))
    found.append((-0.001 if figure.cos < 0.6 else -0.002, partial(_draw_head, figure)))
    if figure.person.bag == "backpack":
        found.append((0.1 if figure.cos < 0 else -0.0005, partial(_draw_backpack, figure)))
    elif figure.person.bag == "shoulder":
        found.append((-0.0004 if figure.sin < 0.3 else 0.1, partial(_draw_shoulder_bag, figure)))
    return found


def _draw_leg(figure: Figure, side: str) -> None:
    person, thick = figure.person, 0.5 + 0.5 * figure.person.build
    figure.draw_limb(f"ankle_{side}", f"toe_{side}", (0.028, 0.02), person.shoes)
    figure.draw_limb(f"knee_{side}", f"ankle_{side}", (0.043 * thick, 0.03 * thick), person.legs)
    thigh = person.legs if person.skirt else person.bottom
    figure.draw_limb(f"hip_{side}", f"knee_{side}", (0.066 * thick, 0.046 * thick), thigh)


def _draw_arm(figure: Figure, side: str) -> None:
    person, thick = figure.person, 0.55 + 0.45 * figure.person.build
    lower = person.skin if person.sleeve == "short" else person.top
    hand = figure.joints[f"hand_{side}"]
    if side == "r" and person.bag in {"hand", "trolley"}:
        _draw_held_bag(figure, hand)
    if person.arms != "pockets":
        figure.brush.ellipse(hand[:2], (0.021, 0.026), person.skin)
    figure.draw_limb(f"elbow_{side}", f"hand_{side}", (0.03 * thick, 0.022 * thick), lower)
    figure.draw_limb(f"shoulder_{side}", f"elbow_{side}", (0.042 * thick, 0.033 * thick), shaded(person.top, 0.95))


def _draw_trunk(figure: Figure) -> None:
    person, brush = figure.person, figure.brush
    hem = person.hem - 0.5
    if person.skirt:
        brush.polygon(figure.trunk_band(person.skirt - 0.5, 0.1, flare=1.25), person.bottom)
    elif hem > -0.02:
        brush.polygon(figure.trunk_band(-0.05, 0.05), person.bottom)
    brush.polygon(figure.trunk_band(hem, 0.325, flare=person.flare), person.top)
    _draw_pattern(figure, hem)
    neck, head = figure.trunk_row(0.31), figure.joints["head"]
    brush.capsule(neck[:2], head[:2], (0.034, 0.03), shaded(person.skin, 0.8))


def _draw_pattern(figure: Figure, hem: float) -> None:
    person, brush = figure.person, figure.brush
    if person.pattern == "stripes":
        for index in range(3 + person.cloth % 3):
            low = hem + 0.03 + index * (0.3 - hem) / (3 + person.cloth % 3)
            brush.polygon(figure.trunk_band(low, low + 0.03), person.accent)
    elif person.pattern == "blocks":
        edge = 0.12 + 0.1 * (person.cloth % 7) / 7
        brush.polygon(figure.trunk_band(edge, 0.32), person.accent)
    elif person.pattern == "logo" and abs(figure.cos) > 0.35:
        brush.polygon(figure.trunk_band(0.13, 0.23, (-0.45, 0.45)), person.accent)
    elif person.pattern == "open" and figure.cos < 0.35:
        middle = -0.75 * figure.sin
        across = (max(middle - 0.25, -1.0), min(middle + 0.25, 1.0))
        brush.polygon(figure.trunk_band(max(hem, -0.02), 0.31, across), person.accent)


def _draw_head(figure: Figure) -> None:
    """Draw hair, headwear, and the face unless it is turned away."""
    person, brush = figure.person, figure.brush
    x, y, _ = figure.joints["head"]
    y += 0.015
    radius_x = _HEAD * (0.86 + 0.1 * abs(figure.sin))
    hooded = person.headwear == "hood"
    cover = person.headwear_colour if person.headwear != "none" else person.hair
    cover = person.top if hooded else cover
    hair_drop = 0.0 if hooded else person.hair_length * _HEAD
    towards = -figure.cos  # 1 if the face looks at the camera
    hair_end = (x + 0.3 * _HEAD * figure.sin, y - hair_drop * (1 - 0.35 * max(towards, 0.0)))
    brush.capsule(hair_end, (x, y), (radius_x * 0.85, radius_x * 0.95), person.hair if hair_drop else cover)
    brush.ellipse((x, y + 0.008), (radius_x * 1.02, _HEAD * 1.05), cover)
    if towards > -0.75:
        _draw_face(figure, x, y, radius_x, towards)
    if person.headwear in {"cap", "hat"}:
        brush.ellipse((x, y + 0.042), (radius_x * 1.08, _HEAD * 0.62), cover)
        brim = 1.0 if person.headwear == "hat" else 0.55
        brim_x = x - figure.sin * 0.05 * (2 - 2 * brim)
        brush.ellipse((brim_x, y + 0.02), (radius_x * (0.8 + brim), 0.016), shaded(cover, 0.8))


def _draw_face(figure: Figure, x: float, y: float, radius_x: float, towards: float) -> None:
    person, brush = figure.person, figure.brush
    wide = radius_x * (0.64 + 0.26 * max(towards, 0.0)) * min(1.0, (towards + 0.95) / 0.7)
    centre = (x - figure.sin * (radius_x - wide * 0.82), y - 0.018 - 0.012 * figure.rise)
    chin = (centre[0], centre[1] - 0.022)
    brush.capsule(chin, (centre[0], centre[1] + 0.012), (wide * 0.82, wide * 0.96), person.skin)
    if brush.scale > _FACE_PX:
        dark = shaded(person.skin, 0.5)
        for eye in (-0.4, 0.4):
            eye_x = centre[0] + eye * wide - 0.25 * wide * figure.sin
            brush.ellipse((eye_x, centre[1] + 0.012), (0.007, 0.005), dark)
        mouth = (centre[0] - 0.3 * wide * figure.sin, centre[1] - 0.026)
        brush.ellipse(mouth, (wide * 0.3, 0.005), shaded(person.skin, 0.7))


def _draw_held_bag(figure: Figure, hand: tuple[float, float, float]) -> None:
    """Draw a bag that hangs from a hand, or a trolley that is pulled."""
    colour = figure.person.bag_colour
    x, y = hand[:2]
    if figure.person.bag == "trolley":
        x += 0.14 * figure.sin
        figure.brush.capsule((x, 0.04), hand[:2], (0.006, 0.006), (60, 60, 60))
        figure.brush.box(x - 0.07, 0.015, x + 0.07, 0.3, colour)
        return
    wide = 0.05 + 0.04 * abs(figure.sin)
    figure.brush.box(x - wide, y - 0.2, x + wide, y - 0.04, colour)
    figure.brush.capsule((x - wide * 0.6, y - 0.05), (x, y), (0.006, 0.006), colour)


def _draw_backpack(figure: Figure) -> None:
    """Draw a backpack: the whole of it from behind and from the side, its edge from the front."""
    colour, (x, y, _) = figure.person.bag_colour, figure.trunk_row(0.19)
    if figure.cos > -0.25:
        x, wide = x + 0.09 * figure.sin, 0.06 + 0.035 * abs(figure.cos)
        figure.brush.capsule((x, y - 0.08), (x, y + 0.06), (wide, wide * 0.85), colour)
        figure.brush.capsule((x, y - 0.09), (x, y - 0.05), (wide * 0.7, wide * 0.7), shaded(colour, 1.25))
    else:
        figure.brush.capsule((x + 0.09 * figure.sin, y - 0.07), (x + 0.09 * figure.sin, y + 0.06), (0.07, 0.06), colour)


def _draw_shoulder_bag(figure: Figure) -> None:
    """Draw a bag on a strap across the trunk."""
    colour = figure.person.bag_colour
    (x, y, half), (top_x, top_y, top_half) = figure.trunk_row(0.0), figure.trunk_row(0.3)
    side = 1.0 if figure.cos < 0 else -1.0
    figure.brush.capsule((top_x - side * top_half * 0.6, top_y), (x + side * half, y), (0.008, 0.008), colour)
    figure.brush.capsule((x + side * half, y - 0.03), (x + side * half * 0.8, y + 0.05), (0.06, 0.05), colour)
