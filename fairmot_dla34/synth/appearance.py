"""Appearance of people: build, clothes, colours and luggage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .drawing import Colour
from .rng import Rng, chance, choice, uniform, weighted_choice

_SKIN: tuple[Colour, ...] = (
    (150, 180, 225), (130, 160, 205), (105, 140, 190), (75, 105, 155), (50, 72, 110), (35, 50, 80),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (20, 20, 24), (28, 30, 36), (30, 42, 62), (45, 65, 95),
    (70, 115, 160), (110, 160, 195), (140, 140, 142), (200, 200, 200),
)  # fmt: skip
_DARK: tuple[Colour, ...] = (
    (25, 24, 24), (38, 36, 35), (52, 48, 46), (62, 42, 30), (80, 55, 38), (48, 52, 60), (40, 55, 75), (45, 58, 48),
)  # fmt: skip
_MUTED: tuple[Colour, ...] = (
    (110, 85, 65), (125, 110, 98), (90, 105, 125), (95, 120, 150), (140, 140, 138), (85, 100, 90), (120, 150, 175),
)  # fmt: skip
_LIGHT: tuple[Colour, ...] = ((225, 225, 222), (205, 210, 212), (200, 190, 175), (180, 205, 220), (215, 200, 190))
_VIVID: tuple[Colour, ...] = (
    (40, 40, 175), (45, 60, 205), (170, 80, 40), (190, 130, 50),
    (70, 130, 50), (60, 180, 215), (120, 60, 140), (150, 110, 200),
)  # fmt: skip
# Palettes by their probability. Dark clothes are the most common, as in real streets.
_TOP_PALETTES: dict[tuple[Colour, ...], float] = {_DARK: 0.49, _MUTED: 0.22, _LIGHT: 0.17, _VIVID: 0.12}
_BOTTOM_PALETTES: dict[tuple[Colour, ...], float] = {_DARK: 0.55, _MUTED: 0.33, _LIGHT: 0.09, _VIVID: 0.03}
_ACCENT_PALETTES: dict[tuple[Colour, ...], float] = {_LIGHT: 0.5, _VIVID: 0.25, _DARK: 0.25}


@dataclass(frozen=True)
class Appearance:
    """Appearance of one person. Colours are BGR; heights are in statures.

    Attributes:
        stature_m: Height from the soles to the top of the head, m.
        build: Width of the body relative to the mean.
        skin: Colour of face and hands.
        hair: Colour of the hair.
        top: Colour of the shirt or coat.
        accent: Colour of the pattern: stripes, block, logo, or the shirt under an open jacket.
        pattern: Pattern of the top: ``plain``, ``stripes``, ``blocks``, ``logo`` or ``open``.
        hem: Height of the top's lower edge: 0.5 at the waist, 0.3 for a coat.
        flare: Width of that edge relative to the hips.
        bottom: Colour of the trousers or skirt.
        skirt: Height of the skirt's lower edge; 0 for trousers.
        legs: Colour of the lower legs: trousers, skin or tights.
        shoes: Colour of the shoes.
        sleeve: ``long`` or ``short``.
        headwear: ``none``, ``cap``, ``hood`` or ``hat``.
        headwear_colour: Colour of the cap or hat; a hood has the colour of the top.
        hair_length: Length of the hair below the middle of the head, in head radii.
        bag: ``none``, ``backpack``, ``shoulder``, ``hand`` or ``trolley``.
        bag_colour: Colour of the bag.
        arms: Position of the arms: ``swing``, ``pockets``, ``phone`` or ``carry``.
        lean: Forward lean of the trunk, rad.
        cloth: Seed of the folds and of pattern details.
    """

    stature_m: float
    build: float
    skin: Colour
    hair: Colour
    top: Colour
    accent: Colour
    pattern: str
    hem: float
    flare: float
    bottom: Colour
    skirt: float
    legs: Colour
    shoes: Colour
    sleeve: str
    headwear: str
    headwear_colour: Colour
    hair_length: float
    bag: str
    bag_colour: Colour
    arms: str
    lean: float
    cloth: int


def random_appearance(rng: Rng) -> Appearance:
    """Draw the appearance of one person."""
    child = chance(rng, 0.06)
    stature_m = uniform(rng, 1.1, 1.5) if child else 1.71 + 0.09 * float(rng.standard_normal())
    skin = _varied(rng, choice(rng, _SKIN[:4] if chance(rng, 0.75) else _SKIN))
    bottom = _varied(rng, _random_colour(rng, _BOTTOM_PALETTES))
    skirt = uniform(rng, 0.2, 0.32) if chance(rng, 0.12) else 0.0
    bare = bool(skirt) or chance(rng, 0.07)
    coat = chance(rng, 0.2)
    legs = (skin if chance(rng, 0.5) else choice(rng, _DARK)) if bare else bottom
    return Appearance(
        stature_m=min(max(stature_m, 1.05), 2.0),
        build=min(max(1.0 + 0.13 * float(rng.standard_normal()), 0.78), 1.4),
        skin=skin,
        hair=_varied(rng, choice(rng, _HAIR[:4] if chance(rng, 0.6) else _HAIR)),
        top=_varied(rng, _random_colour(rng, _TOP_PALETTES)),
        accent=_varied(rng, _random_colour(rng, _ACCENT_PALETTES)),
        pattern=weighted_choice(rng, {"plain": 0.52, "open": 0.16, "logo": 0.12, "blocks": 0.1, "stripes": 0.1}),
        hem=uniform(rng, 0.3, 0.4) if coat else uniform(rng, 0.46, 0.51),
        flare=uniform(rng, 1.0, 1.35) if coat else uniform(rng, 0.95, 1.1),
        bottom=bottom,
        skirt=skirt,
        legs=legs,
        shoes=_varied(rng, choice(rng, _DARK if chance(rng, 0.7) else _LIGHT)),
        sleeve="short" if not coat and chance(rng, 0.25) else "long",
        headwear=weighted_choice(rng, {"none": 0.76, "cap": 0.1, "hood": 0.07, "hat": 0.07}),
        headwear_colour=_varied(rng, _random_colour(rng, _TOP_PALETTES)),
        hair_length=weighted_choice(rng, {0.25: 0.55, 1.0: 0.2, 2.2: 0.25}),
        bag=weighted_choice(rng, {"none": 0.56, "backpack": 0.17, "shoulder": 0.13, "hand": 0.1, "trolley": 0.04}),
        bag_colour=_varied(rng, _random_colour(rng, _TOP_PALETTES)),
        arms=weighted_choice(rng, {"swing": 0.66, "pockets": 0.14, "carry": 0.12, "phone": 0.08}),
        lean=uniform(rng, -0.02, 0.07),
        cloth=int(rng.random() * 4096),
    )


def random_wearer(outfit: Appearance, rng: Rng) -> Appearance:
    """Draw a person in the given clothes, as worn by team-mates or a school class."""
    own = random_appearance(rng)
    return replace(
        outfit, stature_m=own.stature_m, build=own.build, skin=own.skin, hair=own.hair, hair_length=own.hair_length,
        bag=own.bag, bag_colour=own.bag_colour, arms=own.arms, lean=own.lean, cloth=own.cloth,
    )  # fmt: skip


def _random_colour(rng: Rng, palettes: dict[tuple[Colour, ...], float]) -> Colour:
    palette = weighted_choice(rng, palettes)
    return choice(rng, palette)


def _varied(rng: Rng, colour: Colour) -> Colour:
    """Return a colour with a random change of brightness and tint."""
    shifts = 1.0 + 0.16 * (float(rng.random()) - 0.5) + 0.08 * (rng.random(3) - 0.5)
    blue, green, red = np.clip(np.asarray(colour) * shifts + 6.0 * (rng.random() - 0.5), 3, 245).tolist()
    return (blue, green, red)
