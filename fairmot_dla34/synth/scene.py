"""Rendering of a scene: frames with walking people and their ground truth, drawn for any frame index."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInputError
from .background import draw_background, random_background
from .camera import plan_camera
from .config import SceneConfig
from .crowd import plan_crowd
from .drawing import overlap, paste
from .effects import random_effects
from .figure import Pose
from .ground_truth import Identities, SceneFrame
from .props import Prop, add_backdrop, add_litter, place_props, shade_ground
from .rng import Part, random_stream
from .shadows import ShadowMap, random_sun
from .sprites import Sprite, SpriteCache
from .walks import Visit

_SHUTTER_S = 0.008  # exposure time of a frame
_MIDDLE_M = 0.9  # height of the middle of a person, where scale and elevation are measured


@dataclass(frozen=True, eq=False)
class _PlacedPerson:
    """A person in one frame.

    Attributes:
        visit: Index of the visit.
        y: Ground distance, m.
        sprite: Image of the person.
        foot: (x, y) of the foot, image px.
        px_per_m: Scale in the image.
    """

    visit: int
    y: float
    sprite: Sprite
    foot: tuple[float, float]
    px_per_m: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, image px."""
        (x, y), scale, box = self.foot, self.px_per_m, self.sprite.box
        return (x + box[0] * scale, y + box[1] * scale, x + box[2] * scale, y + box[3] * scale)


class Scene:
    """A planned scene. A frame depends on its index only, so frames can be drawn in any order and repeatedly.

    Attributes:
        config: Settings of the scene.
        camera: Camera of the scene.
    """

    def __init__(self, config: SceneConfig) -> None:
        """Plan the scene and draw its background."""
        self.config = config
        self.camera = plan_camera(config)
        rng = random_stream(config.seed, Part.BACKGROUND)
        drawn = random_background(rng)  # drawn even if unused, so that naming a background changes nothing else
        background = config.background or drawn
        self._sun = random_sun(rng)
        self._canvas = draw_background(background, self.camera, rng)
        add_litter(self._canvas, self.camera, rng)
        add_backdrop(self._canvas, self.camera, background, rng)
        self._props = place_props(config, self.camera, background)
        for prop in self._props:
            shade_ground(self._canvas, prop)
        people, self._visits = plan_crowd(config, self.camera)
        self._starts = np.array([visit.start_s for visit in self._visits])
        self._ends = np.array([visit.end_s for visit in self._visits])
        self._identities = Identities(config, self.camera, self._visits)
        self._effects = random_effects(config)
        self._sprites = SpriteCache(people)

    def __len__(self) -> int:
        return self.config.frames

    def __iter__(self) -> Iterator[SceneFrame]:
        for index in range(self.config.frames):
            yield self.frame(index)

    def frame(self, index: int) -> SceneFrame:
        """Draw one frame.

        Args:
            index: Frame index, from 0; earlier frames need not have been drawn.

        Raises:
            InvalidInputError: The index is outside the scene.
        """
        if not 0 <= index < self.config.frames:
            raise InvalidInputError(f"Frame index is {index}; expected 0 to {self.config.frames - 1}.")
        time_s = index / self.config.frame_rate
        window = self.camera.window(time_s)
        people = self._people_at(time_s, window)
        image = self._shaded_ground(window, people)
        visibility = self._draw(image, window, people)
        before = self.camera.window(time_s - _SHUTTER_S)
        image = self._effects.apply(image, index=index, time_s=time_s, drag_px=abs(window[0] - before[0]))
        return SceneFrame(
            index=index,
            time_s=time_s,
            image=image,
            boxes=np.array([person.box for person in people], np.float32).reshape(-1, 4),
            ids=np.array([self._identities.id_at(person.visit, index) for person in people], np.int64),
            visibility=np.array(visibility, np.float32),
        )

    def _people_at(self, time_s: float, window: tuple[int, int]) -> list[_PlacedPerson]:
        """Return the people whose boxes meet the image, ordered from far to near."""
        present = np.flatnonzero((self._starts <= time_s) & (self._ends >= time_s)).tolist()
        placed = [self._place(index, self._visits[index], time_s, window) for index in present]
        width, height = self.config.width, self.config.height
        inside = [
            person
            for person in placed
            if person.box[0] < width and person.box[1] < height and person.box[2] > 0 and person.box[3] > 0
        ]
        return sorted(inside, key=lambda person: -person.y)

    def _place(self, index: int, visit: Visit, time_s: float, window: tuple[int, int]) -> _PlacedPerson:
        x, y, phase, heading, amplitude = visit.at(time_s)
        points, depths = self.camera.project(np.array([[x, y, 0.0], [x, y, _MIDDLE_M]]))
        px_per_m = self.camera.focal_px / float(depths[1])
        pose = Pose(
            phase=phase,
            amplitude=amplitude,
            facing=heading - math.atan2(y, x),
            elevation=math.atan2(self.camera.height_m - _MIDDLE_M, math.hypot(x, y)),
        )
        sprite = self._sprites.get(visit.person, pose, px_per_m)
        foot = (float(points[0, 0]) - window[0], float(points[0, 1]) - window[1])
        return _PlacedPerson(index, y, sprite, foot, px_per_m)

    def _shaded_ground(self, window: tuple[int, int], people: list[_PlacedPerson]) -> NDArray[np.uint8]:
        """Return the part of the canvas that the image shows, with the shadows of people."""
        rows = slice(window[1], window[1] + self.config.height)
        columns = slice(window[0], window[0] + self.config.width)
        shadows = ShadowMap((self.config.height, self.config.width))
        for person in people:
            slope = self.camera.height_m / max(person.y, 0.5)
            shadows.add(person.sprite, person.foot, person.px_per_m, min(slope, 1.5), self._sun)
        return shadows.darken(np.ascontiguousarray(self._canvas[rows, columns]))

    def _draw(self, image: NDArray[np.uint8], window: tuple[int, int], people: list[_PlacedPerson]) -> list[float]:
        """Draw people and props from far to near, in place; return the visible share of each person."""
        owner = np.zeros(image.shape[:2], np.uint16)  # person seen at each px: index in `people` + 1, or 0
        sizes = np.ones(len(people) + 1)
        items: list[tuple[float, int, Prop | _PlacedPerson]] = [(-prop.y, 0, prop) for prop in self._props]
        items += [(-person.y, number, person) for number, person in enumerate(people, 1)]
        for _, number, item in sorted(items, key=lambda entry: entry[:2]):
            if isinstance(item, Prop):
                corner = (item.corner[0] - window[0], item.corner[1] - window[1])
                upper = item.image
            else:
                upper, corner = _scaled_sprite(item)
            mask = upper[:, :, 3] > 127
            sizes[number] = max(int(np.count_nonzero(mask)), 1)
            paste(image, upper, corner)
            areas = overlap(image.shape[:2], mask.shape, corner)
            if areas is not None:
                owner[areas[0]][mask[areas[1]]] = number
        counts = np.bincount(owner.ravel(), minlength=len(people) + 1)
        return [min(float(share), 1.0) for share in counts[1:] / sizes[1:]]


def _scaled_sprite(person: _PlacedPerson) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Scale a person's sprite and move it to its sub-pixel position; return it and its top left corner, image px."""
    sprite, part = person.sprite, person.px_per_m / person.sprite.px_per_m
    left, top = person.foot[0] - sprite.foot[0] * part, person.foot[1] - sprite.foot[1] * part
    corner = (math.floor(left), math.floor(top))
    size = (math.ceil(sprite.image.shape[1] * part) + 2, math.ceil(sprite.image.shape[0] * part) + 2)
    shift = 0.5 * part - 0.5  # pixel centres are at half px
    matrix = np.array([[part, 0.0, left - corner[0] + shift], [0.0, part, top - corner[1] + shift]])
    return np.asarray(cv2.warpAffine(sprite.image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8), corner
