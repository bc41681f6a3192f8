"""Provides the trackers of boxmot 25 as contestants: their Python versions, at the defaults of its command line.

None gets the image, so camera motion compensation is switched off, and the embeddings are those of the detections.
SAM2MOT is left out, because it needs masks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from contestant import (
    HIGH_SCORE,
    LOW_SCORE,
    NEW_TRACK_SCORE,
    Contestant,
    Row,
    Size,
    Start,
    Update,
    embeddings_of,
    valid,
)
from numpy.typing import NDArray

from fairmot_dla34.values import Detections

BOXES_ONLY = {"bytetrack": "ByteTrack", "ocsort": "OC-SORT", "sfsort": "SFSORT"}
EMBEDDINGS_OPTIONAL = {
    "boosttrack": "BoostTrack",
    "botsort": "BoT-SORT",
    "deepocsort": "DeepOC-SORT",
    "hybridsort": "Hybrid-SORT",
    "occluboost": "OccluBoost",
}
EMBEDDINGS_NEEDED = {"strongsort": "StrongSORT"}

# Options that differ from the defaults in the contestants with this package's thresholds.
OUR_THRESHOLDS: dict[str, dict[str, Any]] = {
    "boosttrack": {"det_thresh": HIGH_SCORE},
    "botsort": {
        "track_high_thresh": HIGH_SCORE,
        "track_low_thresh": LOW_SCORE,
        "new_track_thresh": NEW_TRACK_SCORE,
    },
    "bytetrack": {"track_thresh": HIGH_SCORE, "min_conf": LOW_SCORE},
    "deepocsort": {"det_thresh": HIGH_SCORE},
    "hybridsort": {"det_thresh": HIGH_SCORE},
    "occluboost": {
        "det_thresh": HIGH_SCORE,
        "track_low_thresh": LOW_SCORE,
        "new_track_thresh": NEW_TRACK_SCORE,
    },
    "ocsort": {"det_thresh": HIGH_SCORE},
    "sfsort": {"high_th": HIGH_SCORE, "low_th": LOW_SCORE, "new_track_th": NEW_TRACK_SCORE},
    "strongsort": {"min_conf": HIGH_SCORE},
}


def boxmot_trackers() -> Iterator[Contestant]:
    """Yield those that work by boxes only, then those that use embeddings."""
    yield from _contestants("", {})


def boxmot_trackers_for_fairmot() -> Iterator[Contestant]:
    """Yield them with the thresholds of this package's defaults."""
    yield from _contestants(", our thresholds", OUR_THRESHOLDS)


def _contestants(suffix: str, settings: dict[str, dict[str, Any]]) -> Iterator[Contestant]:
    """Yield all contestants, with settings by tracker that differ from the defaults."""

    def contestant(kind: str, addition: str = "", *, embeddings: bool = False, timeouts: bool = False) -> Contestant:
        start = _starter(kind, settings.get(kind, {}), embeddings=embeddings, sfsort_timeouts=timeouts)
        title = {**BOXES_ONLY, **EMBEDDINGS_OPTIONAL, **EMBEDDINGS_NEEDED}[kind]
        return Contestant(f"boxmot {title}{addition}{suffix}", "boxmot", start, uses_embeddings=embeddings)

    for kind in (*BOXES_ONLY, *EMBEDDINGS_OPTIONAL):
        yield contestant(kind)
    # By default SFSORT forgets people who are lost for one frame.
    yield contestant("sfsort", ", timeouts 1 s", timeouts=True)
    for kind in (*EMBEDDINGS_OPTIONAL, *EMBEDDINGS_NEEDED):
        yield contestant(kind, ", embeddings", embeddings=True)


def _options(kind: str, frame_rate: float, size: Size, *, embeddings: bool, sfsort_timeouts: bool) -> dict[str, Any]:
    """Return the options that depend on the input."""
    options: dict[str, Any] = {}
    if kind in {"boosttrack", "botsort", "occluboost"}:
        options["use_cmc"] = False
    if kind == "deepocsort":
        options["cmc_off"] = True
    if kind in EMBEDDINGS_OPTIONAL:
        options["use_embeddings"] = embeddings
    if kind in {"botsort", "bytetrack"}:
        options["frame_rate"] = frame_rate  # the others count in frames at any rate
    if kind == "sfsort":
        options["frame_width"], options["frame_height"] = size
    if sfsort_timeouts:  # values of its author's examples
        options["central_timeout"], options["marginal_timeout"] = round(frame_rate), round(0.7 * frame_rate)
        options["horizontal_margin"], options["vertical_margin"] = size[0] // 10, size[1] // 10
    return options


def _starter(kind: str, settings: dict[str, Any], *, embeddings: bool, sfsort_timeouts: bool) -> Start:
    def start(frame_rate: float, size: Size) -> Update:
        import boxmot.utils  # noqa: F401 (sets the level of its logger, so it goes first)
        from boxmot.trackers.factory import create_tracker
        from boxmot.trackers.specs import TrackerSpec

        logging.getLogger("boxmot").setLevel(logging.WARNING)
        options = _options(kind, frame_rate, size, embeddings=embeddings, sfsort_timeouts=sfsort_timeouts)
        tracker = create_tracker(TrackerSpec(name=kind, options=tuple(sorted((settings | options).items()))))
        if kind in {"hybridsort", "strongsort"}:
            tracker.cmc = None  # no option switches it off
        image = np.zeros((size[1], size[0], 3), np.uint8)  # some check its shape; none reads it without compensation

        def update(detections: Detections) -> Iterator[Row]:
            tracks = tracker.update(_converted(valid(detections), embeddings=embeddings), image)
            ids: list[int] = tracks.track_ids.tolist()
            boxes: NDArray[np.float32] = tracks.geometry.values.numpy()
            for track_id, box in zip(ids, boxes.tolist(), strict=True):
                yield (track_id, *box)

        return update

    return start


def _converted(detections: Detections, *, embeddings: bool) -> Any:
    """Return boxmot's detections."""
    import torch
    from boxmot import structures

    known = torch.from_numpy(embeddings_of(detections).copy()) if embeddings and len(detections) else None
    return structures.Detections(
        geometry=structures.Boxes(torch.from_numpy(detections.boxes.copy())),
        scores=torch.from_numpy(detections.scores.copy()),
        class_ids=torch.zeros(len(detections), dtype=torch.int64),
        sample_id="frame",
        embeddings=known,
    )
