"""The arguments ``--weights`` and ``--input-size``, equal in every verb that has them."""

from __future__ import annotations

import argparse

from ..config import DEFAULT_WEIGHTS


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--weights`` and ``--input-size``."""
    parser.add_argument(
        "--weights", default=DEFAULT_WEIGHTS, metavar="W", help="registered name, or a .pdparams or .npz file"
    )
    parser.add_argument("--input-size", metavar="WxH", help="network input; default: what the weights were trained for")
