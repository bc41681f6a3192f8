"""The contract that every contestant of the association benchmarks keeps, so that none is measured unfairly.

Peers are tested if their packages are installed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from contestant import Contestant, valid
from contestants import contestants, frcnn_contestants, peers_for_fairmot

from fairmot_dla34.values import Detections

ALL = [*frcnn_contestants(), *contestants(), *peers_for_fairmot()]
EMPTY_FRAMES = (0, 1, 12, 13)
SIZE = (640, 480)


def walkers(*, embeddings: bool = True) -> list[Detections]:
    """Return 24 frames of five people who walk, some of them without any detection."""
    rng = np.random.default_rng(0)
    centres, velocities, looks = rng.uniform(100, 400, (5, 2)), rng.normal(0, 2, (5, 2)), rng.normal(size=(5, 128))
    frames = []
    half = np.array([15, 40])
    for index in range(24):
        centres = centres + velocities
        boxes = np.hstack([centres - half, centres + half])
        found = Detections(boxes, np.full(5, 0.9), looks + rng.normal(0, 0.1, looks.shape))
        if index in EMPTY_FRAMES:
            found = Detections(np.zeros((0, 4)), np.zeros(0), None)
        frames.append(found if embeddings else replace(found, embeddings=None))
    return frames


def test_names_are_unique() -> None:
    names = [contestant.name for contestant in ALL]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("contestant", [one for one in ALL if one.installed], ids=lambda one: one.name)
@pytest.mark.parametrize("frame_rate", [2.5, 29.97, 60.0])
def test_every_run_starts_afresh_and_reports_only_people_of_the_frame(
    contestant: Contestant, frame_rate: float
) -> None:
    frames = walkers()
    runs = []
    for _ in range(2):
        update = contestant.start(frame_rate, SIZE)
        runs.append([list(update(frame)) for frame in frames])
    assert runs[0] == runs[1]
    assert all(not runs[0][index] for index in EMPTY_FRAMES)
    assert all(len({row[0] for row in rows}) == len(rows) for rows in runs[0])
    assert {len(row) for rows in runs[0] for row in rows} == {5}
    assert sum(map(len, runs[0])) > 0.4 * sum(map(len, frames))


@pytest.mark.parametrize("contestant", [one for one in ALL if one.installed], ids=lambda one: one.name)
def test_embeddings_are_used_only_by_those_that_say_so(contestant: Contestant) -> None:
    if contestant.uses_embeddings:
        update = contestant.start(10.0, SIZE)
        frame = walkers(embeddings=False)[-1]
        with pytest.raises(ValueError, match="embeddings"):
            list(update(frame))
        return
    tracks = []
    for embeddings in (True, False):
        update = contestant.start(10.0, SIZE)
        tracks.append([list(update(frame)) for frame in walkers(embeddings=embeddings)])
    assert tracks[0] == tracks[1]


def test_peers_get_no_boxes_that_they_cannot_handle() -> None:
    boxes = np.array([[0, 0, 9, 9], [5, 5, 5, 9], [0, 0, np.nan, 9], [0, 0, 9, 9]])
    kept = valid(Detections(boxes, [1.5, 0.5, 0.5, np.nan], np.ones((4, 2))))
    assert kept.boxes.tolist() == [[0, 0, 9, 9]]
    assert kept.scores.tolist() == [1]
    assert kept.embeddings is not None
    assert kept.embeddings.shape == (1, 2)
