"""Provides the trackers of boxmot 25 as contestants: their Python versions, at the defaults of its command line.

None gets the image, so camera motion compensation is switched off, and the embeddings are those of the detections.
SAM2MOT is left out, because it needs masks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from contestant import Contestant, Row, Size, Start, Update, valid
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


def boxmot_trackers() -> Iterator[Contestant]:
    """Yield those that work by boxes only, then those that use embeddings."""
    for kind, title in BOXES_ONLY.items():
        yield Contestant(f"boxmot {title}", "boxmot", _starter(kind))
    # By default SFSORT forgets people who are lost for one frame.
    yield Contestant("boxmot SFSORT, timeouts 1 s", "boxmot", _starter("sfsort", sfsort_timeouts=True))
    for kind, title in EMBEDDINGS_OPTIONAL.items():
        yield Contestant(f"boxmot {title}", "boxmot", _starter(kind, use_embeddings=False))
    for kind, title in (EMBEDDINGS_OPTIONAL | EMBEDDINGS_NEEDED).items():
        yield Contestant(f"boxmot {title}, embeddings", "boxmot", _starter(kind), uses_embeddings=True)


def _options(kind: str, frame_rate: float, size: Size, use_embeddings: bool, sfsort_timeouts: bool) -> dict[str, Any]:
    """Return the options that differ from the defaults."""
    options: dict[str, Any] = {}
    if kind in {"boosttrack", "botsort", "occluboost"}:
        options["use_cmc"] = False
    if kind == "deepocsort":
        options["cmc_off"] = True
    if kind in EMBEDDINGS_OPTIONAL:
        options["use_embeddings"] = use_embeddings
    if kind in {"botsort", "bytetrack"}:
        options["frame_rate"] = frame_rate  # the others count in frames at any rate
    if kind == "sfsort":
        options["frame_width"], options["frame_height"] = size
    if sfsort_timeouts:  # values of its author's examples
        options["central_timeout"], options["marginal_timeout"] = round(frame_rate), round(0.7 * frame_rate)
        options["horizontal_margin"], options["vertical_margin"] = size[0] // 10, size[1] // 10
    return options


def _starter(kind: str, *, use_embeddings: bool = True, sfsort_timeouts: bool = False) -> Start:
    with_embeddings = use_embeddings and kind not in BOXES_ONLY

    def start(frame_rate: float, size: Size) -> Update:
        from boxmot.trackers.factory import create_tracker
        from boxmot.trackers.specs import TrackerSpec

        logging.getLogger("boxmot").setLevel(logging.WARNING)
        options = _options(kind, frame_rate, size, use_embeddings, sfsort_timeouts)
        tracker = create_tracker(TrackerSpec(name=kind, options=tuple(sorted(options.items()))))
        if kind in {"hybridsort", "strongsort"}:
            tracker.cmc = None  # no option switches it off
        image = np.zeros((size[1], size[0], 3), np.uint8)  # some check its shape; none reads it without compensation

        def update(detections: Detections) -> Iterator[Row]:
            tracks = tracker.update(_converted(valid(detections), with_embeddings), image)
            ids: list[int] = tracks.track_ids.tolist()
            boxes: NDArray[np.float32] = tracks.geometry.values.numpy()
            for track_id, box in zip(ids, boxes.tolist(), strict=True):
                yield (track_id, *box)

        return update

    return start


def _converted(detections: Detections, with_embeddings: bool) -> Any:
    """Return boxmot's detections."""
    import torch
    from boxmot import structures

    embeddings = None
    if with_embeddings:
        if detections.embeddings is None:
            raise ValueError("This tracker needs embeddings, but the detections have none.")
        embeddings = torch.from_numpy(detections.embeddings.copy())
    return structures.Detections(
        geometry=structures.Boxes(torch.from_numpy(detections.boxes.copy())),
        scores=torch.from_numpy(detections.scores.copy()),
        class_ids=torch.zeros(len(detections), dtype=torch.int64),
        sample_id="frame",
        embeddings=embeddings,
    )
