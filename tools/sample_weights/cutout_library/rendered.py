"""Rendered cut-outs and backgrounds: people, props and empty streets, drawn without any input data."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.synth import SceneConfig
from fairmot_dla34.synth.appearance import random_appearance
from fairmot_dla34.synth.background import draw_background
from fairmot_dla34.synth.camera import plan_camera
from fairmot_dla34.synth.config import BACKGROUNDS
from fairmot_dla34.synth.drawing import Brush
from fairmot_dla34.synth.figure import Pose
from fairmot_dla34.synth.person import draw_person
from fairmot_dla34.synth.prop_shapes import PROPS
from fairmot_dla34.synth.props import add_backdrop, add_litter
from fairmot_dla34.synth.rng import Part, Rng, random_stream, uniform

from .files import LibraryWriter
from .index import NEGATIVE, PERSON
from .rendered_things import THINGS

PLACE = "rendered"
FIRST_SEED = 10_000  # as the scenes of the training
PEOPLE, POSES = 400, 3
PROPS_EACH = 16
STREETS = 120
SIZES = ((640, 480), (960, 540), (720, 480), (854, 480))
_HEIGHTS = 90.0, 480.0  # px
_STREAM = 101  # random stream of the cut-outs


def add_people(writer: LibraryWriter, people: int = PEOPLE) -> None:
    """Add people with many appearances, each in several poses."""
    for number in range(people):
        rng = random_stream(FIRST_SEED + number, _STREAM, Part.PEOPLE)
        person = random_appearance(rng)
        for pose_number in range(POSES):
            pose = Pose(
                phase=uniform(rng, 0, 2 * math.pi),
                amplitude=0.0 if rng.random() < 0.25 else uniform(rng, 0.3, 1.0),
                facing=uniform(rng, 0, 2 * math.pi),
                elevation=math.radians(uniform(rng, 0, 45) * float(rng.random())),
            )
            height = math.exp(uniform(rng, *map(math.log, _HEIGHTS)))
            image, _ = draw_person(person, pose, height / person.stature_m)
            name = f"person-{FIRST_SEED + number}-{pose_number}"
            writer.add(straight(image), PERSON, PLACE, name, identity=f"{PLACE}/{FIRST_SEED + number}")


def add_props(writer: LibraryWriter, each: int = PROPS_EACH) -> None:
    """Add street furniture and other things that are not people."""
    shapes = {**PROPS, **THINGS}
    for kind_number, (kind, (width_m, height_m, draw)) in enumerate(shapes.items()):
        for number in range(each):
            rng = random_stream(FIRST_SEED + number, _STREAM, Part.PROPS, kind_number)
            height = math.exp(uniform(rng, *map(math.log, _HEIGHTS)))
            image = _draw_thing(draw, (width_m, height_m), height / height_m, rng)
            writer.add(straight(image), NEGATIVE, PLACE, f"{kind}-{number}")


def _draw_thing(
    draw: Callable[[Brush, Rng], None], size_m: tuple[float, float], px_per_m: float, rng: Rng
) -> NDArray[np.uint8]:
    """Draw a thing with some grain, premultiplied BGRA."""
    width, height = (math.ceil((side + 0.3) * px_per_m) + 2 for side in size_m)
    brush = Brush((width, height), scale=px_per_m, origin=(width / 2, height - 1 - 0.1 * px_per_m))
    draw(brush, rng)
    coarse = rng.standard_normal((max(2, height // 6), max(2, width // 6))).astype(np.float32)
    grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    colours = brush.image[..., :3] * (1 + 0.05 * grain[..., None])
    return np.dstack([np.clip(colours, 0, brush.image[..., 3:]), brush.image[..., 3]]).astype(np.uint8)


def add_streets(writer: LibraryWriter, count: int = STREETS) -> None:
    """Add rendered streets without people, half of them with props, as backgrounds."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        width, height = SIZES[seed % len(SIZES)]
        config = SceneConfig(people=1, width=width, height=height, frames=1, seed=seed)
        camera, rng = plan_camera(config), random_stream(seed, _STREAM, Part.BACKGROUND)
        name = list(BACKGROUNDS)[seed % len(BACKGROUNDS)]
        image = draw_background(name, camera, rng)
        add_litter(image, camera, rng)
        if seed % 2:
            add_backdrop(image, camera, name, rng)
        writer.add_background(image, PLACE, f"{name}-{seed}")


def straight(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return premultiplied BGRA as BGRA whose colours are not multiplied by alpha."""
    alpha = image[..., 3:]
    colours = np.minimum(image[..., :3].astype(np.uint16) * 255 // np.maximum(alpha, 1), 255)
    return np.dstack([colours, alpha]).astype(np.uint8)
