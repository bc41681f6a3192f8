"""Simulated worlds and detectors: repeatable, plausible, and of the quality that their settings ask for."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from simulated_detector import DetectorConfig, detect
from simulated_world import CAMERAS, TruthFrame, WorldConfig, simulate

from fairmot_dla34 import Detections
from fairmot_dla34.geometry import iou

WORLD = WorldConfig(seed=3, people=40, frame_rate=10.0, seconds=6.0)
SIZE = (WORLD.width, WORLD.height)


def found_share(truth: list[TruthFrame], frames: list[Detections]) -> float:
    """Return the share of the people whose box overlaps a detection by half."""
    found = people = 0
    for seen, detections in zip(truth, frames, strict=True):
        people += len(seen.ids)
        if len(seen.ids) and len(detections):
            found += int((iou(seen.boxes.astype(np.float32), detections.boxes).max(axis=1) > 0.5).sum())
    return found / people


def median_step(truth: list[TruthFrame]) -> float:
    """Return the median distance, in box heights, that a person's centre moves from one frame to the next."""
    steps = []
    for before, after in pairwise(truth):
        _, a, b = np.intersect1d(before.ids, after.ids, return_indices=True)
        moved = (after.boxes[b, :2] + after.boxes[b, 2:] - before.boxes[a, :2] - before.boxes[a, 2:]) / 2
        steps.extend(np.hypot(*moved.T) / (after.boxes[b, 3] - after.boxes[b, 1]))
    return float(np.median(steps))


@pytest.mark.parametrize("camera", CAMERAS)
def test_worlds_are_repeatable_and_their_boxes_are_in_the_image(camera: str) -> None:
    config = replace(WORLD, camera=camera)
    first, second = simulate(config), simulate(config)
    assert len(first) == 60
    assert sum(len(frame.ids) for frame in first) > 100
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.boxes, b.boxes)
        centres = (a.boxes[:, :2] + a.boxes[:, 2:]) / 2
        assert ((centres > 0) & (centres < SIZE)).all()
        assert ((a.visibility >= 0) & (a.visibility <= 1)).all()
        assert len(set(a.ids.tolist())) == len(a.ids)


def test_a_person_is_hidden_by_someone_nearer() -> None:
    hidden = 0
    for frame in simulate(WORLD):
        for row in np.flatnonzero((frame.visibility < 0.3) & (frame.hidden_by >= 0)):
            other = frame.hidden_by[row]
            assert frame.boxes[other, 3] > frame.boxes[row, 3]  # nearer feet are lower in the image
            hidden += 1
    assert hidden > 20


def test_boxes_move_further_in_slow_videos_and_before_moving_cameras() -> None:
    still = median_step(simulate(WORLD))
    assert median_step(simulate(replace(WORLD, frame_rate=5.0, seconds=12.0))) > 1.5 * still
    fast = replace(WORLD, frame_rate=30.0)
    assert median_step(simulate(replace(fast, camera="shake"))) > 1.5 * median_step(simulate(fast))


def test_better_detectors_find_more_people() -> None:
    truth = simulate(WORLD)
    shares = [
        found_share(truth, detect(truth, 10.0, SIZE, DetectorConfig(seed=1, skill=skill, clutter=0.0)))
        for skill in (-3.0, 0.0, 4.0)
    ]
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.7


def test_clutter_is_as_frequent_as_asked_for() -> None:
    truth = simulate(WORLD)
    people = sum(len(frame.ids) for frame in truth)

    def count(clutter: float) -> int:
        config = DetectorConfig(seed=1, clutter=clutter, duplicates=0.0, clutter_memory_s=0.1)
        return sum(len(frame) for frame in detect(truth, 10.0, SIZE, config))

    assert 0.3 < (count(0.5) - count(0.0)) / people < 0.6  # some are below the lowest score, or suppressed


def test_embeddings_of_one_person_are_more_alike_than_those_of_two() -> None:
    truth = simulate(replace(WORLD, people=12))
    config = DetectorConfig(seed=1, skill=6.0, clutter=0.0, duplicates=0.0, box_noise=0.001, likeness=0.4)
    same: list[float] = []
    other: list[float] = []
    before: dict[int, np.ndarray] = {}
    for seen, detections in zip(truth, detect(truth, 10.0, SIZE, config), strict=True):
        assert detections.embeddings is not None
        overlap = iou(seen.boxes.astype(np.float32), detections.boxes)
        for row in np.flatnonzero(seen.visibility > 0.8):
            embedding = detections.embeddings[overlap[row].argmax()]
            for identity, earlier in before.items():
                (same if identity == seen.ids[row] else other).append(float(earlier @ embedding))
            before[int(seen.ids[row])] = embedding
    assert np.mean(same) > np.mean(other) + 0.2
    assert abs(np.mean(other) - 0.3) < 0.15  # the likeness, less the noise


def test_random_settings_cover_all_cameras_and_frame_rates() -> None:
    worlds = [WorldConfig.random(seed) for seed in range(60)]
    assert {world.camera for world in worlds} == set(CAMERAS)
    rates = [world.frame_rate for world in worlds]
    assert min(rates) <= 7
    assert max(rates) == 60
