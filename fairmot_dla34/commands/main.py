"""Entry point of the command ``fairmot_dla34``. Results go to stdout, logs and progress to stderr.

Everything that takes time to import is imported inside `guarded`, so that a Ctrl-C during the start ends in one line.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING

from .. import __version__
from ..console.guard import guarded
from ..console.signals import signal_ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..arguments import Parser

# Each verb is a module of this package. Its `add_arguments(parser)` also sets the default `run`, a function that is
# called with the parsed arguments.
VERBS = {
    "track": "track people in a video; write text and a video to watch",
    "watch": "track people in many cameras for months, on one network",
    "batch": "track many videos in several processes or machines",
    "demo": "draw, track and score a street scene; needs no data",
    "prepare": "make a dataset to train on from labels in other formats",
    "train": "train a network on prepared datasets",
    "synth": "draw a street scene: a video, gt.txt and seqinfo.ini",
    "eval": "score results against ground truth: HOTA, MOTA, IDF1",
    "weights": "show the registered weights and the cache",
    "convert": "write a checkpoint in another project's format",
    "draw-zones": "draw lines and zones for track and analyse, in a browser",
    "analyse": "count crossings of lines and visits to zones; heat map",
    "report": "write one HTML page: video, counts, heat map, people",
    "export": "write the network as files for other runtimes",
    "export-tracks": "write tracks for labelling tools and data viewers",
    "quantize": "make the int8 network that --precision int8 runs",
    "detect": "run the network alone; write a file of detections",
    "associate": "make tracks from files of detections, in seconds",
    "info": "show versions and devices, and check a known answer",
}

_DRAWING = ("demo", "synth", "prepare")  # verbs that import OpenCV before they load a network

EXAMPLES = """\
examples:
  fairmot_dla34 demo
  fairmot_dla34 track street.mp4 --output-dir out --weights sample
fairmot_dla34 VERB --help shows the options of a verb and examples."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; None: those of the process.

    Returns:
        0 ok, 1 a FairMOT error, 130 Ctrl-C, 143 SIGTERM. Wrong usage exits with 2 through argparse.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # `watch` answers SIGUSR1, but imports first, and until then the signal would end the process.
    with signal_ignored("SIGUSR1") if "watch" in words else nullcontext():
        return guarded(lambda: _run(words))


def _run(words: list[str]) -> None:
    from ..memory import require_import_memory

    require_import_memory("numpy", purpose="Loading NumPy")  # it ends the process if it cannot start its threads
    from ..arguments import run_action
    from ..console.logs import log_to_stderr

    parser = make_parser(words)
    if not words:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    arguments = parser.parse(words)
    log_to_stderr(verbose=arguments.verbose)
    run_action(arguments)


def make_parser(words: Sequence[str]) -> Parser:
    """Build the parser; only verbs among ``words`` get their arguments, so that nothing else is imported."""
    from argparse import SUPPRESS

    from ..arguments import Parser
    from ..memory import require_import_memory

    parser = Parser(prog="fairmot_dla34", description="Track people in video with FairMOT (DLA-34).", epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log details to stderr")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb, text in VERBS.items():
        subparser = verbs.add_parser(verb, help=text, description=text)
        if verb in words:
            if verb in _DRAWING:
                require_import_memory("numpy", "cv2", "av", purpose=f"The verb {verb}")
            import_module(f".{verb.replace('-', '_')}", __package__).add_arguments(subparser)
        # Without a default, which would replace the value given before the verb.
        subparser.add_argument("-v", "--verbose", action="store_true", default=SUPPRESS, help="log details to stderr")
    return parser
