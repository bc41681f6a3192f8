"""Scorers of the places of videos: tracking with embeddings and by boxes alone, and retrieval of identities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from aims import Aim, Figure, at_least
from detections import LOWEST_SCORE
from numpy.typing import NDArray
from parts import Part, real_parts, scene_parts, unseen_preset_parts
from scipy.optimize import linear_sum_assignment
from training_runs import DIRECTIONS, score_detections

from fairmot_dla34 import Detections, TrackerConfig
from fairmot_dla34.association.config import DEFAULT_CONF_THRES
from fairmot_dla34.evaluation.average_precision import MIN_IOU, overlap
from fairmot_dla34.geometry import tlwh_to_xyxy
from fairmot_dla34.training.validation.retrieval import Retrieval, retrieval

# The aims were set with `jde`, which needs embeddings, and `byte` by boxes alone.
TRACKERS = {"": TrackerConfig(method="jde"), "boxes only, ": TrackerConfig(method="byte", use_embeddings=False)}


class VideoPlace:
    """Sequences of one kind; figures are means over them.

    Args:
        name: Name in the table.
        parts: Sequences with ground truth.
        aims: MOTA and IDF1 to reach with `jde`, in percent; None: they are for information.
        directions: Directions of time in which the sequences are tracked, of ``forwards`` and ``backwards``.
    """

    lowest_score = LOWEST_SCORE

    def __init__(
        self,
        name: str,
        parts: Sequence[Part],
        aims: tuple[float, float] | None = None,
        directions: Sequence[str] = DIRECTIONS[:1],
    ) -> None:
        self.name = name
        self._parts = parts
        self._aims = dict(zip(("mota", "idf1"), aims or (), strict=False))
        self._directions = directions

    def loaders(self) -> Iterator[Callable[[], NDArray[np.uint8]]]:
        """Yield a function for each frame that returns it."""
        for part in self._parts:
            for frame in part.frames():
                yield partial(np.asarray, frame.image)

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of the detections in the frames, in the order of `loaders`."""
        figures, idf1 = [], {}
        edges = np.cumsum([0, *(part.length for part in self._parts)])
        for label, tracker in TRACKERS.items():
            scores = [
                score_detections(part, found[start:end], tracker, self._directions)
                for part, start, end in zip(self._parts, edges[:-1], edges[1:], strict=True)
            ]
            for direction in self._directions:
                for figure in ("mota", "idf1", "hota"):
                    value = float(np.mean([one[direction][figure] for one in scores]))
                    figures.append(self._figure(label, direction, figure, value))
            idf1[label] = np.mean([one[direction]["idf1"] for one in scores for direction in self._directions])
        with_embeddings, by_boxes = idf1.values()
        return [*figures, Figure(self.name, "IDF1 gained by embeddings", float(with_embeddings - by_boxes), Aim(0))]

    def _figure(self, label: str, direction: str, figure: str, value: float) -> Figure:
        name = f"{label}{figure.upper()}" + (f", {direction}" if len(self._directions) > 1 else "")
        aim = None if label else self._aims.get(figure)
        if aim is None:
            return Figure(self.name, name, value)
        return at_least(self.name, name, value, aim, weight=1 / len(self._directions))


class RealVideo(VideoPlace):
    """A real video, tracked forwards and backwards, with the retrieval of its identities.

    Args:
        name: Name in the table.
        part: Frames that scores are reported on.
        aims: MOTA and IDF1 to reach, in percent.
    """

    def __init__(self, name: str, part: Part, aims: tuple[float, float]) -> None:
        super().__init__(name, [part], aims, DIRECTIONS)
        self._part = part

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of tracking and of retrieval."""
        figures = retrieve(self._part.truth(), found)
        names = {"retrieval mAP of people found": figures.map_id, "retrieval TPR at FAR 0.1": figures.tpr_far}
        retrieved = [Figure(self.name, name, np.nan if value is None else value) for name, value in names.items()]
        return [*super().score(found), *retrieved]


def retrieve(truth: str, found: Sequence[Detections]) -> Retrieval:
    """Return how well embeddings tell the people of a video apart.

    The embeddings are those of the detections that start tracks and that find a person, at an IoU of at least 0.5.

    Args:
        truth: Ground truth as MOT text.
        found: Detections with embeddings of each frame.
    """
    rows = np.loadtxt(truth.splitlines(), delimiter=",", ndmin=2)
    embeddings, ids = [np.empty((0, 1), np.float32)], [np.empty(0, np.int64)]
    for number, detections in enumerate(found, 1):
        people = rows[rows[:, 0] == number]
        chosen = detections.scores >= DEFAULT_CONF_THRES
        if detections.embeddings is None or not len(people) or not chosen.any():
            continue
        iou = overlap(detections.boxes[chosen], tlwh_to_xyxy(people[:, 2:6].astype(np.float32)))
        matched, person = linear_sum_assignment(iou, maximize=True)
        good = iou[matched, person] >= MIN_IOU
        embeddings.append(detections.embeddings[chosen][matched[good]])
        ids.append(people[person[good], 1].astype(np.int64))
    joined = np.concatenate(embeddings[1:]) if len(embeddings) > 1 else embeddings[0]
    return retrieval(joined, np.concatenate(ids))


def real_places(data: Path) -> dict[str, Callable[[], VideoPlace]]:
    """Return functions that make the places of real videos below ``data``, by name."""
    pets, tud = real_parts(data)
    return {
        "PETS09-S2L1": lambda: RealVideo("PETS09-S2L1", pets, (91, 93)),
        "TUD-Campus": lambda: RealVideo("TUD-Campus", tud, (82, 90)),
    }


def rendered_places() -> dict[str, Callable[[], VideoPlace]]:
    """Return functions that make the places of rendered scenes, by preset."""
    presets: dict[str, list[Part]] = {}
    for part in (*scene_parts(), *unseen_preset_parts()):
        presets.setdefault(part.name.partition(",")[0], []).append(part)
    return {name: partial(_rendered, name, parts) for name, parts in presets.items()}


def _rendered(name: str, parts: Sequence[Part]) -> VideoPlace:
    return VideoPlace(name, parts, (68, 75) if name == "crowded" else None)
