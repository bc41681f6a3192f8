"""The verb ``export``: writes the network as files for other runtimes."""

from __future__ import annotations

import argparse

from ..arguments import Option, add_options
from ..arguments.readers import folder
from ..backends.export import EXPORT_FORMATS, export
from .network_arguments import add_network_arguments

EXAMPLES = """\
examples:
  fairmot_dla34 export --weights sample --output-dir out
  fairmot_dla34 export --weights sample --format openvino --input-size 576x320 --output-dir out
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--format",
        choices=EXPORT_FORMATS,
        default="onnx",
        help=f"one of {', '.join(EXPORT_FORMATS)}; default: %(default)s",
    )
    output_dir = Option("output_dir", "D", "folder to write to", folder, default=".", shown_default="the current one")
    add_options(parser, [output_dir])
    add_network_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the files and print their paths."""
    for path in export(arguments.weights, arguments.format, arguments.output_dir, arguments.input_size):
        print(path)
