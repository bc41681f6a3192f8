"""The command ``hub run fairmot_dla34``: PaddleHub's arguments, and the options of the verb ``track`` beside them."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..arguments import Parser, run_action
from ..arguments.run_settings import SOURCE_HELP, RunSettings, add_run_options, run_settings
from ..config import shown
from ..console.guard import guarded
from ..console.logs import log_to_stderr
from ..console.summary import summary_text
from ..errors import InvalidInputError
from ..tracking.job import check_ended
from ..tracking.options import ModelOptions
from ..values import TrackingSummary

EXAMPLES = """\
examples:
  hub run fairmot_dla34 --video_stream street.mp4 --output_dir out
  hub run fairmot_dla34 --video_stream street.mp4 --weights sample --visualization False --formats mot,jsonl
"""


def hub_run(argv: list[str], options: ModelOptions, track: Callable[[str, RunSettings], TrackingSummary]) -> str:
    """Run ``hub run fairmot_dla34 …``.

    Args:
        argv: The arguments after the module's name.
        options: Settings of the module, the defaults of the options.
        track: Function that tracks a source with settings.

    Returns:
        The summary as text.

    Raises:
        InvalidInputError: ``argv`` is not a list of text.
        SystemExit: With 1 after an error or the loss of a live source, 2 after wrong usage, 130 after Ctrl-C, 143 after
            SIGTERM.
    """
    if not isinstance(argv, (list, tuple)) or not all(isinstance(word, str) for word in argv):
        raise InvalidInputError(f"argv is {shown(argv)}; expected a list of text, such as ['--video_stream', '0'].")
    summaries: list[TrackingSummary] = []

    def run(parsed: argparse.Namespace) -> None:
        summaries.append(track(parsed.video_stream, run_settings(parsed, options)))

    def action() -> None:
        parser = make_parser(options)
        parser.set_defaults(run=run)
        arguments = parser.parse(argv)
        log_to_stderr(verbose=False)
        run_action(arguments)
        check_ended(summaries[0])

    code = guarded(action)
    if code:
        raise SystemExit(code)
    return summary_text(summaries[0])


def make_parser(options: ModelOptions | None = None) -> Parser:
    """Build the parser of ``hub run fairmot_dla34``.

    Args:
        options: Settings of the module, the defaults of the options; None: those of a module without arguments.
    """
    parser = Parser(prog="hub run fairmot_dla34", description="Track people in a video.", epilog=EXAMPLES)
    parser.add_argument("--video_stream", required=True, metavar="SOURCE", help=SOURCE_HELP)
    add_run_options(parser, hub=True, defaults={} if options is None else vars(options))
    return parser
