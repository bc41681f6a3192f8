"""The verb ``track``: tracks people in a video and writes the results."""

from __future__ import annotations

import argparse
import dataclasses
import json
from contextlib import ExitStack

from ..arguments import Parser
from ..arguments.json_output import printable_json
from ..arguments.run_settings import SOURCE_HELP, add_run_options, run_settings
from ..console.summary import summary_text
from ..tracking.job import TrackingJob, check_ended
from ..tracking.model import FairMOT
from ..values import TrackingSummary

DRAW_THRESHOLD = 0.0  # all tracks are drawn, so that text and video agree; Python and PaddleHub have 0.5

EXAMPLES = """\
examples:
  fairmot_dla34 track street.mp4 --output-dir out --weights sample
  fairmot_dla34 track rtsp://camera/stream --output-dir out --formats mot,jsonl --conf 0.5 --lost-buffer 2
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    add_run_options(parser, defaults={"draw_threshold": DRAW_THRESHOLD})
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def run(arguments: argparse.Namespace) -> None:
    """Track the source and print the summary, also after Ctrl-C or the loss of a live source."""
    settings = run_settings(arguments)
    models = ExitStack()
    job = TrackingJob(
        lambda: models.enter_context(FairMOT.from_options(settings.model)),
        arguments.source,
        source_options=settings.source,
        output_options=settings.output,
    )
    try:
        with models:
            summary = job.run()
    finally:
        if job.summary is not None:
            print(printable_json(summary_json(job.summary)) if arguments.json else summary_text(job.summary))
    check_ended(summary)


def summary_json(summary: TrackingSummary) -> str:
    """Return the summary as JSON."""
    fields = dataclasses.asdict(summary) | {"frames_per_second": summary.frames_per_second}
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)
