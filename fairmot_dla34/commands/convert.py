"""The verb ``convert``: writes a checkpoint in the format of another FairMOT project, and compares the two."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.readers import input_size, one_of
from ..errors import IntegrityError, InvalidInputError
from ..evaluation.comparison import compare_networks
from ..evaluation.comparison_report import Comparison, comparison_fields, comparison_text
from ..weights.conversion import ALL_NAMES, NAMES, convert
from ..weights.conversion_report import Conversion, conversion_fields, conversion_text
from ..weights.target_file import checked_target

EXAMPLES = """\
examples:
  fairmot_dla34 convert sample sample.pth
  fairmot_dla34 convert trained.pdparams trained.pth --check street.mp4
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    suffixes = ", ".join(NAMES)
    parser.add_argument("weights", metavar="IN", help=f"registered name, or a file: {suffixes}")
    parser.add_argument("path", metavar="OUT", help=f"file to write; its suffix decides the format: {suffixes}")
    add_options(
        parser,
        (
            Option(
                "to",
                "NAMES",
                f"project whose array names OUT has, one of {', '.join(ALL_NAMES)}",
                one_of("to", lambda: ALL_NAMES),
                shown_default=", ".join(f"{suffix} {names[0]}" for suffix, names in NAMES.items()),
            ),
            Option(
                "input_size",
                "WxH",
                "network input in px that OUT states and --check uses, such as 576x320",
                input_size,
                shown_default="the size the weights were trained for",
            ),
            Switch(
                "float16",
                {"float16": (True, "round convolutions to float16, for half the size; .npz only; default: float32")},
                "round convolutions to float16",
            ),
            Option(
                "check",
                "VIDEO",
                "compare IN and OUT on the first 50 frames of this video; an OUT that exists is compared as it is",
                shown_default="no comparison",
            ),
            Switch("overwrite", {"overwrite": (True, "replace OUT; default: refuse")}, "replace the file"),
            json_switch("the report"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Convert, compare if asked to, and print the report."""
    conversion = None if _only_compares(arguments) else _convert(arguments)
    if conversion and not arguments.json:
        print(conversion_text(conversion), flush=True)
    comparison = None
    if arguments.check is not None:
        comparison = compare_networks(
            arguments.weights, Path(arguments.path), video=arguments.check, input_size=arguments.input_size
        )
    if arguments.json:
        print(printable_json(json.dumps(_fields(conversion, comparison))))
    elif comparison:
        print(comparison_text(comparison))
    if comparison and not comparison.agrees:
        first, *others = comparison.excess
        more = f", and {len(others)} of the other figures" if others else ""
        raise IntegrityError(
            f"{comparison.other} does not compute what {comparison.weights} computes: {first}{more}. Expected a "
            "conversion of the same network: convert it again with --overwrite."
        )


def _convert(arguments: argparse.Namespace) -> Conversion:
    return convert(
        arguments.weights,
        arguments.path,
        to=arguments.to,
        float16=arguments.float16,
        input_size=arguments.input_size,
        overwrite=arguments.overwrite,
    )


def _only_compares(arguments: argparse.Namespace) -> bool:
    """Return True for two files that exist, which ``--check`` without ``--overwrite`` leaves as they are."""
    path = checked_target(arguments.path)
    if arguments.check is None or arguments.overwrite or not os.path.lexists(path):
        return False
    for option, value in {"to": arguments.to, "float16": arguments.float16}.items():
        if value:
            raise InvalidInputError(
                f"{path} exists and is only compared, so that --{option} has no effect; expected --overwrite, "
                f"which converts it again, or no --{option}."
            )
    return True


def _fields(conversion: Conversion | None, comparison: Comparison | None) -> dict[str, Any]:
    return {
        "conversion": conversion and conversion_fields(conversion),
        "check": comparison and comparison_fields(comparison),
    }
