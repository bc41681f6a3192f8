"""Provides the trackers of roboflow/trackers 2.6.1 as contestants.

None gets the image: BoT-SORT and McByte then run without camera motion compensation, and McByte without masks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from contestant import HIGH_SCORE, NEW_TRACK_SCORE, Contestant, Row, Size, Start, Update, valid

from fairmot_dla34.values import Detections

# Class and arguments that differ from the defaults; lost_track_buffer=60 (two seconds) was tuned on MOT17's sequences.
TRACKERS: dict[str, tuple[str, dict[str, float]]] = {
    "BoT-SORT, lost_track_buffer=60": ("BoTSORTTracker", {"lost_track_buffer": 60}),
    "BoT-SORT": ("BoTSORTTracker", {}),
    "McByte": ("McByteTracker", {}),
    "ByteTrack": ("ByteTrackTracker", {}),
    "C-BIoU": ("CBIoUTracker", {}),
    "OC-SORT": ("OCSORTTracker", {}),
    "SORT": ("SORTTracker", {}),
}
OUR_THRESHOLDS = {"high_conf_det_threshold": HIGH_SCORE, "track_activation_threshold": NEW_TRACK_SCORE}
ABSENT = {"OCSORTTracker": {"track_activation_threshold"}, "SORTTracker": {"high_conf_det_threshold"}}


def roboflow_trackers() -> Iterator[Contestant]:
    """Yield all trackers of the package; all work by boxes only."""
    for name, (kind, arguments) in TRACKERS.items():
        yield Contestant(f"trackers {name}", "trackers", _starter(kind, arguments))


def roboflow_trackers_for_fairmot() -> Iterator[Contestant]:
    """Yield them with the thresholds of this package's defaults; the limit of low scores is always 0.1."""
    for name, (kind, arguments) in TRACKERS.items():
        thresholds = {key: value for key, value in OUR_THRESHOLDS.items() if key not in ABSENT.get(kind, ())}
        starter = _starter(kind, {**arguments, **thresholds})
        yield Contestant(f"trackers {name}, our thresholds", "trackers", starter)


def _starter(kind: str, arguments: dict[str, float]) -> Start:
    def start(frame_rate: float, _: Size) -> Update:
        import supervision
        import trackers

        tracker = getattr(trackers, kind)(frame_rate=frame_rate, **arguments)

        def update(detections: Detections) -> Iterator[Row]:
            detections = valid(detections)
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
