"""A scene: pictures of walking people, with the truth about them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInputError
from .background import draw_background, draw_kind
from .blending import overlap, paste
from .camera import plan_camera
from .choreography import Visit, plan_visits
from .config import SceneConfig
from .draws import stream
from .effects import draw_effects
from .figure import Pose
from .furniture import add_backdrop, add_litter, place_props, shade_ground
from .identities import Identities
from .props import Prop
from .shadows import ShadowMap, draw_sun
from .sprites import Sprite, SpriteCache

_SHUTTER_S = 0.008  # open so long for each frame


@dataclass(frozen=True, eq=False)
class SceneFrame:
    """One picture and its truth.

    Attributes:
        index: From 0.
        time_s: Seconds from the first frame.
        image: ``(H, W, 3)`` uint8 BGR.
        boxes: ``(N, 4)`` float32 xyxy, image px: the whole body, also what is hidden or beyond the picture.
        ids: ``(N,)`` int64, >= 1.
        visibility: ``(N,)`` float32 in [0, 1]: the share of the body that is seen.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    ids: NDArray[np.int64]
    visibility: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Placed:
    """A person in one frame: visit, ground distance, sprite, foot in picture px, scale."""

    visit: int
    y: float
    sprite: Sprite
    foot: tuple[float, float]
    px_per_m: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, picture px."""
        (x, y), scale, box = self.foot, self.px_per_m, self.sprite.box
        return (x + box[0] * scale, y + box[1] * scale, x + box[2] * scale, y + box[3] * scale)


class Scene:
    """A planned scene. Frames are functions of their index: any of them, in any order, as often as wanted."""

    def __init__(self, config: SceneConfig) -> None:
        """Plan the scene and draw its background."""
        self.config = config
        self.camera = plan_camera(config)
        rng = stream(config.seed, 3)
        drawn = draw_kind(rng)
        kind = config.background or drawn
        self._sun = draw_sun(rng)
        self._background = draw_background(kind, self.camera, rng)
        add_litter(self._background, self.camera, rng)
        add_backdrop(self._background, self.camera, kind, rng)
        self._props = place_props(config, self.camera, kind)
        for prop in self._props:
            shade_ground(self._background, prop)
        people, self._visits = plan_visits(config, self.camera)
        self._starts = np.array([visit.start_s for visit in self._visits])
        self._ends = np.array([visit.end_s for visit in self._visits])
        self._identities = Identities(config, self.camera, self._visits)
        self._effects = draw_effects(config)
        self._sprites = SpriteCache(people)

    def __len__(self) -> int:
        return self.config.frames

    def __iter__(self) -> Iterator[SceneFrame]:
        for index in range(self.config.frames):
            yield self.frame(index)

    def frame(self, index: int) -> SceneFrame:
        """Draw one frame.

        Args:
            index: From 0; the frames before need not have been drawn.

        Raises:
            InvalidInputError: The scene has no such frame.
        """
        if not 0 <= index < self.config.frames:
            raise InvalidInputError(f"Frame index is {index}; expected 0 to {self.config.frames - 1}.")
        time_s = index / self.config.frame_rate
        window = self.camera.window(time_s)
        people = self._people_at(time_s, window)
        image = self._ground(window, people)
        seen = self._draw(image, window, people)
        before = self.camera.window(time_s - _SHUTTER_S)
        image = self._effects.apply(image, index=index, time_s=time_s, drag_px=abs(window[0] - before[0]))
        return SceneFrame(
            index=index,
            time_s=time_s,
            image=image,
            boxes=np.array([person.box for person in people], np.float32).reshape(-1, 4),
            ids=np.array([self._identities.of(person.visit, index) for person in people], np.int64),
            visibility=np.array(seen, np.float32),
        )

    def _people_at(self, time_s: float, window: tuple[int, int]) -> list[_Placed]:
        """Return who touches the picture, far ones first."""
        present = np.flatnonzero((self._starts <= time_s) & (self._ends >= time_s)).tolist()
        placed = [self._placed(visit, self._visits[visit], time_s, window) for visit in present]
        width, height = self.config.width, self.config.height
        inside = [
            person
            for person in placed
            if person.box[0] < width and person.box[1] < height and person.box[2] > 0 and person.box[3] > 0
        ]
        return sorted(inside, key=lambda person: -person.y)

    def _placed(self, number: int, visit: Visit, time_s: float, window: tuple[int, int]) -> _Placed:
        x, y, phase, heading, amplitude = visit.at(time_s)
        spots, depths = self.camera.project(np.array([[x, y, 0.0], [x, y, 0.9]]))
        px_per_m = self.camera.focal_px / float(depths[1])
        pose = Pose(
            phase=phase,
            amplitude=amplitude,
            facing=heading - math.atan2(y, x),
            elevation=math.atan2(self.camera.height_m - 0.9, math.hypot(x, y)),
        )
        sprite = self._sprites.get(visit.who, pose, px_per_m)
        foot = (float(spots[0, 0]) - window[0], float(spots[0, 1]) - window[1])
        return _Placed(number, y, sprite, foot, px_per_m)

    def _ground(self, window: tuple[int, int], people: list[_Placed]) -> NDArray[np.uint8]:
        rows = slice(window[1], window[1] + self.config.height)
        columns = slice(window[0], window[0] + self.config.width)
        shadows = ShadowMap((self.config.height, self.config.width))
        for person in people:
            slope = self.camera.height_m / max(person.y, 0.5)
            shadows.add(person.sprite, person.foot, person.px_per_m, min(slope, 1.5), self._sun)
        return shadows.darken(np.ascontiguousarray(self._background[rows, columns]))

    def _draw(self, image: NDArray[np.uint8], window: tuple[int, int], people: list[_Placed]) -> list[float]:
        """Draw people and things, far ones first, in place; return how much of each person is seen."""
        owner = np.zeros(image.shape[:2], np.uint16)  # who is seen at each px: 0 nobody, else place in `people` + 1
        sizes = np.ones(len(people) + 1)
        things: list[tuple[float, int, Prop | _Placed]] = [(-prop.y, 0, prop) for prop in self._props]
        things += [(-person.y, number, person) for number, person in enumerate(people, 1)]
        for _, number, thing in sorted(things, key=lambda item: item[:2]):
            if isinstance(thing, Prop):
                corner = (thing.corner[0] - window[0], thing.corner[1] - window[1])
                picture = thing.image
            else:
                picture, corner = _scaled(thing)
            mask = picture[:, :, 3] > 127
            sizes[number] = max(int(np.count_nonzero(mask)), 1)
            paste(image, picture, corner)
            areas = overlap(image.shape[:2], mask.shape, corner)
            if areas is not None:
                owner[areas[0]][mask[areas[1]]] = number
        counts = np.bincount(owner.ravel(), minlength=len(people) + 1)
        return [min(float(share), 1.0) for share in counts[1:] / sizes[1:]]


def _scaled(person: _Placed) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Bring a person's sprite to its size and sub-pixel place; return it and its left upper corner."""
    sprite, part = person.sprite, person.px_per_m / person.sprite.px_per_m
    left, top = person.foot[0] - sprite.foot[0] * part, person.foot[1] - sprite.foot[1] * part
    corner = (math.floor(left), math.floor(top))
    size = (math.ceil(sprite.image.shape[1] * part) + 2, math.ceil(sprite.image.shape[0] * part) + 2)
    shift = 0.5 * part - 0.5  # px centres are at half px
    matrix = np.array([[part, 0.0, left - corner[0] + shift], [0.0, part, top - corner[1] + shift]])
    return np.asarray(cv2.warpAffine(sprite.image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8), corner
