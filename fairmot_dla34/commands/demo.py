"""The demo: a street scene with known truth, tracked with the weights that ship, scored. No connection, no data."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..config import DEMO_DIR
from ..errors import EvaluationUnavailableError
from ..evaluation import Scores, evaluate
from ..module import Module
from ..outputs import prepare_output_dir
from ..synth import SceneConfig, write_scene
from ..values import TrackingSummary

_LOGGER = logging.getLogger(__name__)

NAME = "demo"
WEIGHTS = "sample"
# Eight seconds: people cross, hide and leave, and two CPU cores are done with it in about a minute. The sample weights
# were trained on scenes of other seeds.
SCENE = SceneConfig(
    people=12,
    width=960,
    height=540,
    frame_rate=12.5,
    frames=100,
    seed=20260,
    background="street",
    person_height=(0.15, 0.4),
)


@dataclass(frozen=True)
class DemoReport:
    """What the demo did.

    Attributes:
        scene: What was drawn.
        summary: Of the tracking run, its paths included.
        scene_video: The scene as a plain video.
        truth: MOTChallenge ground truth.
        scores: Against the truth; None where TrackEval is not installed.
        no_scores: Why there are none; None where there are.
    """

    scene: SceneConfig
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


def run_demo(
    output_dir: str | Path = DEMO_DIR,
    *,
    seed: int | None = None,
    module: Module | None = None,
    scene: SceneConfig = SCENE,
    progress: bool = True,
) -> DemoReport:
    """Draw a scene, track it with the default settings of `Module.tracking`, and score the result.

    Args:
        output_dir: Where everything goes; made where it does not exist. Files of an earlier demo are replaced.
        seed: Draws another scene; the same seed gives the same pictures. None: the scene's own.
        module: What tracks; None: with the sample weights.
        scene: The scene.
        progress: Show progress bars on stderr.

    Returns:
        Paths, scores, speed.

    Raises:
        FairMOTError: One of its kinds. What was written until then is kept and valid, as it is after Ctrl-C.
    """
    folder = Path(output_dir)
    scene = scene if seed is None else replace(scene, seed=seed)
    prepare_output_dir(folder)
    _LOGGER.info("Drawing %d frames of a street", scene.frames)
    written = write_scene(scene, folder, name=NAME, progress=progress)
    module = module or Module(weights=WEIGHTS)
    _LOGGER.info("Tracking the people in them")
    # The scores count every track, so the video shows every one.
    summary = module.tracking(written.video, folder, draw_threshold=0.0, progress=progress)
    scores, no_scores = None, None
    try:
        scores = evaluate(written.truth, summary.paths[0]).combined
    except EvaluationUnavailableError as error:
        no_scores = str(error)
    return DemoReport(scene, summary, written.video, written.truth, scores, no_scores)


def demo_text(report: DemoReport) -> str:
    """Return what a newcomer should read: what happened, how well, what to look at, what to do next."""
    scene, summary = report.scene, report.summary
    size = f"{scene.width}x{scene.height}"
    speed = f"{summary.frames_per_second:.2f} frames/s ({summary.backend})"
    return "\n".join(
        [
            f"Drew a street of about {scene.people} people: {scene.duration_s:.0f} s, {size}, seed {scene.seed}.",
            f"Tracked {summary.frames} frames with the weights that ship: {speed}.",
            _scores_text(report),
            "",
            f"watch    {report.video}",
            f"tracks   {report.results}",
            f"scene    {report.scene_video}",
            f"truth    {report.truth}",
            "",
            "Your own video, without a connection:",
            "    fairmot_dla34 track YOUR_VIDEO --output-dir out --weights sample",
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
    """Return the same as JSON; scores unrounded, null where there are none."""
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
        "weights": WEIGHTS,
        "seed": report.scene.seed,
        "video": report.video,
        "results": report.results,
        "scene_video": report.scene_video,
        "truth": report.truth,
    }
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)
