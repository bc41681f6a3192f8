"""The verb ``quantize``: makes the int8 network of weights and a calibration video."""

from __future__ import annotations

import argparse

from ..arguments.json_output import printable_json
from ..quantization import quantize, report_json, report_text
from .network_arguments import add_network_arguments

EXAMPLES = """\
examples:
  fairmot_dla34 quantize --calibration street.mp4 --weights sample
  fairmot_dla34 quantize --calibration street.mp4 --weights sample --input-size 576x320 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--calibration", required=True, metavar="SOURCE", help="a video like the ones to be tracked, with people in it"
    )
    add_network_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, unrounded; default: text")


def run(arguments: argparse.Namespace) -> None:
    """Make the network and print the report."""
    report = quantize(arguments.weights, calibration=arguments.calibration, input_size=arguments.input_size)
    print(printable_json(report_json(report)) if arguments.json else report_text(report))
