"""Simulates person detectors of any quality on known boxes: misses, scores, box errors, clutter, embeddings.

Misses depend on visibility and height and last for several frames, as those of networks do. Scores follow the same
hidden quality of a person's view, so that low scores mean what they mean with a real detector. `DetectorConfig.random`
draws detectors from weak to strong, whose scores have all kinds of distributions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from simulated_world import TruthFrame

from fairmot_dla34 import Detections
from fairmot_dla34.evaluation.average_precision import overlap

FloatArray = NDArray[np.float64]

EMBEDDING_SIZE = 64
LOWEST_SCORE = 0.05
# False alarms of low score, fitted to those of FairMOT on frames it was not trained on: their number falls by the
# factor e for each 0.35 logits above a score of 0.05.
_LOWEST_LOGIT, _WEAK_LOGITS = -2.94, 0.35


@dataclass(frozen=True)
class DetectorConfig:
    """Quality of a detector.

    Attributes:
        seed: Seed of all random draws.
        skill: Mean quality of a fully visible, large person, in logits.
        seen_share: Visible share at which the quality has fallen by three logits.
        least_height_px: Height at which the quality has fallen by two logits.
        view_noise: Standard deviation of a person's quality, in logits.
        view_memory_s: Seconds for which a person's quality stays similar.
        frame_noise: Standard deviation of the quality from frame to frame, in logits.
        score_scale: Factor of the logits of the scores; large ones give scores near 0 and 1.
        score_shift: Shift of the logits of the scores.
        box_noise: Standard deviation of the centre from frame to frame, as a share of the size; sides: 1.4 times.
        box_bias: Factor of width and height.
        cut_share: Share of hidden people whose box ends where they are hidden.
        clutter: Mean number of false alarms in a frame for each person in it.
        clutter_memory_s: Mean seconds that a false alarm stays in its place.
        background: Mean number of detections of low score in a frame for each person in it.
        duplicates: Share of people who are found twice.
        nms_iou: Intersection over union above which the box of the lower score is removed.
        likeness: Mean cosine of the embeddings of different people; None: there are no embeddings.
        embedding_drift: Length of the slow change of an embedding, where that of the person is 1.
        embedding_noise: Length of its noise from frame to frame.
    """

    seed: int
    skill: float = 3.0
    seen_share: float = 0.3
    least_height_px: float = 30.0
    view_noise: float = 1.0
    view_memory_s: float = 1.0
    frame_noise: float = 0.7
    score_scale: float = 1.0
    score_shift: float = 0.0
    box_noise: float = 0.03
    box_bias: float = 1.0
    cut_share: float = 0.2
    clutter: float = 0.05
    clutter_memory_s: float = 0.3
    background: float = 1.0
    duplicates: float = 0.01
    nms_iou: float = 0.65
    likeness: float | None = None
    embedding_drift: float = 0.5
    embedding_noise: float = 0.6

    @classmethod
    def random(cls, seed: int, *, embeddings: bool) -> DetectorConfig:
        """Draw a detector from wide ranges."""
        rng = np.random.default_rng([seed, 3])

        def between(low: float, high: float) -> float:
            return float(rng.uniform(low, high))

        def ratio(low: float, high: float) -> float:
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        return cls(
            seed=seed,
            skill=between(1.0, 4.0),
            seen_share=between(0.15, 0.6),
            least_height_px=ratio(15, 60),
            view_noise=between(0.5, 1.8),
            view_memory_s=ratio(0.3, 3),
            frame_noise=between(0.3, 1.2),
            score_scale=ratio(0.5, 3),
            score_shift=between(-1.5, 1.5),
            box_noise=ratio(0.01, 0.08),
            box_bias=between(0.92, 1.15),
            cut_share=between(0, 0.6),
            clutter=ratio(0.01, 0.7),
            clutter_memory_s=ratio(0.03, 2),
            background=ratio(0.2, 8),
            duplicates=ratio(0.001, 0.05),
            nms_iou=between(0.5, 0.75),
            likeness=between(0.0, 0.7) if embeddings else None,
            embedding_drift=between(0.2, 1.2),
            embedding_noise=between(0.2, 1.2),
        )


@dataclass
class _Person:
    """Slowly changing state of the detector for one person: quality of the view, error of the box, embedding."""

    quality: float
    error: FloatArray  # shares of the size of the box
    look: FloatArray  # embedding without drift
    drift: FloatArray

    @property
    def embedding(self) -> FloatArray:
        return self.look + self.drift


class _People(dict[int, _Person]):
    """People by identity, some of whom look like an earlier one.

    Args:
        same_look: Identities, and the earlier identity whose look each of them has.
    """

    def __init__(self, same_look: Mapping[int, int]) -> None:
        super().__init__()
        self._same_look = same_look

    def __setitem__(self, identity: int, person: _Person) -> None:
        earlier = self.get(self._same_look.get(identity, identity))
        super().__setitem__(identity, person if earlier is None else replace(person, look=earlier.look))


class _Clutter:
    """False alarms that stay in their places for a while."""

    def __init__(
        self, truth: Sequence[TruthFrame], size: tuple[int, int], config: DetectorConfig, rng: np.random.Generator
    ) -> None:
        heights = np.concatenate([frame.boxes[:, 3] - frame.boxes[:, 1] for frame in truth])
        self._heights = heights if len(heights) else np.array([size[1] / 4])
        self._people = max(len(heights) / max(len(truth), 1), 1.0)
        self._config, self._size, self._rng = config, size, rng
        self._places: list[tuple[FloatArray, float, FloatArray]] = []
        self._likely = rng.uniform(0, 1, (8, 2))  # places that look like people

    def step(self, seconds: float) -> list[tuple[FloatArray, float, FloatArray]]:
        """Return boxes, logits and embeddings of this frame."""
        rng, config = self._rng, self._config
        leave = 1 - np.exp(-seconds / config.clutter_memory_s)
        self._places = [place for place in self._places if rng.random() > leave]
        for _ in range(rng.poisson(config.clutter * self._people * leave)):
            centre = self._likely[rng.integers(8)] if rng.random() < 0.6 else rng.uniform(0, 1, 2)
            self._places.append((self._box(centre), float(rng.normal(-0.8, 1.0)), self._look()))
        weak = [
            (self._box(rng.uniform(0, 1, 2)), _LOWEST_LOGIT + float(rng.exponential(_WEAK_LOGITS)), self._look())
            for _ in range(rng.poisson(config.background * self._people))
        ]
        return self._places + weak

    def _box(self, centre: FloatArray) -> FloatArray:
        """Return a box of a person's size near a place that is given in shares of the image."""
        centre = (centre + self._rng.normal(0, 0.01, 2)) * self._size
        height = float(self._rng.choice(self._heights)) * np.exp(self._rng.normal(0, 0.25))
        half = np.array([0.4 * height * np.exp(self._rng.normal(0, 0.15)), height]) / 2
        return np.concatenate([centre - half, centre + half])

    def _look(self) -> FloatArray:
        return _unit(self._rng.normal(size=EMBEDDING_SIZE))


def detect(
    truth: Sequence[TruthFrame],
    frame_rate: float,
    size: tuple[int, int],
    config: DetectorConfig,
    same_look: Mapping[int, int] | None = None,
) -> list[Detections]:
    """Return the detections of every frame.

    Args:
        truth: People of every frame.
        frame_rate: Frames per second.
        size: Width and height of the image, px.
        config: The detector.
        same_look: Identities, and the identity seen earlier whose embedding without drift each of them has.
    """
    rng = np.random.default_rng([config.seed, 4])
    clutter = _Clutter(truth, size, config, rng)
    common = _unit(rng.normal(size=EMBEDDING_SIZE))
    people = _People(same_look or {})
    return [_detect_frame(frame, 1 / frame_rate, people, clutter, common, config, rng) for frame in truth]


def _detect_frame(
    frame: TruthFrame,
    seconds: float,
    people: dict[int, _Person],
    clutter: _Clutter,
    common: FloatArray,
    config: DetectorConfig,
    rng: np.random.Generator,
) -> Detections:
    for identity in frame.ids.tolist():
        _advance(people, identity, seconds, common, config, rng)
    views = [people[identity] for identity in frame.ids.tolist()]
    rows: list[tuple[FloatArray, float, FloatArray]] = []
    for row, person in enumerate(views):
        box = frame.boxes[row]
        height, visible = max(box[3] - box[1], 1.0), frame.visibility[row]
        quality = config.skill + person.quality + rng.normal(0, config.frame_noise)
        quality -= 3 * np.exp(-(visible - config.seen_share) / 0.12) if visible < 1 else 0.0
        quality -= 2 * (config.least_height_px / height) ** 2
        embedding = person.embedding
        other = frame.hidden_by[row]
        if other >= 0:
            embedding = visible * embedding + (1 - visible) * views[other].embedding
        for _ in range(1 + (rng.random() < config.duplicates)):
            noisy = _with_noise(box, visible, person.error, config, rng)
            rows.append((noisy, quality, embedding + _noise(config, rng) * (1.5 - 0.5 * visible)))
            quality -= abs(rng.normal(1, 0.5))
    rows += [(_with_noise(box, 1.0, np.zeros(4), config, rng), logit + rng.normal(0, config.frame_noise), vector)
             for box, logit, vector in clutter.step(seconds)]  # fmt: skip
    if not rows:
        none = None if config.likeness is None else np.zeros((0, EMBEDDING_SIZE), np.float32)
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), none)
    boxes = np.stack([box for box, _, _ in rows])
    logits = np.array([logit for _, logit, _ in rows])
    scores = 1 / (1 + np.exp(-np.clip(config.score_scale * logits + config.score_shift, -30, 30)))
    kept = _nms(boxes, scores, config.nms_iou)
    kept = kept[scores[kept] > LOWEST_SCORE]
    embeddings = None
    if config.likeness is not None:
        embeddings = np.stack([_unit(rows[row][2]) for row in kept]) if len(kept) else np.zeros((0, EMBEDDING_SIZE))
        embeddings = embeddings.astype(np.float32)
    return Detections(boxes[kept].astype(np.float32), scores[kept].astype(np.float32), embeddings)


def _advance(
    people: dict[int, _Person], identity: int, seconds: float, common: FloatArray, config: DetectorConfig,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Let the slow state of a person change; a new person gets a random one."""
    spread = config.embedding_drift / EMBEDDING_SIZE**0.5

    def draw() -> tuple[float, FloatArray, FloatArray]:
        return (
            float(rng.normal(0, config.view_noise)),
            rng.normal(0, config.box_noise, 4),
            rng.normal(0, spread, EMBEDDING_SIZE),
        )

    quality, error, drift = draw()
    if identity not in people:
        likeness = config.likeness or 0.0
        look = likeness**0.5 * common + (1 - likeness) ** 0.5 * _unit(rng.normal(size=EMBEDDING_SIZE))
        people[identity] = _Person(quality, error, look, drift)
        return
    person = people[identity]
    kept = float(np.exp(-seconds / config.view_memory_s))
    new = (1 - kept**2) ** 0.5
    person.quality = kept * person.quality + new * quality
    person.error = kept * person.error + new * error
    person.drift = kept * person.drift + new * drift


def _with_noise(
    box: FloatArray, visible: float, error: FloatArray, config: DetectorConfig, rng: np.random.Generator
) -> FloatArray:
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    if visible < 0.9 and rng.random() < config.cut_share:  # feet are hidden more often than heads
        lost = (1 - visible) * rng.uniform(0.3, 0.9) * size[1]
        centre, size = centre - (0, lost / 2), size - (0, lost)
    noise = error + rng.normal(0, config.box_noise, 4)
    centre = centre + noise[:2] * size[0] * (1, 1.5)
    size = size * config.box_bias * np.exp(1.4 * noise[2:])
    return np.concatenate([centre - size / 2, centre + size / 2])


def _noise(config: DetectorConfig, rng: np.random.Generator) -> FloatArray:
    return rng.normal(0, config.embedding_noise / EMBEDDING_SIZE**0.5, EMBEDDING_SIZE)


def _unit(vector: FloatArray) -> FloatArray:
    unit: FloatArray = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _nms(boxes: FloatArray, scores: FloatArray, limit: float) -> NDArray[np.intp]:
    """Return the rows that greedy non-maximum suppression keeps, ascending."""
    ious = overlap(boxes.astype(np.float32), boxes.astype(np.float32))
    kept = np.ones(len(boxes), bool)
    for row in np.argsort(-scores, kind="stable"):
        if kept[row]:
            kept &= ious[row] <= limit
            kept[row] = True
    return np.flatnonzero(kept)
