"""What people carry."""

from __future__ import annotations

from .brush import shaded
from .figure import Figure


def draw_held_bag(figure: Figure, hand: tuple[float, float, float]) -> None:
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


def draw_backpack(figure: Figure) -> None:
    """Draw a backpack: whole from behind, its edge from the side."""
    colour, (x, y, _) = figure.person.bag_colour, figure.row(0.19)
    if figure.cos > -0.25:
        x, wide = x + 0.09 * figure.sin, 0.06 + 0.035 * abs(figure.cos)
        figure.brush.capsule((x, y - 0.08), (x, y + 0.06), (wide, wide * 0.85), colour)
        figure.brush.capsule((x, y - 0.09), (x, y - 0.05), (wide * 0.7, wide * 0.7), shaded(colour, 1.25))
    else:
        figure.brush.capsule((x + 0.09 * figure.sin, y - 0.07), (x + 0.09 * figure.sin, y + 0.06), (0.07, 0.06), colour)


def draw_shoulder_bag(figure: Figure) -> None:
    """Draw a bag on a strap across the trunk."""
    colour = figure.person.bag_colour
    (x, y, half), (top_x, top_y, top_half) = figure.row(0.0), figure.row(0.3)
    side = 1.0 if figure.cos < 0 else -1.0
    figure.brush.capsule((top_x - side * top_half * 0.6, top_y), (x + side * half, y), (0.008, 0.008), colour)
    figure.brush.capsule((x + side * half, y - 0.03), (x + side * half * 0.8, y + 0.05), (0.06, 0.05), colour)
