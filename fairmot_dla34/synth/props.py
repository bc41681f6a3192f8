"""Props: street furniture and other things that people walk behind, some of them shaped a little like people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .config import BACKGROUNDS, SceneConfig
from .drawing import Brush, Colour, paste, shaded
from .rng import Part, Rng, chance, choice, integer, random_stream, uniform, weighted_choice

_PAINTS: tuple[Colour, ...] = (
    (60, 60, 62), (110, 112, 115), (190, 192, 195), (45, 70, 50),
    (140, 80, 40), (40, 50, 150), (60, 150, 190), (30, 34, 40),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Prop:
    """A prop in its place.

    Attributes:
        image: ``(H, W, 4)`` uint8, premultiplied BGRA.
        corner: (x, y) of the image's top left corner, canvas px.
        foot: (x, y) of the point on the ground, px of ``image``.
        y: Ground distance, m.
    """

    image: NDArray[np.uint8]
    corner: tuple[int, int]
    foot: tuple[int, int]
    y: float


def place_props(config: SceneConfig, camera: Camera, background: str) -> list[Prop]:
    """Draw the props that people walk behind, ordered from far to near."""
    rng = random_stream(config.seed, Part.PROPS)
    count = integer(rng, 0, 7) if config.occluders is None else config.occluders
    near, far = 1 / camera.near_m, 1 / camera.far_m
    distances = [1 / uniform(rng, far, near) for _ in range(count)]
    return [_random_prop(camera, rng, background, y) for y in sorted(distances, reverse=True)]


def add_backdrop(canvas: NDArray[np.uint8], camera: Camera, background: str, rng: Rng) -> None:
    """Draw props behind all people onto the canvas, in place."""
    for y in sorted((uniform(rng, 1.0, 1.06) * camera.far_m for _ in range(integer(rng, 1, 13))), reverse=True):
        prop = _random_prop(camera, rng, choice(rng, (background, "street")), y)
        shade_ground(canvas, prop)
        paste(canvas, prop.image, prop.corner)


def add_litter(canvas: NDArray[np.uint8], camera: Camera, rng: Rng) -> None:
    """Draw flat things onto the ground, in place: manhole covers, stains and paper."""
    for _ in range(integer(rng, 0, 40)):
        y = 1 / uniform(rng, 1 / camera.far_m, 1 / camera.near_m)
        spot, depth = camera.project(np.array([[uniform(rng, -1, 1) * camera.half_width(y), y, 0.0]]))
        scale = camera.focal_px / float(depth[0]) * 16  # OpenCV's coordinates have four fractional bits
        kind = weighted_choice(rng, {"cover": 1, "stain": 3, "paper": 2})
        size = {"cover": 0.3, "stain": uniform(rng, 0.1, 1.2), "paper": uniform(rng, 0.05, 0.2)}[kind]
        light = uniform(rng, 150, 235) if kind == "paper" else uniform(rng, 25, 80)
        axes = (max(round(size * scale), 8), max(round(size * scale * min(camera.height_m / y, 1.0)), 5))
        centre = (round(float(spot[0, 0]) * 16), round(float(spot[0, 1]) * 16))
        over = canvas.copy() if kind == "stain" else canvas
        cv2.ellipse(over, centre, axes, 0, 0, 360, (light, light * 1.02, light * 1.04), -1, cv2.LINE_AA, 4)
        if kind == "stain":
            cv2.addWeighted(canvas, 0.8, over, 0.2, 0, dst=canvas)


def shade_ground(canvas: NDArray[np.uint8], prop: Prop) -> None:
    """Darken the ground under a prop, in place."""
    height = prop.image.shape[0]
    columns = np.flatnonzero(prop.image[max(prop.foot[1] - 3, 0) : prop.foot[1] + 1, :, 3].max(axis=0) > 127)
    if len(columns) == 0:
        return
    wide = int(1.5 * (columns[-1] - columns[0] + 3))
    deep = max(3, min(wide // 3, height // 5))
    across, down = np.linspace(-1, 1, wide)[None], np.linspace(-1, 1, deep)[:, None]
    shade = np.zeros((deep, wide, 4), np.uint8)
    shade[:, :, 3] = 150 * np.clip(1 - across**2 - down**2, 0, 1)
    left = prop.corner[0] + int(columns[0] + columns[-1] - wide) // 2
    paste(canvas, shade, (left, prop.corner[1] + prop.foot[1] - deep // 2))


def _random_prop(camera: Camera, rng: Rng, background: str, y: float) -> Prop:
    """Draw one prop of a background at a ground distance in m."""
    x = uniform(rng, -1, 1) * camera.half_width(y)
    spot, depth = camera.project(np.array([[x, y, 0.0]]))
    kind = weighted_choice(rng, BACKGROUNDS[background].props)
    image, foot = _draw_prop(rng, kind, camera.focal_px / float(depth[0]))
    corner = (round(float(spot[0, 0])) - foot[0], round(float(spot[0, 1])) - foot[1])
    return Prop(image, corner, foot, y)


def _draw_prop(rng: Rng, kind: str, px_per_m: float) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the image of a prop, premultiplied BGRA, and the px of it that is on the ground."""
    width_m, height_m, draw = PROPS[kind]
    size = (max(3, round(width_m * px_per_m) + 2), max(3, round((height_m + 0.3) * px_per_m) + 2))
    foot = (size[0] // 2, size[1] - 1 - round(0.25 * px_per_m))
    brush = Brush(size, scale=px_per_m, origin=foot)
    draw(brush, rng)
    return _grained(brush.image, rng), foot


def _grained(image: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Add grain to the flat colours of a premultiplied BGRA image, in place."""
    coarse = rng.standard_normal((max(2, image.shape[0] // 6), max(2, image.shape[1] // 6))).astype(np.float32)
    grain = np.asarray(cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    grain += 0.7 * rng.standard_normal(grain.shape).astype(np.float32)
    colours = image[:, :, :3] * (1 + 0.045 * grain[:, :, None])
    image[:, :, :3] = np.clip(np.minimum(colours, image[:, :, 3:]), 0, 255)
    return image


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
