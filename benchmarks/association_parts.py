"""Provides ``auto`` without each of its parts, to show what the part contributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from association_records import Records
from contestant import Contestant, Size, Update
from numpy.typing import NDArray
from own_methods import update_of

from fairmot_dla34 import Tracker, TrackerConfig
from fairmot_dla34.association import kalman
from fairmot_dla34.association.auto import AutoRules, Tuning
from fairmot_dla34.association.camera import CameraMotion
from fairmot_dla34.association.height_noise import HeightNoise

PREFIX = "parts of auto: "
FIXED_SCORES = TrackerConfig(conf_thres=0.4, low_conf_thres=0.2)  # those of `byte`
SCORES, IDF1 = 3, 2  # HOTA, MOTA and IDF1 are the first figures of a run

FloatArray = NDArray[np.float32]


class CameraAtRest(CameraMotion):
    """A camera that is taken to be at rest."""

    def estimate(self, predicted: FloatArray, detected: FloatArray) -> FloatArray:
        """Return no motion."""
        del predicted, detected
        return np.zeros(2, np.float32)


class AnyHeight(HeightNoise):
    """Heights that do not count."""

    @property
    def exponent(self) -> float:
        """Exponent of the overlap of heights."""
        return 0.0


def without_camera(rules: AutoRules) -> None:
    """Take the camera to be at rest."""
    rules.camera = CameraAtRest()


def without_heights(rules: AutoRules) -> None:
    """Ignore heights."""
    rules.heights = AnyHeight()


def unchanged(_: AutoRules) -> None:
    """Change nothing."""


def parts() -> list[Contestant]:
    """Return ``auto``, and ``auto`` without each of its parts, with embeddings where a set has them."""
    auto = TrackerConfig(method="auto")

    def entry(name: str, config: TrackerConfig = auto, change: Any = unchanged, **constants: Any) -> Contestant:
        return Contestant(f"{PREFIX}{name}", "", _starter(config, Tuning()._replace(**constants), change))

    return [
        entry("all parts"),
        entry("without measured score thresholds: 0.4 and 0.2", FIXED_SCORES),
        entry("without the camera's motion", change=without_camera),
        entry("without heights", change=without_heights),
        entry("without embeddings", TrackerConfig(method="auto", use_embeddings=False)),
        entry("without growing boxes", growth_per_s=0.0),
        entry("with deep_sort's noise", noise=kalman.DEEP_SORT),
        entry("without the higher cost of lost tracks", lost_margin=0.0),
        entry("confirmed by two detections of any score", confirm_score_sum=0.0),
        entry("with a lost buffer of 1 s", TrackerConfig(method="auto", lost_buffer_s=1.0)),
        entry("with a lost buffer of 4 s", TrackerConfig(method="auto", lost_buffer_s=4.0)),
    ]


def _starter(
    config: TrackerConfig, tuning: Tuning, change: Callable[[AutoRules], None]
) -> Callable[[float, Size], Update]:
    def start(frame_rate: float, _: Size) -> Update:
        tracker, rules = Tracker(config, frame_rate=frame_rate), AutoRules(config, frame_rate, tuning)
        change(rules)
        tracker._rules = rules  # noqa: SLF001
        return update_of(tracker)

    return start


def contributions(records: Records) -> str:
    """Return a Markdown table: means of all sets without each part, and the sets that gain and lose most by that.

    Sets count that were measured with all parts, and each by the runs that all of these have.
    """
    names = [one.name for one in parts()]
    sets = [one for one in records.sets if set(names) <= set(records.contestants(one))]
    if not sets:
        return "The parts were not all measured on any set.\n"
    scores = np.array([_scores(records, one, names) for one in sets])  # (sets, names, 3)
    changes = scores[:, :, IDF1] - scores[:, :1, IDF1]
    lines = [f"Means of {len(sets)} sets:\n"]
    lines.append("| | HOTA | MOTA | IDF1 | largest gain of IDF1 | largest loss of IDF1 |\n|---|---|---|---|---|---|")
    for name, means, change in zip(names, scores.mean(axis=0), changes.T, strict=True):
        ends = [f"{change[i]:+.1f}, {sets[i]}" for i in (int(change.argmax()), int(change.argmin()))]
        cells = [*(f"{mean:.1f}" for mean in means), *(ends if change.any() else ["", ""])]
        lines.append(f"| {name.removeprefix(PREFIX)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _scores(records: Records, one: str, names: Sequence[str]) -> list[NDArray[np.float64]]:
    by_name = [records.of_runs(one, name) for name in names]
    common = sorted(set.intersection(*(set(found) for found in by_name)))
    return [np.mean([found[run][:SCORES] for run in common], axis=0) for found in by_name]
