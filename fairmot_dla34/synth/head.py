"""Heads."""

from __future__ import annotations

from .brush import shaded
from .figure import Figure

_HEAD = 0.062  # radius of the head, in statures
_FACE_PX = 90  # smaller people show no eyes and mouth


def draw_head(figure: Figure) -> None:
    """Draw head, hair and what is worn on it; the face where it is turned to the camera."""
    person, brush = figure.person, figure.brush
    x, y, _ = figure.flat["head"]
    y += 0.015
    round_x = _HEAD * (0.86 + 0.1 * abs(figure.sin))
    hooded = person.headwear == "hood"
    cover = person.headwear_colour if person.headwear != "none" else person.hair
    cover = person.top if hooded else cover
    fall = 0.0 if hooded else person.hair_length * _HEAD
    ahead = -figure.cos  # 1 where the face looks at the camera
    back = (x + 0.3 * _HEAD * figure.sin, y - fall * (1 - 0.35 * max(ahead, 0.0)))
    brush.capsule(back, (x, y), (round_x * 0.85, round_x * 0.95), person.hair if fall else cover)
    brush.ellipse((x, y + 0.008), (round_x * 1.02, _HEAD * 1.05), cover)
    if ahead > -0.75:
        _draw_face(figure, x, y, round_x, ahead)
    if person.headwear in {"cap", "hat"}:
        brush.ellipse((x, y + 0.042), (round_x * 1.08, _HEAD * 0.62), cover)
        brim = 1.0 if person.headwear == "hat" else 0.55
        brim_x = x - figure.sin * 0.05 * (2 - 2 * brim)
        brush.ellipse((brim_x, y + 0.02), (round_x * (0.8 + brim), 0.016), shaded(cover, 0.8))


def _draw_face(figure: Figure, x: float, y: float, round_x: float, ahead: float) -> None:
    person, brush = figure.person, figure.brush
    wide = round_x * (0.64 + 0.26 * max(ahead, 0.0)) * min(1.0, (ahead + 0.95) / 0.7)
    centre = (x - figure.sin * (round_x - wide * 0.82), y - 0.018 - 0.012 * figure.rise)
    chin = (centre[0], centre[1] - 0.022)
    brush.capsule(chin, (centre[0], centre[1] + 0.012), (wide * 0.82, wide * 0.96), person.skin)
    if figure.brush.scale > _FACE_PX:
        dark = shaded(person.skin, 0.5)
        for eye in (-0.4, 0.4):
            eye_x = centre[0] + eye * wide - 0.25 * wide * figure.sin
            brush.ellipse((eye_x, centre[1] + 0.012), (0.007, 0.005), dark)
        mouth = (centre[0] - 0.3 * wide * figure.sin, centre[1] - 0.026)
        brush.ellipse(mouth, (wide * 0.3, 0.005), shaded(person.skin, 0.7))
