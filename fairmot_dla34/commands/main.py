"""Entry point of the command ``fairmot_dla34``. Results go to stdout, logs and progress to stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..console import guarded, log_to_stderr

# Each verb is a module of this package. Its `add_arguments(parser)` also sets the default `run`, a function that is
# called with the parsed arguments.
VERBS = {
    "track": "track people in a video; write MOT text and a video to watch",
    "demo": "draw a street scene, track it, score it; needs no connection and no data",
    "synth": "draw a street scene with known truth: a video, gt.txt and seqinfo.ini",
    "eval": "score results against ground truth: HOTA, MOTA, IDF1 and their parts",
    "weights": "the registered weights and the cache",
    "export": "write the network as files for other runtimes",
    "quantize": "make the int8 network that --precision int8 runs",
    "info": "versions, backends, devices, cache, and a check with a known answer",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; None: those of the process.

    Returns:
        0 ok, 1 a FairMOT error, 130 interrupted. Wrong usage exits with 2 through argparse.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = make_parser(words).parse_args(words)
    log_to_stderr(verbose=arguments.verbose)
    return guarded(lambda: arguments.run(arguments))


def make_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only verbs among ``words`` get their arguments, so that nothing else is imported."""
    parser = argparse.ArgumentParser(prog="fairmot_dla34", description="Track people in video with FairMOT (DLA-34).")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log details to stderr")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb, text in VERBS.items():
        subparser = verbs.add_parser(verb, help=text, description=text)
        if verb in words:
            import_module(f".{verb}", __package__).add_arguments(subparser)
    return parser
