"""Coats, shirts and skirts."""

from __future__ import annotations

from .brush import shaded
from .figure import Figure


def draw_trunk(figure: Figure) -> None:
    """Draw what covers the trunk, and the neck."""
    person, brush = figure.person, figure.brush
    hem = person.hem - 0.5
    if person.skirt:
        brush.polygon(figure.band(person.skirt - 0.5, 0.1, flare=1.25), person.bottom)
    elif hem > -0.02:
        brush.polygon(figure.band(-0.05, 0.05), person.bottom)
    brush.polygon(figure.band(hem, 0.325, flare=person.flare), person.top)
    _draw_pattern(figure, hem)
    neck, head = figure.row(0.31), figure.flat["head"]
    brush.capsule(neck[:2], head[:2], (0.034, 0.03), shaded(person.skin, 0.8))


def _draw_pattern(figure: Figure, hem: float) -> None:
    person, brush = figure.person, figure.brush
    if person.pattern == "stripes":
        for index in range(3 + person.cloth % 3):
            low = hem + 0.03 + index * (0.3 - hem) / (3 + person.cloth % 3)
            brush.polygon(figure.band(low, low + 0.03), person.second)
    elif person.pattern == "blocks":
        edge = 0.12 + 0.1 * (person.cloth % 7) / 7
        brush.polygon(figure.band(edge, 0.32), person.second)
    elif person.pattern == "logo" and abs(figure.cos) > 0.35:
        brush.polygon(figure.band(0.13, 0.23, (-0.45, 0.45)), person.second)
    elif person.pattern == "open" and figure.cos < 0.35:
        middle = -0.75 * figure.sin
        across = (max(middle - 0.25, -1.0), min(middle + 0.25, 1.0))
        brush.polygon(figure.band(max(hem, -0.02), 0.31, across), person.second)
