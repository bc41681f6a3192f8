"""Shapes of props: street furniture and other things that people walk behind, some shaped a little like people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .drawing import Brush, Colour, shaded
from .rng import Rng, chance, choice, integer, uniform

_PAINTS: tuple[Colour, ...] = (
    (60, 60, 62), (110, 112, 115), (190, 192, 195), (45, 70, 50),
    (140, 80, 40), (40, 50, 150), (60, 150, 190), (30, 34, 40),
)  # fmt: skip


def _pole(brush: Brush, rng: Rng) -> None:
    colour, thick = choice(rng, _PAINTS), uniform(rng, 0.035, 0.09)
    brush.box(-thick, 0, thick, 5.8, colour)
    brush.box(-thick * 0.6, 0, 0, 5.8, shaded(colour, 1.25))
    brush.capsule((0, 5.8), (0.7, 5.95), (0.05, 0.1), shaded(colour, 1.2))
    if chance(rng, 0.5):
        low = uniform(rng, 1.9, 2.6)
        brush.box(-0.35, low, 0.35, low + uniform(rng, 0.4, 0.9), choice(rng, _PAINTS))


def _sign(brush: Brush, rng: Rng) -> None:
    colour = choice(rng, _PAINTS)
    brush.box(-0.03, 0, 0.03, 2.3, (120, 122, 124))
    if chance(rng, 0.5):
        brush.ellipse((0, 2.2), (0.3, 0.3), colour)
        brush.ellipse((0, 2.2), (0.22, 0.22), (215, 218, 220))
    else:
        brush.box(-0.35, 1.2, 0.35, 2.2, colour)
        brush.box(-0.25, 1.5, 0.25, 1.8, (210, 215, 220))


def _tree(brush: Brush, rng: Rng) -> None:
    bark = choice(rng, ((55, 65, 80), (70, 80, 90), (40, 48, 58)))
    thick = uniform(rng, 0.1, 0.22)
    brush.capsule((0, 0), (uniform(rng, -0.2, 0.2), 3.2), (thick, thick * 0.6), bark)
    brush.capsule((-0.3 * thick, 0), (0, 3.0), (thick * 0.4, thick * 0.25), shaded(bark, 1.3))
    leaves: Colour = choice(rng, ((40, 80, 55), (45, 100, 85), (50, 110, 130), (60, 75, 85)))
    for _ in range(110):
        radius, angle = 1.45 * rng.random() ** 0.6, 6.283 * rng.random()
        spot = (radius * np.cos(angle), 4.1 + 1.0 * radius * np.sin(angle))
        tone = 0.55 + 0.45 * rng.random() + 0.2 * np.sin(angle)
        size = (uniform(rng, 0.1, 0.3), uniform(rng, 0.08, 0.22))
        brush.ellipse((float(spot[0]), float(spot[1])), size, shaded(leaves, tone))


def _bush(brush: Brush, rng: Rng) -> None:
    leaves: Colour = choice(rng, ((35, 70, 45), (40, 85, 70), (45, 65, 60)))
    for _ in range(60):
        x, y = uniform(rng, -0.75, 0.75), 1.0 * float(rng.random())
        tone = 0.5 + 0.5 * y + 0.3 * float(rng.random())
        if abs(x) + 0.5 * y < 0.9:
            brush.ellipse((x, y), (uniform(rng, 0.08, 0.22), uniform(rng, 0.06, 0.16)), shaded(leaves, tone))


def _kiosk(brush: Brush, rng: Rng) -> None:
    colour, half = choice(rng, _PAINTS), uniform(rng, 0.5, 0.95)
    brush.box(-half, 0, half, 2.2, colour)
    brush.box(half * 0.8, 0, half, 2.2, shaded(colour, 0.7))
    brush.box(-half * 1.05, 2.15, half * 1.05, 2.35, shaded(colour, 1.3))
    brush.box(-half * 0.75, 0.6, half * 0.7, 1.9, choice(rng, ((200, 205, 210), (60, 70, 90), (150, 120, 80))))
    for _ in range(integer(rng, 1, 4)):
        x, y = uniform(rng, -half * 0.7, half * 0.3), uniform(rng, 0.65, 1.4)
        brush.box(x, y, x + uniform(rng, 0.1, 0.4), y + uniform(rng, 0.15, 0.5), choice(rng, _PAINTS))


def _car(brush: Brush, rng: Rng) -> None:
    colour, van = choice(rng, _PAINTS), chance(rng, 0.25)
    roof = 1.95 if van else 1.45
    side = 1.0 if chance(rng, 0.5) else -1.0
    body = np.array([(-2.1, 0.3), (2.1, 0.3), (2.15, 0.75), (1.9, 0.92), (-2.1, 0.95), (-2.15, 0.6)]) * (side, 1)
    front, back = (1.0, -2.0) if van else (0.6, -1.4)
    cabin = np.array([(-1.9, 0.9), (1.2, 0.9), (front, roof), (back, roof)]) * (side, 1)
    brush.polygon(cabin, shaded(colour, 0.95))
    brush.polygon((cabin - (0, 0.5 * (0.9 + roof))) * (0.86, 0.72) + (0, 0.5 * (0.9 + roof)), (55, 50, 45))
    brush.polygon(body, colour)
    brush.box(-2.1, 0.3, 2.1, 0.42, shaded(colour, 0.5))
    brush.box(-0.1 * side - 0.03, 0.4, -0.1 * side + 0.03, roof - 0.05, shaded(colour, 0.9))
    for x in (-1.3, 1.3):
        brush.ellipse((x, 0.32), (0.34, 0.32), (18, 18, 18))
        brush.ellipse((x, 0.32), (0.18, 0.17), (120, 120, 122))


def _bench(brush: Brush, rng: Rng) -> None:
    colour = choice(rng, ((50, 75, 110), (60, 60, 62), (70, 95, 130)))
    for x in (-0.7, 0.65):
        brush.box(x, 0, x + 0.06, 0.8, (40, 40, 42))
    for low in (0.38, 0.58, 0.72):
        brush.box(-0.85, low, 0.85, low + 0.09, shaded(colour, 0.8 + 0.4 * low))


def _bin(brush: Brush, rng: Rng) -> None:
    colour, half, high = choice(rng, _PAINTS), uniform(rng, 0.2, 0.34), uniform(rng, 0.85, 1.15)
    brush.box(-half, 0, half, high, colour)
    brush.box(-half, 0, -half * 0.4, high, shaded(colour, 1.25))
    brush.box(-half * 1.08, high - 0.12, half * 1.08, high, shaded(colour, 0.65))


def _bollards(brush: Brush, rng: Rng) -> None:
    colour = choice(rng, _PAINTS)
    for x in (-0.9, 0.0, 0.9):
        brush.capsule((x, 0), (x, 0.85), (0.08, 0.07), colour)
        brush.box(x - 0.08, 0.65, x + 0.08, 0.75, (205, 210, 215))


def _fence(brush: Brush, rng: Rng) -> None:
    colour = choice(rng, _PAINTS)
    brush.box(-1.5, 0.95, 1.5, 1.02, colour)
    brush.box(-1.5, 0.15, 1.5, 0.2, colour)
    for x in np.arange(-1.5, 1.51, 0.2):
        brush.box(float(x) - 0.012, 0, float(x) + 0.012, 1.0, colour)


def _board(brush: Brush, rng: Rng) -> None:
    """Draw a poster stand that shows a person."""
    brush.box(-0.45, 0, -0.38, 2.0, (70, 70, 72))
    brush.box(0.38, 0, 0.45, 2.0, (70, 70, 72))
    brush.box(-0.45, 0.4, 0.45, 2.0, choice(rng, ((200, 205, 210), (120, 90, 60), (60, 80, 170))))
    brush.box(-0.2, 0.6, 0.2, 1.25, choice(rng, _PAINTS))
    brush.ellipse((0, 1.45), (0.13, 0.16), choice(rng, ((130, 160, 205), (60, 60, 60), (90, 150, 200))))


# Kinds of props: width and height in m, and the function that draws it.
PROPS: dict[str, tuple[float, float, Callable[[Brush, Rng], None]]] = {
    "pole": (1.7, 6.2, _pole),
    "sign": (0.8, 2.6, _sign),
    "tree": (3.6, 5.9, _tree),
    "bush": (1.9, 1.4, _bush),
    "kiosk": (2.1, 2.5, _kiosk),
    "car": (4.5, 2.1, _car),
    "bench": (1.8, 0.9, _bench),
    "bin": (0.8, 1.3, _bin),
    "bollards": (2.2, 1.0, _bollards),
    "fence": (3.1, 1.1, _fence),
    "board": (1.0, 2.1, _board),
}
