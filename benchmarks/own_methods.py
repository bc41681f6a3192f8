"""Provides the association methods of this package as contestants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from contestant import Contestant, Row, Size, Start, Update, embeddings_of

from fairmot_dla34 import Tracker, TrackerConfig
from fairmot_dla34.association import method_names
from fairmot_dla34.association.steady import SteadyRules, Tuning
from fairmot_dla34.values import Detections

NEEDS_EMBEDDINGS = {"jde"}

# Settings for the scores of MOT17's public detections (FRCNN); `byte` has those of PaddleDetection's ByteTrack.
FRCNN = TrackerConfig(conf_thres=0.6, low_conf_thres=0.1, min_box_area=100)
BYTE = replace(FRCNN, method="byte", match_thres=0.9)
STEADY = replace(FRCNN, method="steady")


def own_methods() -> Iterator[Contestant]:
    """Yield every method at its default settings: by boxes only, unless it needs embeddings, then with embeddings."""
    for method in method_names():
        if method not in NEEDS_EMBEDDINGS:
            starter = _starter(TrackerConfig(method=method, use_embeddings=False))
            yield Contestant(f"fairmot_dla34 {method}", "", starter)
    for method in method_names():
        starter = _starter(TrackerConfig(method=method))
        yield Contestant(f"fairmot_dla34 {method}, embeddings", "", starter, uses_embeddings=True)


def own_methods_for_frcnn() -> Iterator[Contestant]:
    """Yield the methods that work by boxes only, at the settings for MOT17's public detections."""
    for method in method_names():
        if method not in NEEDS_EMBEDDINGS:
            config = replace(BYTE if method == "byte" else FRCNN, method=method, use_embeddings=False)
            yield Contestant(f"fairmot_dla34 {method}, FRCNN settings", "", _starter(config))


def own_tracker(config: TrackerConfig, frame_rate: float, tuning: Tuning | None = None) -> Update:
    """Return a new tracker's update function; ``tuning`` replaces the internal parameters of ``steady``."""
    tracker = Tracker(config, frame_rate=frame_rate)
    if tuning is not None:
        tracker._rules = SteadyRules(config, frame_rate, tuning)  # noqa: SLF001

    def update(detections: Detections) -> Iterator[Row]:
        for track in tracker.update(detections):
            yield (track.track_id, *track.box)

    return update


def _starter(config: TrackerConfig) -> Start:
    def start(frame_rate: float, _: Size) -> Update:
        update = own_tracker(config, frame_rate)

        def checked_update(detections: Detections) -> Iterable[Row]:
            embeddings_of(detections)  # `byte` and `steady` would match by boxes without a word
            return update(detections)

        return checked_update if config.use_embeddings else update

    return start
