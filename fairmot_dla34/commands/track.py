"""The verb ``track``: tracks people in one or more videos and writes the results."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..arguments import Parser
from ..arguments.json_output import printable_json
from ..arguments.run_settings import SOURCE_HELP, add_run_options, run_settings
from ..console.summary import summary_text
from ..messages import plain_line
from ..tracking.expansion import NamedSource, expand_sources
from ..tracking.job import TrackingJob
from ..tracking.model import FairMOT
from ..tracking.options import OutputOptions
from ..tracking.several import SeveralRuns
from ..tracking.shared_model import SharedModel
from ..tracking.source_run import Plan, SourceRun
from .several_sources import check_outcomes, outcomes_json, outcomes_text

DRAW_THRESHOLD = 0.0  # all tracks are drawn, so that text and video agree; Python and PaddleHub have 0.5

EXAMPLES = """\
examples:
  fairmot_dla34 track street.mp4 --output-dir out --weights sample
  fairmot_dla34 track 'clips/*.mp4' --output-dir out --name '{folder}_{name}' --resume
  fairmot_dla34 track rtsp://camera/stream --output-dir out --formats mot,jsonl --conf 0.5 --lost-buffer 2
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.late_words = "source"
    parser.add_argument(
        "source", metavar="SOURCE", nargs="+", help=f"{SOURCE_HELP}; several files, a pattern or a folder of videos"
    )
    add_run_options(parser, defaults={"draw_threshold": DRAW_THRESHOLD})
    parser.add_argument(
        "--resume",
        action="store_true",
        help="skip sources whose results are complete and unchanged; default: track all",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def run(arguments: argparse.Namespace) -> None:
    """Track the sources and print the summary, also after Ctrl-C or the loss of a live source."""
    settings = run_settings(arguments)
    expansion = expand_sources(arguments.source)

    def make_job(load_model: Callable[[], FairMOT], source: NamedSource, outputs: OutputOptions) -> TrackingJob:
        return TrackingJob(load_model, source.spec, source_options=settings.source, output_options=outputs)

    with SharedModel(settings.model) as model:
        plan = Plan(model, make_job, settings.source, settings.output, resume=arguments.resume)
        if expansion.several:
            _run_several(plan, expansion.sources, arguments)
        else:
            _run_one(SourceRun(plan, expansion.sources[0]), as_json=arguments.json)


def _run_one(run: SourceRun, *, as_json: bool) -> None:
    try:
        run.run()
    finally:
        if run.summary is not None and as_json:
            print(printable_json(summary_json(run.summary)))
        elif run.result is not None:
            print(summary_text(run.result))
        elif run.skipped:
            print(f"{run.shown}: skipped, its results are complete and unchanged.")


def _run_several(plan: Plan, sources: Sequence[NamedSource], arguments: argparse.Namespace) -> None:
    def message(error: Exception) -> str:
        return plain_line(arguments.parser.with_option_names(str(error)))

    runs = SeveralRuns(plan, sources, message)
    try:
        runs.run()
    finally:
        if any(outcome.status != "not started" for outcome in runs.outcomes):
            text = (outcomes_json if arguments.json else outcomes_text)(runs.outcomes, message)
            print(printable_json(text) if arguments.json else text)
    check_outcomes(runs.outcomes)


def summary_json(summary: Mapping[str, Any]) -> str:
    """Return the summary as JSON."""
    return json.dumps(summary, indent=2, default=str, ensure_ascii=False)
