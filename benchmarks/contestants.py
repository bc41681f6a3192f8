"""Trackers that work on detections alone: ours, and the peers that are installed, each as one function per video."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from mot17 import Row, Update

from fairmot_dla34 import Tracker, TrackerConfig
from fairmot_dla34.association.steady import SteadyRules, Tuning
from fairmot_dla34.values import Detections

# For the scores of MOT17's public detections, FRCNN: those of PEERS' JDETracker row.
BYTE = TrackerConfig(method="byte", conf_thres=0.6, low_conf_thres=0.1, match_thres=0.9, min_box_area=100)
STEADY = TrackerConfig(method="steady", conf_thres=0.6, low_conf_thres=0.1, min_box_area=100)

# roboflow/trackers 2.6.1, class and arguments; the buffer of two seconds was tuned on these sequences
PEERS = {
    "BoT-SORT, lost_track_buffer=60": ("BoTSORTTracker", {"lost_track_buffer": 60}),
    "BoT-SORT": ("BoTSORTTracker", {}),
    "McByte": ("McByteTracker", {}),
    "ByteTrack": ("ByteTrackTracker", {}),
    "C-BIoU": ("CBIoUTracker", {}),
    "OC-SORT": ("OCSORTTracker", {}),
    "SORT": ("SORTTracker", {}),
}


@dataclass(frozen=True)
class Contestant:
    """A line of the table.

    Attributes:
        name: How it is called there.
        needs: The package it comes from; "" for ours.
        begin: From a frame rate to the function that takes the video's frames.
    """

    name: str
    needs: str
    begin: Callable[[float], Update]

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


def contestants() -> Iterator[Contestant]:
    """Ours first, then the peers; ``jde`` is missing, because it needs embeddings."""
    yield Contestant("fairmot_dla34 steady", "", lambda rate: ours(STEADY, rate))
    yield Contestant("fairmot_dla34 byte", "", lambda rate: ours(BYTE, rate))
    yield Contestant("PaddleDetection JDETracker, use_byte", "ppdet", _jde_tracker)
    for name, (kind, arguments) in PEERS.items():
        yield Contestant(f"trackers {name}", "trackers", _begin_trackers(kind, arguments))


def ours(config: TrackerConfig, frame_rate: float, tuning: Tuning | None = None) -> Update:
    """Our tracker; ``tuning`` replaces the numbers of ``steady`` that no user sets."""
    tracker = Tracker(config, frame_rate=frame_rate)
    if tuning is not None:
        tracker._rules = SteadyRules(config, frame_rate, tuning)  # noqa: SLF001

    def update(detections: Detections) -> Iterator[Row]:
        for track in tracker.update(detections):
            yield (track.track_id, *track.box)

    return update


def _begin_trackers(kind: str, arguments: dict[str, int]) -> Callable[[float], Update]:
    """A tracker of roboflow/trackers at its defaults, one row per track as it returns them."""

    def begin(_: float) -> Update:
        import supervision
        import trackers

        tracker = getattr(trackers, kind)(**arguments)

        def update(detections: Detections) -> Iterator[Row]:
            given = supervision.Detections(
                xyxy=detections.boxes.astype(float).reshape(-1, 4), confidence=detections.scores.astype(float)
            )
            found = tracker.update(given)
            ids = np.zeros(0) if found.tracker_id is None else found.tracker_id
            for track_id, box in zip(ids.tolist(), found.xyxy.tolist(), strict=True):
                if track_id >= 0:  # -1: not confirmed yet
                    yield (int(track_id), *box)

        return update

    return begin


def _jde_tracker(frame_rate: float) -> Update:
    from ppdet.modeling.mot.tracker import JDETracker

    tracker = JDETracker(
        use_byte=True, conf_thres=BYTE.conf_thres, low_conf_thres=BYTE.low_conf_thres, match_thres=BYTE.match_thres
    )
    tracker.max_time_lost = int(frame_rate / 30 * tracker.track_buffer)

    def update(detections: Detections) -> Iterator[Row]:
        rows = np.column_stack([np.zeros(len(detections)), detections.scores, detections.boxes]).astype(np.float32)
        for track in tracker.update(rows, None)[0]:
            _, _, width, height = track.tlwh
            if width * height > BYTE.min_box_area and width / height <= BYTE.vertical_ratio:
                yield (track.track_id, *track.tlbr)

    return update
