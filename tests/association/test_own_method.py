"""An association method defined outside the package; the example of docs/extending.md."""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

from fairmot_dla34 import Detections, Tracker
from fairmot_dla34.association import register_method

# isort: split
# example: start
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import TrackerConfig
from fairmot_dla34.association import AssociationMethod
from fairmot_dla34.association.candidates import Candidates
from fairmot_dla34.association.rules import Rules, UpdateTime
from fairmot_dla34.association.tracklet import Tracklets


class NearestRules(Rules):
    """Match by the distance between box centres, measured in box heights."""

    second_stage_limit = 1.0

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        self.lowest_score = self.high_score = self.new_track_score = 0.4

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        tracklets.predict(np.arange(len(tracklets)), now.elapsed_frames, self.noise)

    def first_stage_cost(
        self, tracklets: Tracklets, rows: NDArray[np.intp], candidates: Candidates, now: UpdateTime
    ) -> tuple[NDArray[np.float32], float]:
        return self.box_cost(tracklets, rows, candidates, now), 0.5

    def box_cost(
        self, tracklets: Tracklets, rows: NDArray[np.intp], candidates: Candidates, now: UpdateTime
    ) -> NDArray[np.float32]:
        offset_px = tracklets.mean[rows, None, :2] - candidates.measurements[:, :2]  # (N, M, 2)
        distance: NDArray[np.float32] = np.linalg.norm(offset_px, axis=2) / tracklets.mean[rows, None, 3]
        return distance


NEAREST = AssociationMethod("nearest", NearestRules, lost_buffer_s=0.5)
# example: end


def test_a_registered_method_is_selected_by_its_name() -> None:
    register_method(NEAREST)
    tracker = Tracker(TrackerConfig(method="nearest"), frame_rate=30.0)
    for frame in range(10):  # two people who walk past each other, 40x100 px
        boxes = [[4 * frame, 0, 4 * frame + 40, 100], [300 - 4 * frame, 50, 340 - 4 * frame, 150]]
        tracks = tracker.update(Detections(boxes, [0.9, 0.8]))
    assert [(track.track_id, round(track.box[0])) for track in tracks] == [(1, 36), (2, 264)]
