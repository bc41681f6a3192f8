"""The verb ``detect``: runs the network over a source and writes its detections to a file."""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import replace

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import printable_json
from ..arguments.model_options import network_options
from ..arguments.readers import checked_by
from ..arguments.run_settings import SOURCE_HELP, detection_settings
from ..arguments.source_options import output_options, source_options
from ..detections.detecting import DetectionJob, DetectionSummary, DetectOptions
from ..tracking.job import check_end
from ..tracking.shared_model import SharedModel

EXAMPLES = """\
examples:
  fairmot_dla34 detect street.mp4 --output-dir out --weights sample
  fairmot_dla34 detect street.mp4 --output-dir out --frame-stride 2 --min-score 0.05
  fairmot_dla34 associate out/detections/street.detections --output-dir out --tracker byte
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    add_options(parser.add_argument_group("network"), network_options())
    add_options(parser.add_argument_group("source"), source_options())
    add_options(parser.add_argument_group("outputs"), _output_options())
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def run(arguments: argparse.Namespace) -> None:
    """Detect the source and print the summary, also after Ctrl-C if a live source left a file."""
    model_options, reading = detection_settings(arguments)
    options = DetectOptions(arguments.output_dir, arguments.name, arguments.min_score, arguments.overwrite)
    with SharedModel(model_options) as model:
        job = DetectionJob(model.load, arguments.source, source_options=reading, options=options)
        try:
            job.run()
        finally:
            if job.summary is not None:
                print(printable_json(_json(job.summary)) if arguments.json else _text(job.summary))
    if job.summary is not None:
        check_end(job.summary.source, job.summary.frames, job.summary.ended)


def _output_options() -> tuple[Option | Switch, ...]:
    """Return the options of the file: three of `track`, and the smallest score."""
    options = {option.name: option for option in output_options() if isinstance(option, Option)}
    switches = {switch.name: switch for switch in output_options() if isinstance(switch, Switch)}
    return (
        replace(options["output_dir"], help="folder for detections/", read=checked_by(DetectOptions, "output_dir")),
        replace(options["name"], help="name of the file, without an ending", read=checked_by(DetectOptions, "name")),
        switches["overwrite"],
        Option(
            "min_score",
            "T",
            "smallest score that is stored, 0 to 1; lower ones make the file larger",
            checked_by(DetectOptions, "min_score", float),
            default=DetectOptions.min_score,
        ),
    )


def _json(summary: DetectionSummary) -> str:
    fields = dataclasses.asdict(summary) | {"frames_per_second": summary.frames_per_second}
    return json.dumps(fields, default=str)


def _text(summary: DetectionSummary) -> str:
    notes = {"corrupt ones left out": summary.frames_skipped, "left out to keep up": summary.frames_dropped}
    left_out = ", ".join(f"{count} {why}" for why, count in notes.items() if count)
    frames = f"{summary.frames} frames ({left_out})" if left_out else f"{summary.frames} frames"
    ended = "" if summary.ended == "end" else f", ended: {summary.ended}"
    amount = f"{summary.detections} detections, {summary.size_bytes / 1e3 / max(summary.frames, 1):.1f} kB per frame"
    return "\n".join(
        [
            f"{summary.source}: {frames}, {amount}, {summary.frames_per_second:.2f} frames/s{ended}",
            f"network: {summary.backend}",
            f"wrote {summary.path}",
        ]
    )
