"""Shapes of things that are taken for people: bicycles, traffic cones, racks of clothes and mannequins of wire."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from fairmot_dla34.synth.drawing import Brush, Colour, shaded
from fairmot_dla34.synth.rng import Rng, chance, choice, integer, uniform

_PAINTS: tuple[Colour, ...] = (
    (40, 40, 42),
    (60, 60, 190),
    (150, 90, 40),
    (70, 130, 60),
    (200, 205, 210),
    (60, 170, 210),
)
_CLOTHES: tuple[Colour, ...] = (*_PAINTS, (120, 60, 140), (90, 105, 125), (80, 55, 38), (180, 205, 220))
_METAL: Colour = (130, 130, 132)


def _bicycle(brush: Brush, rng: Rng) -> None:
    colour, foreshortening = choice(rng, _PAINTS), uniform(rng, 0.25, 1.0)
    hubs = (-0.52 * foreshortening, 0.52 * foreshortening)
    for hub in hubs:
        _ring(brush, (hub, 0.34), (0.34 * foreshortening, 0.34), 0.025, (25, 25, 25))
        for angle in np.arange(0, math.pi, math.pi / 5):
            spoke = (0.32 * foreshortening * math.cos(angle), 0.32 * math.sin(angle))
            brush.capsule((hub - spoke[0], 0.34 - spoke[1]), (hub + spoke[0], 0.34 + spoke[1]), (0.004, 0.004), _METAL)
    seat, bars, crank = (-0.2 * foreshortening, 0.85), (0.4 * foreshortening, 0.95), (-0.05 * foreshortening, 0.3)
    for start, end in ((seat, crank), (crank, bars), (seat, bars), ((hubs[0], 0.34), crank), ((hubs[0], 0.34), seat)):
        brush.capsule(start, end, (0.025, 0.025), colour)
    brush.capsule((hubs[1], 0.34), bars, (0.02, 0.02), colour)
    brush.capsule((seat[0] - 0.12, 0.92), (seat[0] + 0.1, 0.92), (0.04, 0.03), (30, 30, 30))
    wide = 0.08 + 0.2 * (1 - foreshortening)
    brush.capsule((bars[0] - wide, 1.02), (bars[0] + wide, 1.02), (0.02, 0.02), (30, 30, 30))
    if chance(rng, 0.4):
        brush.box(bars[0] - 0.18, 0.75, bars[0] + 0.18, 1.0, choice(rng, _CLOTHES))


def _cone(brush: Brush, rng: Rng) -> None:
    colour: Colour = choice(rng, ((30, 90, 230), (40, 60, 210), (60, 190, 230)))
    brush.box(-0.2, 0, 0.2, 0.05, shaded(colour, 0.7))
    cone = ((-0.15, 0.05), (0.15, 0.05), (0.03, 0.75), (-0.03, 0.75))
    brush.polygon(np.array(cone), colour)
    for low in (0.28, 0.5)[: integer(rng, 1, 2)]:
        half = [0.15 - 0.12 * (row - 0.05) / 0.7 for row in (low, low + 0.12)]
        band = ((-half[0], low), (half[0], low), (half[1], low + 0.12), (-half[1], low + 0.12))
        brush.polygon(np.array(band), (225, 228, 230))


def _clothes_rack(brush: Brush, rng: Rng) -> None:
    for x in (-0.8, 0.8):
        brush.box(x - 0.02, 0, x + 0.02, 1.6, _METAL)
        brush.box(x - 0.15, 0, x + 0.15, 0.04, _METAL)
    brush.box(-0.8, 1.57, 0.8, 1.6, _METAL)
    x = -0.7
    while x < 0.7:
        _garment(brush, rng, x, 1.55)
        x += uniform(rng, 0.06, 0.3)


def _garment(brush: Brush, rng: Rng, x: float, top: float) -> None:
    colour, half, length = choice(rng, _CLOTHES), uniform(rng, 0.06, 0.22), uniform(rng, 0.6, 1.2)
    shape = (
        (x - half, top - length),
        (x + half, top - length),
        (x + 0.8 * half, top - 0.12),
        (x, top),
        (x - 0.8 * half, top - 0.12),
    )
    brush.polygon(np.array(shape), colour)
    for fold in (-0.4, 0.1, 0.5):
        brush.capsule(
            (x + fold * half, top - length + 0.03),
            (x + 0.7 * fold * half, top - 0.2),
            (0.012, 0.006),
            shaded(colour, 0.75),
        )


def _hanging_coat(brush: Brush, rng: Rng) -> None:
    brush.box(-0.02, 0, 0.02, 1.85, _METAL)
    brush.box(-0.25, 0, 0.25, 0.04, _METAL)
    for _ in range(integer(rng, 1, 3)):
        _garment(brush, rng, uniform(rng, -0.12, 0.12), uniform(rng, 1.5, 1.75))


def _parasol(brush: Brush, rng: Rng) -> None:
    colour = choice(rng, _CLOTHES)
    brush.box(-0.025, 0, 0.025, 2.2, (200, 205, 210))
    drop = uniform(rng, 0.3, 1.2)
    half = 1.1 if drop < 0.6 else 0.22
    brush.polygon(np.array([(-half, 2.25 - drop), (half, 2.25 - drop), (0, 2.3)]), colour)
    brush.polygon(np.array([(0, 2.25 - drop), (half, 2.25 - drop), (0, 2.3)]), shaded(colour, 0.8))


def _pillar(brush: Brush, rng: Rng) -> None:
    colour, half, high = choice(rng, (*_PAINTS, (170, 175, 180))), uniform(rng, 0.12, 0.35), uniform(rng, 1.2, 2.6)
    brush.box(-half, 0, half, high, colour)
    brush.box(half * 0.3, 0, half, high, shaded(colour, 0.75))
    if chance(rng, 0.5):
        brush.ellipse((0, high), (half, half), shaded(colour, 1.1))


def _hydrant(brush: Brush, rng: Rng) -> None:
    colour: Colour = choice(rng, ((40, 40, 190), (50, 180, 220), (150, 90, 50)))
    brush.capsule((0, 0.05), (0, 0.62), (0.15, 0.13), colour)
    brush.ellipse((0, 0.75), (0.13, 0.1), shaded(colour, 1.15))
    brush.capsule((-0.2, 0.5), (0.2, 0.5), (0.06, 0.06), shaded(colour, 0.8))


def _plant_pot(brush: Brush, rng: Rng) -> None:
    pot: Colour = choice(rng, ((60, 90, 150), (120, 122, 125), (50, 52, 55)))
    brush.polygon(np.array([(-0.18, 0), (0.18, 0), (0.25, 0.5), (-0.25, 0.5)]), pot)
    green: Colour = choice(rng, ((40, 90, 55), (50, 110, 90), (45, 75, 50)))
    for _ in range(60):
        angle, reach = uniform(rng, 0.2, 2.9), uniform(rng, 0.2, 0.9)
        tip = (0.5 * reach * math.cos(angle), 0.5 + 1.1 * reach * math.sin(angle))
        brush.capsule((0, 0.5), tip, (0.015, 0.03), shaded(green, uniform(rng, 0.6, 1.4)))


def _ring(brush: Brush, centre: tuple[float, float], radii: tuple[float, float], thick: float, colour: Colour) -> None:
    """Draw an ellipse that is not filled."""
    angles = np.linspace(0, 2 * math.pi, 25)
    points = [(centre[0] + radii[0] * math.cos(angle), centre[1] + radii[1] * math.sin(angle)) for angle in angles]
    for start, end in pairwise(points):
        brush.capsule(start, end, (thick, thick), colour)


# Kinds of things: width and height in m, and the function that draws it, as in `fairmot_dla34.synth.prop_shapes`.
THINGS: dict[str, tuple[float, float, Callable[[Brush, Rng], None]]] = {
    "bicycle": (1.9, 1.15, _bicycle),
    "cone": (0.5, 0.8, _cone),
    "clothes rack": (2.2, 1.7, _clothes_rack),
    "hanging coat": (1.0, 1.9, _hanging_coat),
    "parasol": (2.3, 2.4, _parasol),
    "pillar": (0.8, 3.0, _pillar),
    "hydrant": (0.6, 0.95, _hydrant),
    "plant pot": (1.2, 1.7, _plant_pot),
}
