"""People: gait, appearance, distances between them, and identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from synth.scenes import middle_m, plain, staged, walker

from fairmot_dla34.synth.appearance import random_appearance
from fairmot_dla34.synth.camera import plan_camera
from fairmot_dla34.synth.crowd import plan_crowd
from fairmot_dla34.synth.figure import SOLE, Pose, joints
from fairmot_dla34.synth.ground_truth import Identities
from fairmot_dla34.synth.person import draw_person
from fairmot_dla34.synth.rng import random_stream
from fairmot_dla34.synth.walks import STEP_S, Visit

FRONT, BACK, RIGHT, LEFT = math.pi, 0.0, -math.pi / 2, math.pi / 2


def drawn(facing: float, *, phase: float = 0.0, amplitude: float = 0.0, seed: int = 1) -> NDArray[np.uint8]:
    image, _ = draw_person(random_appearance(random_stream(seed, 9)), Pose(phase, amplitude, facing, 0.1), 80.0)
    return image


def width(image: NDArray[np.uint8]) -> int:
    columns = np.flatnonzero(image[:, :, 3].max(axis=0) > 127)
    return int(columns[-1] - columns[0])


@pytest.mark.parametrize("phase", np.linspace(0, 2 * math.pi, 9))
def test_one_foot_is_always_on_the_ground(phase: float) -> None:
    found = joints(phase, 1.0, arms="swing", build=1.0, lean=0.0)
    assert min(found["ankle_l"][2], found["ankle_r"][2]) == pytest.approx(SOLE)
    assert 0.9 < found["head"][2] < 1.0


def test_legs_swing_and_each_side_of_a_person_looks_different() -> None:
    assert width(drawn(RIGHT, phase=math.pi / 2, amplitude=1.0)) > 1.5 * width(drawn(RIGHT))
    views = [drawn(facing) for facing in (FRONT, BACK, RIGHT, LEFT)]
    assert all(not np.array_equal(a, b) for index, a in enumerate(views) for b in views[:index])


def test_premultiplied_colours_never_exceed_alpha_by_much() -> None:
    """Shading may brighten an edge px slightly; more would draw halos."""
    image = drawn(FRONT).astype(int)
    assert (image[:, :, :3].max(axis=2) - image[:, :, 3]).max() <= 24


def test_people_walk_at_walking_speed_and_phase_follows_distance() -> None:
    config = plain(people=30)
    _, visits = plan_crowd(config, plan_camera(config))
    speeds = np.concatenate([np.hypot(*np.diff(visit.xy, axis=0).T) / STEP_S for visit in visits])
    assert np.median(speeds) == pytest.approx(1.3, abs=0.3)
    assert np.quantile(speeds, 0.999) < 5
    for visit in visits:
        still = np.hypot(*np.diff(visit.xy, axis=0).T) < 1e-9
        assert np.diff(visit.phase)[still].sum() < 1.0  # no steps without movement


def test_people_keep_apart() -> None:
    config = plain(people=40, frames=20)
    _, visits = plan_crowd(config, plan_camera(config))
    places = np.array([visit.at(0.4)[:2] for visit in visits if visit.start_s <= 0.4 <= visit.end_s])
    distance = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 9 * np.eye(len(places))
    assert len(places) > 20
    assert np.quantile(distance.min(axis=1), 0.1) > 0.2


def absent_visit(away_s: float, y: float, far_x: float) -> Visit:
    """A person in the image for 4 s, outside it for ``away_s``, and in it again for 4 s."""
    visit = walker((0.0, y), (0.0, 0.0), seconds=8 + away_s)
    outside = slice(round(4 / STEP_S), round((4 + away_s) / STEP_S))
    visit.xy[outside, 0] = far_x
    return visit


@pytest.mark.parametrize(("away_s", "ids"), [(0.5, {1}), (3.0, {1, 2})])
def test_a_person_absent_for_more_than_a_second_gets_a_new_id(away_s: float, ids: set[int]) -> None:
    config = plain(frames=270)
    camera = plan_camera(config)
    y = (camera.near_m * camera.far_m) ** 0.5
    visit = absent_visit(away_s, y, 5 * camera.half_width(y))
    identities = Identities(config, camera, [visit])
    end = int((8 + away_s) * config.frame_rate) - 3
    assert {identities.id_at(0, index) for index in (2, end)} == ids


def test_ids_follow_the_order_of_appearance() -> None:
    config = plain(frames=100)
    y = middle_m(staged(config))
    late = walker((0.0, y), (0.0, 0.0))
    late = Visit(late.person, 2.0, late.xy, late.phase, late.heading, late.amplitude)
    scene = staged(config, late, walker((1.0, y), (0.0, 0.0)))
    assert scene.frame(0).ids.tolist() == [1]
    assert sorted(scene.frame(99).ids.tolist()) == [1, 2]


def test_hidden_people_keep_their_id() -> None:
    config = plain()
    y = middle_m(staged(config))
    scene = staged(config, walker((0.0, y + 1), (0.0, 0.0)), walker((-1.0, y), (1.0, 0.0), person=1))
    assert {tuple(sorted(scene.frame(index).ids.tolist())) for index in range(0, 50, 5)} == {(1, 2)}
