"""People for tests of analytics: random walks with gaps and uneven times, and the paths of synthetic scenes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.synth import SceneConfig
from fairmot_dla34.synth.camera import PERSON_M, plan_camera
from fairmot_dla34.synth.crowd import plan_crowd
from fairmot_dla34.synth.ground_truth import Identities

SIZE = (640, 360)


def person(track_id: int, x: float, y: float, height: float = 60.0) -> Track:
    """A track with its foot at (x, y)."""
    return Track(track_id, (x - height / 5, y - height, x + height / 5, y), 0.9, 0)


def frames(
    points: Iterable[tuple[float, float] | None], *, rate: float = 10.0, height: float = 60.0
) -> list[FrameResult]:
    """Results with one person; None is a frame in which the person is lost."""
    return [
        FrameResult(index, index / rate, () if point is None else (person(1, *point, height),))
        for index, point in enumerate(points)
    ]


@cache
def random_walks(seed: int, people: int = 6, count: int = 80) -> list[FrameResult]:
    """People who wander, stop, jitter and get lost, at uneven frame times with skipped frames."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.choice([0.02, 0.04, 0.1, 0.4], count, p=[0.3, 0.5, 0.15, 0.05]))
    skipped = rng.random(count) < 0.05
    tracks: list[list[Track]] = [[] for _ in range(count)]
    for track_id in range(1, people + 1):
        path = random_path(rng, times)
        height = rng.uniform(20, 120)
        lost = np.zeros(count, bool)
        for _ in range(rng.integers(0, 4)):
            start = rng.integers(0, count)
            lost[start : start + rng.integers(1, 60)] = True
        for frame in np.flatnonzero(~lost & ~skipped):
            tracks[frame].append(person(track_id, float(path[frame, 0]), float(path[frame, 1]), float(height)))
    return [FrameResult(i, float(times[i]), tuple(tracks[i])) for i in range(count) if not skipped[i]]


def random_path(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """A path over and around the image: straight legs, with stops, plus jitter."""
    knots = rng.integers(2, 7)
    places = rng.uniform((-40, 60), (SIZE[0] + 40, SIZE[1] + 40), (knots, 2))
    if rng.random() < 0.4:  # to and fro over a short way, as people who wait
        places = places[0] + rng.normal(0, 12, (knots, 2))
    at = np.sort(rng.uniform(times[0], times[-1], knots))
    path = np.stack([np.interp(times, at, places[:, axis]) for axis in (0, 1)], axis=1)
    return np.asarray(path + rng.normal(0, rng.choice([0.0, 1.0, 3.0]), path.shape))


@cache
def scene_paths(seed: int) -> list[FrameResult]:
    """Ground truth of a synthetic scene, as boxes of people of mean stature, without rendering."""
    camera_kind = ("still", "still", "shake", "pan")[seed % 4]
    config = SceneConfig(
        people=4, width=SIZE[0], height=SIZE[1], frames=60, frame_rate=10.0, seed=seed, camera=camera_kind
    )
    camera = plan_camera(config)
    visits = plan_crowd(config, camera).visits
    identities = Identities(config, camera, visits)
    results = []
    for index in range(config.frames):
        time_s = index / config.frame_rate
        window = camera.window(time_s)
        tracks = []
        for number, visit in enumerate(visits):
            if not visit.start_s <= time_s <= visit.end_s:
                continue
            x, y, *_ = visit.at(time_s)
            points, _ = camera.project(np.array([[x, y, 0.0], [x, y, PERSON_M]]))
            (foot_x, foot_y), (_, head_y) = (points - window).tolist()
            track = person(identities.id_at(number, index), foot_x, foot_y, foot_y - head_y)
            left, top, right, bottom = track.box
            if right > 0 and left < SIZE[0] and bottom > 0 and top < SIZE[1]:
                tracks.append(track)
        results.append(FrameResult(index, time_s, tuple(tracks)))
    return results
