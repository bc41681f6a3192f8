"""The verb ``eval``: scores results against ground truth."""

from __future__ import annotations

import argparse

from ..arguments.json_output import printable_json
from ..evaluation import evaluate, evaluation_json, scores_table

EXAMPLES = """\
examples:
  fairmot_dla34 eval --gt MOT17/train --results out
  fairmot_dla34 eval --gt MOT17/train --results out --sequences MOT17-02-FRCNN,MOT17-04-FRCNN
  fairmot_dla34 eval --gt MOT17/train/MOT17-02-FRCNN --results out --json --plots plots
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--gt", required=True, metavar="DIR", help="MOTChallenge folders, <sequence>.txt files, or one sequence"
    )
    parser.add_argument(
        "--results", required=True, metavar="DIR", help="<sequence>.txt files, or the output directory of track"
    )
    parser.add_argument(
        "--sequences",
        type=_names,
        metavar="A,B",
        help="score only these sequences, by name, separated by commas; default: all of the ground truth",
    )
    parser.add_argument(
        "--plots", metavar="DIR", help="folder for plots: tracks, ids, HOTA over IoU thresholds; default: none"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, unrounded; default: a table")


def run(arguments: argparse.Namespace) -> None:
    """Score the results and print a table."""
    evaluation = evaluate(arguments.gt, arguments.results, plots=arguments.plots, sequences=arguments.sequences)
    print(printable_json(evaluation_json(evaluation)) if arguments.json else scores_table(evaluation))


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; expected names separated by commas, such as A,B")
    return names
