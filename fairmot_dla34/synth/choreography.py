"""Who is where at what time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance, draw_appearance, dressed_like
from .camera import Camera
from .config import SceneConfig
from .draws import Rng, between, chance, pick, stream, weighted
from .paths import STEP_S, Walk, draw_walk

_GROUP_SIZES = {1: 0.62, 2: 0.24, 3: 0.09, 4: 0.05}
_PERSONAL_M = 0.5  # people closer than this step aside
_AWAY, _AWAY_PAN = 1.15, 1.6  # planned for each one seen: some are just outside
_UNIFORMS = 3  # sets of clothes that several people wear
_STRIDE = 0.82  # metres walked in one cycle of two steps, in statures


@dataclass(frozen=True, eq=False)
class Visit:
    """One person's stay.

    Attributes:
        who: Index of the appearance; a person who returns has a second visit.
        start_s: When the stay begins, may be before the scene does.
        xy: ``(T, 2)`` ground positions every `STEP_S`, m.
        phase: ``(T,)`` of the step cycle, rad, not wrapped.
        heading: ``(T,)`` world direction of the body, rad, not wrapped.
        amplitude: ``(T,)`` of the swing, 0 to 1.
    """

    who: int
    start_s: float
    xy: NDArray[np.float64]
    phase: NDArray[np.float64]
    heading: NDArray[np.float64]
    amplitude: NDArray[np.float64]

    @property
    def end_s(self) -> float:
        """When the stay ends."""
        return self.start_s + (len(self.xy) - 1) * STEP_S

    def at(self, time_s: float) -> tuple[float, float, float, float, float]:
        """Return x, y, phase, heading and amplitude at a time within the stay."""
        place = (time_s - self.start_s) / STEP_S
        index = min(max(int(place), 0), len(self.xy) - 2)
        part = place - index
        mixed = [
            float(row[index] + part * (row[index + 1] - row[index]))
            for row in (self.xy[:, 0], self.xy[:, 1], self.phase, self.heading, self.amplitude)
        ]
        return mixed[0], mixed[1], mixed[2], mixed[3], mixed[4]


def plan_visits(config: SceneConfig, camera: Camera) -> tuple[list[Appearance], list[Visit]]:
    """Plan the whole scene.

    Returns:
        The people and their visits.
    """
    people: list[Appearance] = []
    visits: list[Visit] = []
    rng = stream(config.seed, 2)
    uniforms = [draw_appearance(rng) for _ in range(_UNIFORMS)]
    planned = round(config.people * (_AWAY_PAN if config.camera == "pan" else _AWAY))
    left = planned if config.people > 1 else 1
    while left > 0:
        size = min(weighted(rng, _GROUP_SIZES), left)
        left -= size
        # A stream for each group: a longer scene with the same seed begins like the shorter one.
        _plan_group(config, camera, stream(config.seed, 2, left), size, (people, visits, uniforms))
    _step_aside(visits)
    return people, visits


def _plan_group(
    config: SceneConfig,
    camera: Camera,
    rng: Rng,
    size: int,
    plan: tuple[list[Appearance], list[Visit], list[Appearance]],
) -> None:
    """Fill the scene's time with one group after another."""
    people, visits, uniforms = plan
    walk = draw_walk(camera, rng)
    start_s = -between(rng, 0.03, 0.97) * walk.duration_s
    members: list[int] = []
    while start_s < config.duration_s:
        if not members or not chance(rng, 0.15):  # else the same people come back
            members = [_new_person(people, rng, uniforms) for _ in range(size)]
        offsets = _formation(size, rng)
        visits.extend(
            _visit(who, start_s, walk, offset, people[who].stature_m, rng)
            for who, offset in zip(members, offsets, strict=True)
        )
        start_s += walk.duration_s + between(rng, 0.5, 3)
        walk = draw_walk(camera, rng)


def _new_person(people: list[Appearance], rng: Rng, uniforms: list[Appearance]) -> int:
    own = chance(rng, 0.86)
    people.append(draw_appearance(rng) if own else dressed_like(pick(rng, uniforms), rng))
    return len(people) - 1


def _formation(size: int, rng: Rng) -> list[tuple[float, float]]:
    """Return each member's place beside and behind the way, m."""
    if size == 1:
        return [(between(rng, -0.3, 0.3), 0.0)]
    gap = between(rng, 0.55, 0.8)
    beside = [(index - (size - 1) / 2) * gap for index in range(size)]
    return [(place + between(rng, -0.1, 0.1), between(rng, -0.5, 0.5)) for place in beside]


def _visit(who: int, start_s: float, walk: Walk, offset: tuple[float, float], stature_m: float, rng: Rng) -> Visit:
    velocity = np.gradient(walk.xy, STEP_S, axis=0)
    speed = np.gradient(walk.distance, STEP_S)
    heading = _held_heading(velocity, speed)
    smooth = _smoothed(heading, 7)
    sway = 0.08 * np.sin(np.arange(len(smooth)) * STEP_S * between(rng, 0.5, 1.2) + between(rng, 0, 6))
    beside, behind = offset[0] + sway, offset[1]
    across = np.stack([-np.sin(smooth), np.cos(smooth)], axis=1) * beside[:, None]
    along = np.stack([np.cos(smooth), np.sin(smooth)], axis=1) * behind
    turned = np.where(speed < 0.2, between(rng, -1.5, 1.5), 0.0)  # who stands looks around
    stride = _STRIDE * stature_m * between(rng, 0.93, 1.07)
    phase = 2 * math.pi * walk.distance / stride + between(rng, 0, 6.28)
    amplitude = np.clip(speed / 1.35, 0, 1)
    return Visit(who, start_s, walk.xy + across + along, phase, smooth + _smoothed(turned, 11), amplitude)


def _held_heading(velocity: NDArray[np.float64], speed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of movement; who stands keeps the last one."""
    heading = np.arctan2(velocity[:, 1], velocity[:, 0])
    moving = np.flatnonzero(speed > 0.1)
    if len(moving):
        latest = moving[np.maximum(np.searchsorted(moving, np.arange(len(heading)), side="right") - 1, 0)]
        heading = heading[latest]
    return np.asarray(np.unwrap(heading))


def _smoothed(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return a moving mean over ``width`` steps, an odd number, along the first axis of ``(T,)``."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _step_aside(visits: list[Visit]) -> None:
    """Move people who come too close to each other apart, in place, before anyone sees the visits."""
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
    for visit, move in zip(visits, moves, strict=True):
        for axis in (0, 1):
            visit.xy[:, axis] += 1.4 * _smoothed(move[:, axis], 13)


def _pushes(places: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = places[:, None] - places[None]  # (N, N, 2): from j to i
    distance = np.sqrt((apart**2).sum(axis=2)) + 1e-6
    np.fill_diagonal(distance, 9.0)
    push = np.maximum(_PERSONAL_M - distance, 0.0) / distance * 0.6
    return np.asarray((apart * push[:, :, None]).sum(axis=1))
