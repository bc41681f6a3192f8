"""The options of the verb ``watch``: those of a tracking run that suit endless streams, and its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..cameras.checks import check_give_up, check_metrics_port
from ..cameras.config import DRAW_THRESHOLD, SETTINGS, TRACKER
from ..cameras.keep import Keep
from ..cameras.segment import Segment
from .model_options import network_options, tracker_options
from .options import Option, Switch, add_options
from .source_options import output_options

_NAMES = (*SETTINGS, *TRACKER)


def add_watch_options(parser: argparse.ArgumentParser) -> None:
    """Add all options, in groups. None of them has a default: the settings file then decides."""
    for title, options in (
        ("network", network_options()),
        ("association", tracker_options()),
        ("outputs", output_options()),
        ("cameras", _own_options()),
    ):
        chosen = [_without_default(option) for option in options if option.name in _NAMES]
        add_options(parser.add_argument_group(title), chosen)


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that options give, by the names of `WatchConfig.settings`."""
    found = {name: getattr(arguments, name) for name in _NAMES}
    return {name: value for name, value in found.items() if value is not None}


def _without_default(option: Option | Switch) -> Option | Switch:
    if isinstance(option, Switch):
        return replace(option, default=None)
    default = DRAW_THRESHOLD if option.name == "draw_threshold" else option.default
    return replace(option, default=None, shown_default=option.shown_default or f"{default}")


def _own_options() -> tuple[Option, ...]:
    return (
        Option(
            "segment",
            "DURATION",
            "length of the parts of all files: hour, day, or a duration such as 15m",
            _checked(Segment.parse),
            shown_default="one part until the frame size changes",
        ),
        Option(
            "keep",
            "LIMIT",
            "delete the oldest parts of a camera by age (7d), size (50GB) or both (7d,50GB); needs --segment",
            _checked(Keep.parse),
            shown_default="keep all",
        ),
        Option(
            "give_up_after_s",
            "SECONDS",
            "end a camera after this time without a frame in s",
            lambda text: check_give_up(_number(text, float)),
            shown_default="try for ever",
            spelled="give_up_after",
        ),
        Option(
            "metrics",
            "PORT",
            "serve metrics for Prometheus on 127.0.0.1 at this port, 0 for a free one",
            lambda text: check_metrics_port(_number(text, int)),
            shown_default="none",
        ),
    )


def _checked(parse: Callable[[str], object]) -> Callable[[str], str]:
    """Return a reader that checks a text and keeps it."""

    def read(text: str) -> str:
        parse(text)
        return text

    return read


def _number(text: str, convert: Callable[[str], float]) -> object:
    try:
        return convert(text)
    except ValueError:
        return text
