"""Provides the association methods of this package as contestants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contestant import Contestant, Row, Size, Start, Update, embeddings_of

from fairmot_dla34 import Tracker, TrackerConfig
from fairmot_dla34.association import method_names
from fairmot_dla34.association.auto import AutoRules, Tuning
from fairmot_dla34.values import Detections

NEEDS_EMBEDDINGS = {"jde"}

# The settings of PaddleDetection's ByteTrack, which suit the scores of MOT17's public detections (FRCNN).
BYTE = TrackerConfig(
    method="byte", conf_thres=0.6, low_conf_thres=0.1, match_thres=0.9, min_box_area=100, use_embeddings=False
)
AUTO = TrackerConfig(method="auto")  # its default settings are for all detections


def own_methods() -> Iterator[Contestant]:
    """Yield every method at its default settings: by boxes only, unless it needs embeddings, then with embeddings."""
    for method in method_names():
        if method not in NEEDS_EMBEDDINGS:
            yield Contestant(f"fairmot_dla34 {method}", "", starter(TrackerConfig(method=method, use_embeddings=False)))
    for method in method_names():
        start = starter(TrackerConfig(method=method), needs_embeddings=True)
        yield Contestant(f"fairmot_dla34 {method}, embeddings", "", start, uses_embeddings=True)


def own_methods_for_frcnn() -> Iterator[Contestant]:
    """Yield `byte` at the settings for MOT17's public detections; `auto` measures the scores itself."""
    yield Contestant("fairmot_dla34 byte, FRCNN settings", "", starter(BYTE))


def own_tracker(config: TrackerConfig, frame_rate: float, tuning: Tuning | None = None) -> Update:
    """Return a new tracker's update function; ``tuning`` replaces the internal parameters of ``auto``."""
    tracker = Tracker(config, frame_rate=frame_rate)
    if tuning is not None:
        tracker._rules = AutoRules(config, frame_rate, tuning)  # noqa: SLF001
    return update_of(tracker)


def update_of(tracker: Tracker) -> Update:
    """Return the update function of a new tracker."""

    def update(detections: Detections) -> Iterator[Row]:
        for track in tracker.update(detections):
            yield (track.track_id, *track.box)

    return update


def starter(config: TrackerConfig, tuning: Tuning | None = None, *, needs_embeddings: bool = False) -> Start:
    """Return a function that starts trackers.

    Args:
        config: Settings of the trackers.
        tuning: Internal parameters of ``auto``; None: the defaults.
        needs_embeddings: Whether detections without embeddings are an error.
    """

    def start(frame_rate: float, _: Size) -> Update:
        update = own_tracker(config, frame_rate, tuning)

        def checked_update(detections: Detections) -> Iterable[Row]:
            embeddings_of(detections)  # `byte` and `auto` would match by boxes without a word
            return update(detections)

        return checked_update if needs_embeddings else update

    return start
