"""Arms and legs."""

from __future__ import annotations

from .bags import draw_held_bag
from .brush import shaded
from .figure import Figure


def draw_leg(figure: Figure, side: str) -> None:
    """Draw the ``l`` or ``r`` leg."""
    person, thick = figure.person, 0.5 + 0.5 * figure.person.build
    figure.limb(f"ankle_{side}", f"toe_{side}", (0.028, 0.02), person.shoes)
    figure.limb(f"knee_{side}", f"ankle_{side}", (0.043 * thick, 0.03 * thick), person.legs)
    thigh = person.legs if person.skirt else person.bottom
    figure.limb(f"hip_{side}", f"knee_{side}", (0.066 * thick, 0.046 * thick), thigh)


def draw_arm(figure: Figure, side: str) -> None:
    """Draw the ``l`` or ``r`` arm, with what its hand carries."""
    person, thick = figure.person, 0.55 + 0.45 * figure.person.build
    lower = person.skin if person.sleeve == "short" else person.top
    hand = figure.flat[f"hand_{side}"]
    if side == "r" and person.bag in {"hand", "trolley"}:
        draw_held_bag(figure, hand)
    if person.arms != "pockets":
        figure.brush.ellipse(hand[:2], (0.021, 0.026), person.skin)
    figure.limb(f"elbow_{side}", f"hand_{side}", (0.03 * thick, 0.022 * thick), lower)
    figure.limb(f"shoulder_{side}", f"elbow_{side}", (0.042 * thick, 0.033 * thick), shaded(person.top, 0.95))
