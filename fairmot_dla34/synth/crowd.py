"""The crowd of a scene: groups of people, their visits over time, and the distance they keep from each other."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance, random_appearance, random_wearer
from .camera import Camera
from .config import SceneConfig
from .rng import Part, Rng, chance, choice, random_stream, uniform, weighted_choice
from .walks import STEP_S, Visit, make_visit, moving_mean, plan_walk

_GROUP_SIZES = {1: 0.62, 2: 0.24, 3: 0.09, 4: 0.05}
_PERSONAL_M = 0.5  # people closer than this move apart
# People planned per person in the image. A part of them is outside, more so with a camera that sweeps.
_PLANNED, _PLANNED_PAN = 1.15, 1.6
_UNIFORMS = 3  # outfits that several people wear


class Crowd(NamedTuple):
    """The people of a scene, or a part of them, and their visits.

    Attributes:
        people: Appearances, one per person.
        visits: All visits, in no particular order.
    """

    people: list[Appearance]
    visits: list[Visit]


def plan_crowd(config: SceneConfig, camera: Camera) -> Crowd:
    """Plan everyone who visits the scene, over its whole duration."""
    rng = random_stream(config.seed, Part.PEOPLE)
    uniforms = [random_appearance(rng) for _ in range(_UNIFORMS)]
    planned = round(config.people * (_PLANNED_PAN if config.camera == "pan" else _PLANNED))
    left = planned if config.people > 1 else 1
    people: list[Appearance] = []
    visits: list[Visit] = []
    while left > 0:
        size = min(weighted_choice(rng, _GROUP_SIZES), left)
        left -= size
        # A stream per place in the scene, so that a longer scene with the same seed starts like the shorter one.
        stream = random_stream(config.seed, Part.PEOPLE, left)
        more = _plan_groups(config, camera, stream, size, uniforms, first_person=len(people))
        people.extend(more.people)
        visits.extend(more.visits)
    return Crowd(people, _moved_apart(visits))


def _plan_groups(
    config: SceneConfig, camera: Camera, rng: Rng, size: int, uniforms: list[Appearance], *, first_person: int
) -> Crowd:
    """Plan groups of one size that follow one another until the scene ends.

    Args:
        config: The scene.
        camera: Its camera.
        rng: Source of the draws.
        size: Number of people in each group.
        uniforms: Outfits that several people wear.
        first_person: Index of the first person planned here.
    """
    people: list[Appearance] = []
    visits: list[Visit] = []
    walk = plan_walk(camera, rng)
    start_s = -uniform(rng, 0.03, 0.97) * walk.duration_s
    members = range(0)
    while start_s < config.duration_s:
        if not members or not chance(rng, 0.15):  # otherwise the same people return
            members = range(len(people), len(people) + size)
            people.extend(_random_person(rng, uniforms) for _ in members)
        offsets = _plan_formation(size, rng)
        visits.extend(
            make_visit(first_person + member, start_s, walk, offset, people[member].stature_m, rng)
            for member, offset in zip(members, offsets, strict=True)
        )
        start_s += walk.duration_s + uniform(rng, 0.5, 3)
        walk = plan_walk(camera, rng)
    return Crowd(people, visits)


def _random_person(rng: Rng, uniforms: list[Appearance]) -> Appearance:
    own_clothes = chance(rng, 0.86)
    return random_appearance(rng) if own_clothes else random_wearer(choice(rng, uniforms), rng)


def _plan_formation(size: int, rng: Rng) -> list[tuple[float, float]]:
    """Return each member's (left, ahead) offset from the path, m."""
    if size == 1:
        return [(uniform(rng, -0.3, 0.3), 0.0)]
    gap = uniform(rng, 0.55, 0.8)
    offsets = [(index - (size - 1) / 2) * gap for index in range(size)]
    return [(left + uniform(rng, -0.1, 0.1), uniform(rng, -0.5, 0.5)) for left in offsets]


def _moved_apart(visits: list[Visit]) -> list[Visit]:
    """Return the visits with changed paths: people closer than `_PERSONAL_M` are moved apart."""
    first = [round(visit.start_s / STEP_S) for visit in visits]
    moves = [np.zeros_like(visit.xy) for visit in visits]
    events = sorted(range(len(visits)), key=lambda index: first[index])
    active: list[int] = []
    waiting = 0
    last = max((start + len(visit.xy) for start, visit in zip(first, visits, strict=True)), default=0)
    for tick in range(min(first, default=0), last):
        while waiting < len(events) and first[events[waiting]] <= tick:
            active.append(events[waiting])
            waiting += 1
        active = [index for index in active if tick < first[index] + len(visits[index].xy)]
        if len(active) > 1:
            places = np.array([visits[index].xy[tick - first[index]] for index in active])
            for index, push in zip(active, _pushes(places), strict=True):
                moves[index][tick - first[index]] = push
    return [
        replace(visit, xy=visit.xy + 1.4 * np.stack([moving_mean(move[:, axis], 13) for axis in (0, 1)], axis=1))
        for visit, move in zip(visits, moves, strict=True)
    ]


def _pushes(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each of ``(N, 2)`` ground positions is pushed away from the others, ``(N, 2)`` m."""
    apart = places[:, None] - places[None]  # (N, N, 2): from j to i
    distance = np.sqrt((apart**2).sum(axis=2)) + 1e-6
    np.fill_diagonal(distance, 9.0)
    push = np.maximum(_PERSONAL_M - distance, 0.0) / distance * 0.6
    return np.asarray((apart * push[:, :, None]).sum(axis=1))
