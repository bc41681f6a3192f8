"""Provides trackers that work on detections alone: the project's own, and the peers that are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from mot17 import Row, Update

from fairmot_dla34 import Tracker, TrackerConfig
from fairmot_dla34.association.steady import SteadyRules, Tuning
from fairmot_dla34.values import Detections

# Settings for the scores of MOT17's public detections (FRCNN); the JDETracker row uses those of BYTE.
BYTE = TrackerConfig(method="byte", conf_thres=0.6, low_conf_thres=0.1, match_thres=0.9, min_box_area=100)
STEADY = TrackerConfig(method="steady", conf_thres=0.6, low_conf_thres=0.1, min_box_area=100)

# Class and arguments in roboflow/trackers 2.6.1; lost_track_buffer=60 (two seconds) was tuned on these sequences.
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
    """A tracker to be measured, one row of the table.

    Attributes:
        name: Name in the table.
        package: Package that provides the tracker; "" for the project's own.
        start: Function that takes a video's frame rate and returns a new tracker's update function.
    """

    name: str
    package: str
    start: Callable[[float], Update]

    @property
    def installed(self) -> bool:
        """Whether the tracker's package is installed."""
        return not self.package or importlib.util.find_spec(self.package) is not None


def contestants() -> Iterator[Contestant]:
    """Yield the project's own methods, then the peers; ``jde`` is left out, because it needs embeddings."""
    yield Contestant("fairmot_dla34 steady", "", lambda rate: own_tracker(STEADY, rate))
    yield Contestant("fairmot_dla34 byte", "", lambda rate: own_tracker(BYTE, rate))
    yield Contestant("PaddleDetection JDETracker, use_byte", "ppdet", _jde_tracker)
    for name, (kind, arguments) in PEERS.items():
        yield Contestant(f"trackers {name}", "trackers", _peer_starter(kind, arguments))


def own_tracker(config: TrackerConfig, frame_rate: float, tuning: Tuning | None = None) -> Update:
    """Return a new tracker's update function; ``tuning`` replaces the internal parameters of ``steady``."""
    tracker = Tracker(config, frame_rate=frame_rate)
    if tuning is not None:
        tracker._rules = SteadyRules(config, frame_rate, tuning)  # noqa: SLF001

    def update(detections: Detections) -> Iterator[Row]:
        for track in tracker.update(detections):
            yield (track.track_id, *track.box)

    return update


def _peer_starter(kind: str, arguments: dict[str, int]) -> Callable[[float], Update]:
    """Return the `Contestant.start` of a roboflow/trackers class; all settings not in ``arguments`` keep defaults."""

    def start(_: float) -> Update:
        import supervision
        import trackers

        tracker = getattr(trackers, kind)(**arguments)

        def update(detections: Detections) -> Iterator[Row]:
            converted = supervision.Detections(
                xyxy=detections.boxes.astype(float).reshape(-1, 4), confidence=detections.scores.astype(float)
            )
            tracks = tracker.update(converted)
            ids = np.zeros(0) if tracks.tracker_id is None else tracks.tracker_id
            for track_id, box in zip(ids.tolist(), tracks.xyxy.tolist(), strict=True):
                if track_id >= 0:  # -1: not confirmed yet
                    yield (int(track_id), *box)

        return update

    return start


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
