"""Provides the trackers of PaddleDetection 2.6 as contestants.

Settings are those of PaddleDetection's configuration files, because the defaults of its classes fit no network. None
gets the image; BOTSORTTracker's camera motion compensation is off in its configuration file too. CenterTracker is left
out, because it needs the offsets that its network estimates.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from contestant import Contestant, Row, Size, Start, Update, embeddings_of, valid
from numpy.typing import NDArray

from fairmot_dla34.values import Detections

# Below configs/mot: fairmot/_base_/fairmot_dla34.yml, fairmot/fairmot_dla34_30e_1088x608_bytetracker.yml,
# bytetrack/bytetrack_yolox.yml
FAIRMOT = {
    "conf_thres": 0.4,
    "tracked_thresh": 0.4,
    "metric_type": "cosine",
    "min_box_area": 200,
    "vertical_ratio": 1.6,
}
FAIRMOT_BYTE = {**FAIRMOT, "use_byte": True, "match_thres": 0.8, "low_conf_thres": 0.2}
BYTETRACK = {
    "use_byte": True,
    "conf_thres": 0.6,
    "low_conf_thres": 0.2,
    "match_thres": 0.9,
    "min_box_area": 100,
    "vertical_ratio": 1.6,
}
BYTE_FOR_FRCNN = {**BYTETRACK, "low_conf_thres": 0.1}
OCSORT = {"det_thresh": 0.6, "vertical_ratio": 1.6, "min_box_area": 100}  # ocsort/ocsort_yolox.yml
DEEPSORT_MIN_SCORE = 0.4  # it has no threshold, its detectors have one; this is that of FairMOT


def paddledetection_trackers() -> Iterator[Contestant]:
    """Yield those that work by boxes only, then those that use embeddings."""
    yield _contestant("JDETracker, use_byte", _jde_starter(FAIRMOT_BYTE, embeddings=False))
    yield _contestant("JDETracker, ByteTrack settings", _jde_starter(BYTETRACK, embeddings=False))
    yield _contestant("BOTSORTTracker", _start_botsort)
    yield _contestant("OCSORTTracker", _start_ocsort)
    yield _contestant("JDETracker, embeddings", _jde_starter(FAIRMOT, embeddings=True), embeddings=True)
    starter = _jde_starter(FAIRMOT_BYTE, embeddings=True)
    yield _contestant("JDETracker, use_byte, embeddings", starter, embeddings=True)
    yield _contestant("DeepSORTTracker, embeddings", _start_deepsort, embeddings=True)


def paddledetection_for_frcnn() -> Iterator[Contestant]:
    """Yield JDETracker at the settings for MOT17's public detections."""
    yield _contestant("JDETracker, use_byte, FRCNN settings", _jde_starter(BYTE_FOR_FRCNN, embeddings=False))


def _contestant(name: str, start: Start, *, embeddings: bool = False) -> Contestant:
    return Contestant(f"PaddleDetection {name}", "ppdet", start, uses_embeddings=embeddings)


def _rows(detections: Detections) -> NDArray[np.float32]:
    """Return class, score and box of every detection."""
    return np.column_stack([np.zeros(len(detections)), detections.scores, detections.boxes]).astype(np.float32)


def _jde_starter(settings: dict[str, Any], *, embeddings: bool) -> Start:
    def start(frame_rate: float, _: Size) -> Update:
        from ppdet.modeling.mot.tracker import JDETracker

        tracker = JDETracker(**settings)
        tracker.max_time_lost = int(frame_rate / 30 * tracker.track_buffer)  # as its FairMOT network sets it

        def update(detections: Detections) -> Iterator[Row]:
            detections = valid(detections)
            known = embeddings_of(detections).copy() if embeddings else None  # it normalises them in place
            for track in tracker.update(_rows(detections), known)[0]:
                _, _, width, height = track.tlwh
                if width * height > tracker.min_box_area and width / height <= tracker.vertical_ratio:
                    yield (track.track_id, *track.tlbr)

        return update

    return start


def _start_botsort(frame_rate: float, _: Size) -> Update:
    from ppdet.modeling.mot.tracker import BOTSORTTracker
    from ppdet.modeling.mot.tracker.base_jde_tracker import STrack

    STrack.init_count(1)  # BOTSORTTracker never does, so ids would go on from the previous run
    tracker = BOTSORTTracker(frame_rate=frame_rate)

    def update(detections: Detections) -> Iterator[Row]:
        for track in tracker.update(_rows(valid(detections))):
            yield (track.track_id, *track.tlbr)

    return update


def _start_ocsort(_: float, __: Size) -> Update:
    from ppdet.modeling.mot.tracker import OCSORTTracker

    tracker = OCSORTTracker(**OCSORT)  # counts in frames at any rate

    def update(detections: Detections) -> Iterator[Row]:
        for left, top, right, bottom, _, track_id in tracker.update(_rows(valid(detections))).tolist():
            width, height = right - left, bottom - top
            if width * height > tracker.min_box_area and width / height <= tracker.vertical_ratio:
                yield (int(track_id), left, top, right, bottom)

    return update


def _start_deepsort(_: float, __: Size) -> Update:
    from ppdet.modeling.mot.tracker import DeepSORTTracker

    tracker = DeepSORTTracker()  # the defaults are those of its configuration files; counts in frames at any rate

    def update(detections: Detections) -> Iterator[Row]:
        detections = valid(detections)
        keep = detections.scores > DEEPSORT_MIN_SCORE
        tracker.predict()
        for track in tracker.update(_rows(detections)[keep], embeddings_of(detections)[keep]):
            if track.is_confirmed() and track.time_since_update == 0:
                yield (track.track_id, *track.to_tlbr())

    return update
