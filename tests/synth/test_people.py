"""Walkers: how they step, look and get their numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scenes import middle_m, plain, staged, walker

from fairmot_dla34.synth.appearance import draw_appearance
from fairmot_dla34.synth.camera import plan_camera
from fairmot_dla34.synth.choreography import Visit, plan_visits
from fairmot_dla34.synth.draws import stream
from fairmot_dla34.synth.figure import Pose
from fairmot_dla34.synth.identities import Identities
from fairmot_dla34.synth.paths import STEP_S
from fairmot_dla34.synth.skeleton import SOLE, joints
from fairmot_dla34.synth.walker import draw_walker

FRONT, BACK, RIGHT, LEFT = math.pi, 0.0, -math.pi / 2, math.pi / 2


def drawn(facing: float, *, phase: float = 0.0, amplitude: float = 0.0, seed: int = 1) -> np.ndarray:
    image, _ = draw_walker(draw_appearance(stream(seed, 9)), Pose(phase, amplitude, facing, 0.1), 80.0)
    return image


def width(image: np.ndarray) -> int:
    columns = np.flatnonzero(image[:, :, 3].max(axis=0) > 127)
    return int(columns[-1] - columns[0])


@pytest.mark.parametrize("phase", np.linspace(0, 2 * math.pi, 9))
def test_one_foot_is_always_on_the_ground(phase: float) -> None:
    found = joints(phase, 1.0, arms="swing", build=1.0, lean=0.0)
    assert min(found["ankle_l"][2], found["ankle_r"][2]) == pytest.approx(SOLE)
    assert 0.9 < found["head"][2] < 1.0


def test_legs_swing_and_people_look_different_from_each_side() -> None:
    assert width(drawn(RIGHT, phase=math.pi / 2, amplitude=1.0)) > 1.5 * width(drawn(RIGHT))
    views = [drawn(facing) for facing in (FRONT, BACK, RIGHT, LEFT)]
    assert all(not np.array_equal(a, b) for index, a in enumerate(views) for b in views[:index])


def test_premultiplied_colours_never_exceed_alpha_by_much() -> None:
    """Shading may brighten an edge px by a little; more would draw halos."""
    image = drawn(FRONT).astype(int)
    assert (image[:, :, :3].max(axis=2) - image[:, :, 3]).max() <= 24


def test_people_walk_at_walking_speed_and_phase_follows_distance() -> None:
    config = plain(people=30)
    _, visits = plan_visits(config, plan_camera(config))
    speeds = np.concatenate([np.hypot(*np.diff(visit.xy, axis=0).T) / STEP_S for visit in visits])
    assert np.median(speeds) == pytest.approx(1.3, abs=0.3)
    assert np.quantile(speeds, 0.999) < 5
    for visit in visits:
        still = np.hypot(*np.diff(visit.xy, axis=0).T) < 1e-9
        assert np.diff(visit.phase)[still].sum() < 1.0  # nobody walks on the spot


def test_people_keep_apart() -> None:
    config = plain(people=40, frames=20)
    _, visits = plan_visits(config, plan_camera(config))
    places = np.array([visit.at(0.4)[:2] for visit in visits if visit.start_s <= 0.4 <= visit.end_s])
    distance = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 9 * np.eye(len(places))
    assert len(places) > 20
    assert np.quantile(distance.min(axis=1), 0.1) > 0.2


def there_and_back(away_s: float, y: float, far_x: float) -> Visit:
    """Someone in the picture for 4 s, beside it for ``away_s``, in it again for 4 s."""
    visit = walker((0.0, y), (0.0, 0.0), seconds=8 + away_s)
    outside = slice(round(4 / STEP_S), round((4 + away_s) / STEP_S))
    visit.xy[outside, 0] = far_x
    return visit


@pytest.mark.parametrize(("away_s", "numbers"), [(0.5, {1}), (3.0, {1, 2})])
def test_who_was_out_of_the_picture_for_more_than_a_second_is_someone_new(away_s: float, numbers: set[int]) -> None:
    config = plain(frames=270)
    camera = plan_camera(config)
    y = (camera.near_m * camera.far_m) ** 0.5
    visit = there_and_back(away_s, y, 5 * camera.half_width(y))
    found = Identities(config, camera, [visit])
    end = int((8 + away_s) * config.frame_rate) - 3
    assert {found.of(0, index) for index in (2, end)} == numbers


def test_numbers_begin_with_who_is_there_first() -> None:
    config = plain(frames=100)
    y = middle_m(staged(config))
    late = walker((0.0, y), (0.0, 0.0))
    late = Visit(late.who, 2.0, late.xy, late.phase, late.heading, late.amplitude)
    scene = staged(config, late, walker((1.0, y), (0.0, 0.0)))
    assert scene.frame(0).ids.tolist() == [1]
    assert sorted(scene.frame(99).ids.tolist()) == [1, 2]


def test_hidden_people_keep_their_number() -> None:
    config = plain()
    y = middle_m(staged(config))
    scene = staged(config, walker((0.0, y + 1), (0.0, 0.0)), walker((-1.0, y), (1.0, 0.0), who=1))
    assert {tuple(sorted(scene.frame(index).ids.tolist())) for index in range(0, 50, 5)} == {(1, 2)}
