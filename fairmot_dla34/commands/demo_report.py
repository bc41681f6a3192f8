"""Report of the verb ``demo``: files, speed and scores, as text or as JSON."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from ..evaluation import Scores
from ..synth import SceneConfig
from ..values import TrackingSummary

WEIGHTS = "sample"


@dataclass(frozen=True)
class DemoReport:
    """The result of the demo.

    Attributes:
        scene: Settings of the scene.
        weights: Registered name, or a checkpoint file.
        summary: Summary of the tracking run, with its files.
        scene_video: The scene as a plain video.
        truth: MOTChallenge ground truth.
        scores: Scores against the truth; None if TrackEval is not installed.
        no_scores: Reason why there are no scores; None if there are.
    """

    scene: SceneConfig
    weights: str
    summary: TrackingSummary
    scene_video: Path
    truth: Path
    scores: Scores | None
    no_scores: str | None

    @property
    def results(self) -> Path:
        """The tracks as MOT text."""
        return self.summary.paths[0]

    @property
    def video(self) -> Path:
        """The scene with boxes and ids: the file to watch."""
        return self.summary.paths[1]


def demo_text(report: DemoReport) -> str:
    """Return the report as text for a person, with the next steps."""
    scene, summary = report.scene, report.summary
    size = f"{scene.width}x{scene.height}"
    speed = f"{summary.frames_per_second:.2f} frames/s ({summary.backend})"
    return "\n".join(
        [
            f"Drew a street of about {scene.people} people: {scene.duration_s:.0f} s, {size}, seed {scene.seed}.",
            f"Tracked {summary.frames} frames with the weights {report.weights}: {speed}.",
            _scores_text(report),
            "",
            f"watch    {report.video}",
            f"tracks   {report.results}",
            f"scene    {report.scene_video}",
            f"truth    {report.truth}",
            "",
            "Your own video, without a connection:",
            f"    fairmot_dla34 track YOUR_VIDEO --output-dir out --weights {shlex.quote(report.weights)}",
            "With PaddleDetection's weights, which know real streets (90 MB, fetched once):",
            "    fairmot_dla34 track YOUR_VIDEO --output-dir out",
        ]
    )


def _scores_text(report: DemoReport) -> str:
    scores = report.scores
    if scores is None:
        return f"{report.no_scores}"
    errors = f"{scores.false_negatives} of {scores.truth_boxes} boxes missed, {scores.false_positives} false"
    percent = f"MOTA {scores.mota:.1f}   IDF1 {scores.idf1:.1f}   HOTA {scores.hota:.1f}"
    return (
        f"{percent}   (against the scene's truth; 100 is perfect)\n"
        f"{scores.truth_ids} people, {report.summary.track_ids} ids, {scores.id_switches} id switches, {errors}."
    )


def demo_json(report: DemoReport) -> str:
    """Return the report as JSON; scores unrounded, null if there are none."""
    scores = report.scores
    fields = {
        "mota": scores and scores.mota,
        "idf1": scores and scores.idf1,
        "hota": scores and scores.hota,
        "scores": scores and asdict(scores),
        "no_scores": report.no_scores,
        "frames_per_second": report.summary.frames_per_second,
        "frames": report.summary.frames,
        "track_ids": report.summary.track_ids,
        "backend": report.summary.backend,
        "weights": report.weights,
        "seed": report.scene.seed,
        "video": report.video,
        "results": report.results,
        "scene_video": report.scene_video,
        "truth": report.truth,
    }
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)
