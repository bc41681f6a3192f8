"""The verb ``analyse``: counts crossings and visits in a results file, without the network."""

from __future__ import annotations

import argparse
import json

from ..analytics.afterwards import ResultsAnalysis, analyse_results
from ..analytics.heat import check_frame_size
from ..arguments import Option, Parser, Switch, add_options
from ..arguments.analytics_options import analytics_config, analytics_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.readers import checked_by, folder
from ..arguments.results_options import add_results, results_frame_rate
from ..config import read_size, shown
from ..console.summary import analytics_lines
from ..errors import InvalidInputError
from ..tracking.options import OutputOptions

EXAMPLES = """\
examples:
  fairmot_dla34 analyse out/mot_results/shop.jsonl --source shop.mp4 --line entrance:100,400,500,400
  fairmot_dla34 analyse out/mot_results/shop.txt --size 1280x720 --frame-rate 25 --analytics shop.toml --heatmap
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    add_results(parser)
    add_options(
        parser,
        (
            *analytics_options(),
            Option(
                "source",
                "VIDEO",
                "video, or folder of images, that the results were made from; or use --size",
                shown_default="none",
            ),
            Option(
                "size", "WxH", "width and height of the frames in px, without --source", _size, shown_default="none"
            ),
            results_frame_rate(),
            Option(
                "output_dir",
                "D",
                "folder for analytics/",
                folder,
                shown_default="that of mot_results/, else of RESULTS",
            ),
            Option(
                "name",
                "NAME",
                "name of the files, without an ending",
                checked_by(OutputOptions, "name"),
                shown_default="that of RESULTS",
            ),
            Switch(
                "overwrite",
                {"overwrite": (True, "replace an analysis of other results that has the same name; default: refuse")},
                "replace",
            ),
            json_switch("the totals"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Analyse the results and print the totals."""
    parser: Parser = arguments.parser
    config = analytics_config(arguments)
    if config is None:
        parser.error("nothing to analyse; expected --line, --zone, --heatmap or --analytics.")
    if (arguments.source is None) == (arguments.size is None):
        found = "no frame size is given" if arguments.source is None else "the frame size is given twice"
        parser.error(f"{found}; expected either --source VIDEO, that the results were made from, or --size WxH.")
    done = analyse_results(
        arguments.results,
        config,
        source=arguments.source,
        size=arguments.size,
        frame_rate=arguments.frame_rate,
        output_dir=arguments.output_dir,
        name=arguments.name,
        overwrite=arguments.overwrite,
    )
    print(printable_json(_json(done)) if arguments.json else _text(done))


def _json(done: ResultsAnalysis) -> str:
    fields = {
        "results": str(done.results),
        "frames": done.frames,
        "paths": [str(path) for path in done.paths],
        "analytics": done.analytics,
    }
    return json.dumps(fields)


def _text(done: ResultsAnalysis) -> str:
    head = f"{done.results.name}: {done.frames} frames"
    return "\n".join([head, *analytics_lines(done.analytics), *(f"wrote {path}" for path in done.paths)])


def _size(text: str) -> tuple[int, int]:
    size = read_size(text)
    if size is None or 0 in size:
        raise InvalidInputError(f"size is {shown(text)}; expected width and height in px, such as 1280x720.")
    return check_frame_size(size)
