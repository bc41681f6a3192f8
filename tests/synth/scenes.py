"""Small scenes for tests, and scenes whose people are placed by the test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fairmot_dla34.synth import Scene, SceneConfig
from fairmot_dla34.synth.ground_truth import Identities
from fairmot_dla34.synth.shadows import Sun
from fairmot_dla34.synth.walks import STEP_S, Visit


def small(**changes: Any) -> SceneConfig:
    return SceneConfig(**({"people": 6, "width": 256, "height": 144, "frames": 50, "seed": 3} | changes))


def plain(**changes: Any) -> SceneConfig:
    """A clean image without occluders."""
    return small(**({"occluders": 0, "degradation": 0, "person_height": (0.2, 0.6)} | changes))


def walker(start: tuple[float, float], velocity: tuple[float, float], seconds: float = 30.0, person: int = 0) -> Visit:
    """A person who walks straight ahead from time 0, or stands if the velocity is 0."""
    times = np.arange(round(seconds / STEP_S) + 1) * STEP_S
    speed = math.hypot(*velocity)
    ones = np.ones_like(times)
    return Visit(
        person=person,
        start_s=0.0,
        xy=np.array(start) + times[:, None] * velocity,
        phase=np.asarray(times * speed * 4.5, np.float64),
        heading=math.atan2(velocity[1], velocity[0]) * ones,
        amplitude=min(speed, 1.0) * ones,
    )


def staged(config: SceneConfig, *visits: Visit) -> Scene:
    """A scene with these visits only and without shadows; appearances are the planned ones."""
    scene = Scene(config)
    scene._visits = list(visits)
    scene._starts = np.array([visit.start_s for visit in visits])
    scene._ends = np.array([visit.end_s for visit in visits])
    scene._identities = Identities(config, scene.camera, scene._visits)
    scene._sun = Sun(strength=0.0, contact=0.0, right=0.0, away=0.0)
    return scene


def middle_m(scene: Scene) -> float:
    """A ground distance between those of the nearest and the farthest people, m."""
    return float((scene.camera.near_m * scene.camera.far_m) ** 0.5)
