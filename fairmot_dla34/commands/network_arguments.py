"""The arguments ``--weights`` and ``--input-size``, equal in every verb that has them."""

from __future__ import annotations

import argparse

from ..arguments import add_options
from ..arguments.model_options import NETWORK


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--weights`` and ``--input-size``."""
    add_options(parser, NETWORK)
