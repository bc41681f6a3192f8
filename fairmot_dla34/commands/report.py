"""The verb ``report``: writes one HTML page about a results file."""

from __future__ import annotations

import argparse
import json

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.analytics_options import analytics_config, analytics_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.readers import one_of
from ..arguments.results_options import add_results, results_frame_rate
from ..reporting import LANGUAGES, write_report
from ..reporting.playback import MAX_EMBEDDED_BYTES

_EMBEDDED_MB = MAX_EMBEDDED_BYTES // 1_000_000

EXAMPLES = """\
examples:
  fairmot_dla34 report out/mot_results/shop.jsonl --source shop.mp4 --line entrance:100,400,500,400
  fairmot_dla34 report out/mot_results/shop.txt --source shop.mp4 --analytics shop.toml --output shop.html --embed-video
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    add_results(parser)
    add_options(
        parser,
        (
            Option(
                "source",
                "VIDEO",
                "video, or folder of images, that the results were made from; without it, the page has charts alone",
                shown_default="none",
            ),
            *(option for option in analytics_options() if option.name != "heatmap"),  # the page always has one
            results_frame_rate(),
            Option("output", "PATH", "page to write", shown_default="beside RESULTS, with the ending .report.html"),
            Switch(
                "embed_video",
                {
                    "embed_video": (
                        True,
                        f"put the video into the page, at most {_EMBEDDED_MB} MB; default: refer to the file",
                    )
                },
                "put the video into the page",
            ),
            Option(
                "language",
                "L",
                f"language of the page, one of {', '.join(LANGUAGES)}",
                one_of("language", lambda: LANGUAGES),
                default="en",
            ),
            Switch("overwrite", {"overwrite": (True, "replace an existing page; default: refuse")}, "replace"),
            json_switch("the summary"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the page and print its path."""
    arguments.heatmap = False
    written = write_report(
        arguments.results,
        analytics_config(arguments),
        source=arguments.source,
        output=arguments.output,
        frame_rate=arguments.frame_rate,
        embed_video=arguments.embed_video,
        language=arguments.language,
        overwrite=arguments.overwrite,
    )
    if arguments.json:
        fields = {
            "path": str(written.path),
            "bytes": written.size_bytes,
            "frames": written.frames,
            "ids": written.ids,
            "shown": written.shown,
            "crops": written.crops,
            "notes": written.notes,
        }
        print(printable_json(json.dumps(fields)))
        return
    print(f"{written.ids} ids in {written.frames} frames, {written.crops} crops, {written.size_bytes / 1e6:.1f} MB")
    for note in written.notes:
        print(f"note: {note}")
    print(written.path)
