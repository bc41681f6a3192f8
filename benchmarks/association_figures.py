"""Draws the figures of docs/association.md: what `auto` measures in rendered scenes, and a hidden person.

    pip install matplotlib
    python benchmarks/association_figures.py docs

The network finds people in two scenes; the included weights `sample` in fp32 give the same figures on every CPU.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from detections import detect
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from parts import ScenePart

from fairmot_dla34 import Detections, FairMOT, Tracker, TrackerConfig
from fairmot_dla34.association import costs
from fairmot_dla34.association.auto import AutoRules, Tuning
from fairmot_dla34.association.candidates import Candidates
from fairmot_dla34.association.rules import GROWTH_PER_S, UpdateTime
from fairmot_dla34.association.tracklet import Tracklets
from fairmot_dla34.geometry import iou
from fairmot_dla34.synth import SceneConfig

FRAMES, FRAME_RATE = 100, 10.0
SURE_FRAMES = 5
CROP_PX = 200
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]


@dataclass
class Log:
    """What the rules saw in a scene: distances of embeddings, and the motion of the camera in heights of a person."""

    same: list[FloatArray] = field(default_factory=list)
    different: list[FloatArray] = field(default_factory=list)
    motion: list[float] = field(default_factory=list)


class LoggingRules(AutoRules):
    """The rules of `auto`, which note what they measure."""

    log: Log

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        """Predict, and note how far the camera moved."""
        before = tracklets.mean[:, :2].copy() + tracklets.mean[:, 4:6] * (now.elapsed_frames * 30 / FRAME_RATE)
        super().predict(tracklets, candidates, now)
        if len(tracklets):
            shift = np.median(tracklets.mean[:, :2] - before, axis=0)
            self.log.motion.append(float(np.hypot(*shift) / np.median(tracklets.mean[:, 3])))

    def observe(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> None:
        """Learn, and note the distances of embeddings of people who are surely tracked."""
        sure = tracklets.confirmed[rows] & ~tracklets.lost[rows]
        sure &= now.frame - tracklets.first_frames[rows] >= SURE_FRAMES
        distance = costs.cosine_distance(tracklets.embeddings[rows[sure]], candidates.embeddings[sure])
        own = np.eye(len(distance), dtype=bool)
        self.log.same.append(distance[own])
        self.log.different.append(distance[~own])
        super().observe(tracklets, rows, candidates, now)


@cache
def model() -> FairMOT:
    """Return the included network."""
    return FairMOT("sample", precision="fp32")


def track(frames: list[Detections]) -> tuple[LoggingRules, list[float]]:
    """Track frames; return the rules at the end, and the scores of all reported tracks."""
    config = TrackerConfig(method="auto")
    tracker, rules = Tracker(config, frame_rate=FRAME_RATE), LoggingRules(config, FRAME_RATE)
    rules.log = Log()
    tracker._rules = rules  # noqa: SLF001
    return rules, [track.score for frame in frames for track in tracker.update(frame)]


@cache
def found_in(preset: str, seed: int) -> list[Detections]:
    """Return the detections of the network in a rendered scene."""
    scene = SceneConfig.preset(preset, seed=seed, frame_rate=FRAME_RATE, frames=FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        return detect(ScenePart(preset, scene), model, Path(folder) / "detections.npz")


def draw_scores(axes: Any, frames: list[Detections], rules: LoggingRules, tracked: list[float]) -> None:
    """Draw the scores of detections and of tracked people, and the thresholds that follow from them."""
    bins = np.linspace(0, 1, 41)
    axes.hist(np.concatenate([frame.scores for frame in frames]), bins, histtype="step", color=GREY, label="detections")
    axes.hist(tracked, bins, color=BLUE, alpha=0.35, label="tracked people")
    axes.axvline(rules.scores.median, color=BLUE, label=f"median {rules.scores.median:.2f}")
    for threshold, name, style in (
        (rules.new_track_score, "new track", "-"),
        (rules.high_score, "high", "--"),
        (rules.lowest_score, "low", ":"),
    ):
        axes.axvline(threshold, color=ORANGE, linestyle=style, label=f"{name} {threshold:.2f}")
    axes.set(xlabel="score", ylabel="number", yscale="log", title="scores")
    axes.legend(fontsize=7)


def draw_embeddings(axes: Any, rules: LoggingRules) -> None:
    """Draw the distances of embeddings, and how they change the cost of a match."""
    bins = np.linspace(0, 1.6, 49)
    for values, colour, name in (
        (rules.log.same, BLUE, "one person"),
        (rules.log.different, ORANGE, "two people"),
    ):
        axes.hist(np.concatenate(values), bins, density=True, color=colour, alpha=0.35, label=name)
    distance = np.linspace(0, 1.6, 161, dtype=np.float32)
    change = Tuning().appearance_weight * (1 - 2 * rules.appearance.probability(distance[None])[0])
    right = axes.twinx()
    right.plot(distance, change, color=GREEN)
    right.set_ylabel("change of the cost", color=GREEN)
    right.set_ylim(-0.4, 0.4)
    axes.set(xlabel="cosine distance of embeddings", ylabel="density", title="embeddings")
    axes.legend(fontsize=7)


def draw_camera(axes: Any, rules_by_scene: dict[str, LoggingRules]) -> None:
    """Draw the motion of the camera that was taken out of the tracks' motion."""
    for (name, rules), colour in zip(rules_by_scene.items(), (BLUE, ORANGE), strict=True):
        axes.plot(rules.log.motion, color=colour, label=name)
    axes.set(xlabel="frame", ylabel="shift / height of a person", title="camera")
    axes.legend(fontsize=7)


def draw_measured(path: Path) -> None:
    """Draw what was measured in a scene at rest and in a shaken one."""
    frames = found_in("crowded", 104)
    rules, scores = track(frames)
    shaken, _ = track(found_in("shake", 108))
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    draw_scores(axes[0], frames, rules, scores)
    draw_embeddings(axes[1], rules)
    draw_camera(axes[2], {"camera at rest": rules, "camera shaken": shaken})
    figure.savefig(path, metadata={"Date": None})


class Gap(NamedTuple):
    """A time in which a track was lost, and then found again.

    Attributes:
        number: Number of the tracklet.
        first: Index of the last frame before the gap.
        last: Index of the frame in which it was found again.
    """

    number: int
    first: int
    last: int

    def centre(self, states: list[Tracklets]) -> FloatArray:
        """Return the middle between the positions before and after the gap, image px."""
        ends = [states[index].mean[states[index].ids == self.number, :2][0] for index in (self.first, self.last)]
        middle: FloatArray = np.mean(ends, axis=0)
        return middle


def track_with_states(frames: list[Detections]) -> list[Tracklets]:
    """Track frames; return a copy of all tracklets after each."""
    tracker = Tracker(TrackerConfig(method="auto"), frame_rate=FRAME_RATE)
    states = []
    for frame in frames:
        tracker.update(frame)
        tracklets = tracker._tracklets  # noqa: SLF001
        states.append(tracklets.take(np.arange(len(tracklets))))
    return states


def person_at(truth: NDArray[np.float64], state: Tracklets, number: int, index: int) -> int:
    """Return the id in the ground truth of the person whose box overlaps a track most; -1 below an IoU of 0.5."""
    rows = truth[truth[:, 0] == index + 1]
    boxes = np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]]).astype(np.float32)
    overlap = iou(state.boxes(np.flatnonzero(state.ids == number)), boxes)[0]
    return int(rows[overlap.argmax(), 1]) if overlap.max(initial=0) > 0.5 else -1


def longest_gap(states: list[Tracklets], truth: NDArray[np.float64], width: int, height: int) -> Gap:
    """Return the longest gap, far from the border, in which a person was lost who was found again rightly."""
    since: dict[int, int] = {}
    gaps = []
    for index, state in enumerate(states):
        old = state.last_frames - state.first_frames >= FRAME_RATE
        for number, lost in zip(state.ids[old].tolist(), state.lost[old].tolist(), strict=True):
            if lost:
                since.setdefault(number, index - 1)
            elif number in since:
                gaps.append(Gap(number, since.pop(number), index))
    margin = CROP_PX / 2
    inside = [
        gap
        for gap, (x, y) in ((gap, gap.centre(states)) for gap in gaps)
        if margin < x < width - margin and margin < y < height - margin
        if person_at(truth, states[gap.first], gap.number, gap.first)
        == person_at(truth, states[gap.last], gap.number, gap.last)
        > 0
    ]
    return max(inside, key=lambda gap: (gap.last - gap.first, -gap.number))


def draw_gap(path: Path, preset: str, seed: int) -> None:
    """Draw a person who is hidden, the predicted box and its growth, and the person found again."""
    scene = SceneConfig.preset(preset, seed=seed, frame_rate=FRAME_RATE, frames=FRAMES)
    part = ScenePart(preset, scene)
    states = track_with_states(found_in(preset, seed))
    truth = np.loadtxt(part.truth().splitlines(), delimiter=",")
    gap = longest_gap(states, truth, scene.width, scene.height)
    images = [frame.image for frame in part.frames()]
    left, top = (gap.centre(states) - CROP_PX / 2).tolist()
    indices = np.linspace(gap.first, gap.last, 4).round().astype(int)
    figure, axes = plt.subplots(1, len(indices), figsize=(10, 2.7), layout="constrained")
    for own_axes, index in zip(axes, indices, strict=True):
        own_axes.imshow(images[index][..., ::-1])
        own_axes.set(xlim=(left, left + CROP_PX), ylim=(top + CROP_PX, top), title=f"{index / FRAME_RATE:.1f} s")
        own_axes.axis("off")
        state = states[index]
        for row in np.flatnonzero(state.track_ids > 0).tolist():
            draw_tracklet(own_axes, state, row, index + 1, followed=state.ids[row] == gap.number)
    figure.savefig(path, dpi=100)


def draw_tracklet(axes: Any, state: Tracklets, row: int, frame: int, *, followed: bool) -> None:
    """Draw a track's box; if it is followed and lost, also its growth."""
    x1, y1, x2, y2 = state.boxes(np.array([row]))[0].tolist()
    lost = bool(state.lost[row])
    if lost and not followed:
        return
    colour = ORANGE if followed else "white"
    style = "--" if lost else "-"
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=colour, linestyle=style, linewidth=1.5))
    if followed:
        axes.text(x1, y1 - 3, str(state.track_ids[row]), color=colour, fontsize=9, clip_on=True)
    if lost:
        growth = GROWTH_PER_S * (frame - state.last_frames[row]) / FRAME_RATE
        width, height = (x2 - x1) * growth, (y2 - y1) * growth
        corner = (x1 - width, y1 - height)
        axes.add_patch(
            Rectangle(corner, x2 - x1 + 2 * width, y2 - y1 + 2 * height, fill=False, color=colour, linestyle=":")
        )


if __name__ == "__main__":
    mpl.rcParams |= {"svg.hashsalt": "fairmot_dla34", "svg.fonttype": "none"}  # the same bytes in every run
    target = Path(sys.argv[1])
    draw_measured(target / "association-measured.svg")
    draw_gap(target / "association-gap.webp", "shake", 108)
