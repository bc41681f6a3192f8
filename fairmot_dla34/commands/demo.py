"""The verb ``demo``: draws a street scene, tracks it, and scores the result."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..arguments import Option, Parser, add_options
from ..arguments.json_output import printable_json
from ..arguments.readers import checked_by, folder
from ..errors import EvaluationUnavailableError
from ..evaluation import evaluate
from ..outputs import prepare_output_dir
from ..synth import SceneConfig, write_scene
from ..tracking.job import track_to_files
from ..tracking.model import FairMOT
from ..tracking.options import OutputOptions
from ..weights import resolve_weights
from .demo_report import WEIGHTS, DemoReport, demo_json, demo_text

logger = logging.getLogger(__name__)

OUTPUT_DIR = "fairmot_dla34_demo"
NAME = "demo"
# Eight seconds in which people cross, hide and leave. The sample weights were trained on scenes of other seeds.
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


EXAMPLES = """\
examples:
  fairmot_dla34 demo
  fairmot_dla34 demo --weights run/best.pdparams
  fairmot_dla34 demo --output-dir out --seed 7 --json
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    add_options(
        parser,
        (
            Option("output_dir", "D", "folder for all files", folder, default=OUTPUT_DIR),
            Option(
                "seed",
                "S",
                "number from 0; another seed draws another scene",
                checked_by(SceneConfig, "seed", int),
                shown_default=f"{SCENE.seed}",
            ),
            Option("weights", "W", "registered name, or a file as of track", default=WEIGHTS),
        ),
    )
    parser.add_argument("--json", action="store_true", help="print JSON; default: text")


def run(arguments: argparse.Namespace) -> None:
    """Run the demo and print its report."""
    report = run_demo(arguments.output_dir, seed=arguments.seed, weights=arguments.weights)
    print(printable_json(demo_json(report)) if arguments.json else demo_text(report))


def run_demo(
    output_dir: str | Path = OUTPUT_DIR,
    *,
    seed: int | None = None,
    weights: str = WEIGHTS,
    load_model: Callable[[], FairMOT] | None = None,
    scene: SceneConfig = SCENE,
    progress: bool = True,
) -> DemoReport:
    """Draw a scene, track it with the default settings, and score the result.

    Args:
        output_dir: Folder for all files; created if it does not exist. Files of an earlier demo are replaced.
        seed: Seed of another scene; the same seed gives the same images. None: the scene's own.
        weights: Registered name, or a checkpoint file.
        load_model: Returns the model, which is then closed; None: one with the weights.
        scene: Settings of the scene.
        progress: Show progress bars on stderr.

    Raises:
        FairMOTError: One of its kinds. What was written until then is kept and valid, also after Ctrl-C.
    """
    folder = Path(output_dir)
    scene = scene if seed is None else replace(scene, seed=seed)
    prepare_output_dir(folder)
    if load_model is None:
        resolve_weights(weights)  # a wrong name is reported before anything is drawn
    logger.info("Drawing %d frames of a street", scene.frames)
    written = write_scene(scene, folder, name=NAME, progress=progress)
    logger.info("Tracking the people in them")
    load = load_model or (lambda: FairMOT(weights, progress=progress))
    with ExitStack() as stack:
        summary = track_to_files(
            lambda: stack.enter_context(load()),
            written.video,
            output_options=OutputOptions(folder, draw_threshold=0.0),  # the scores count every track
            progress=progress,
        )
    scores, no_scores = None, None
    try:
        scores = evaluate(written.truth, summary.paths[0]).combined
    except EvaluationUnavailableError as error:
        no_scores = str(error)
    return DemoReport(scene, weights, summary, written.video, written.truth, scores, no_scores)
