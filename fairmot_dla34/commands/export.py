"""The verb ``export``: writes the network as files for other runtimes."""

from __future__ import annotations

import argparse

from ..backends.export import EXPORT_FORMATS, export
from .network_arguments import add_network_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.add_argument("--format", choices=EXPORT_FORMATS, default="onnx")
    parser.add_argument("--output-dir", default=".", metavar="D", help="folder to write to; default: here")
    add_network_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the files and print their paths."""
    for path in export(arguments.weights, arguments.format, arguments.output_dir, arguments.input_size):
        print(path)
