"""The options of an analysis of tracks, and the settings that they give."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..analytics.config import AnalyticsConfig, HeatSettings
from ..errors import InvalidInputError
from .options import Option, Switch
from .parser import SettingsFileError


def analytics_options() -> tuple[Option | Switch, ...]:
    """Return the options of an analysis."""
    return (
        Option(
            "lines",
            "NAME:x1,y1,x2,y2",
            "count who crosses a line, in px of the image; may be given several times",
            AnalyticsConfig.parse_line,
            shown_default="none",
            spelled="line",
            repeated=True,
        ),
        Option(
            "zones",
            "NAME:x,y,x,y,...",
            "watch who enters and leaves a polygon, in px of the image; may be given several times",
            AnalyticsConfig.parse_zone,
            shown_default="none",
            spelled="zone",
            repeated=True,
        ),
        Switch(
            "heatmap",
            {"heatmap": (True, "write a heat map of the time that people spent at each place; default: none")},
            "write a heat map of the time that people spent at each place",
        ),
        Option(
            "analytics",
            "FILE.toml",
            "TOML file with lines, zones, heat map and ground plane, beside those of the options",
            shown_default="none",
        ),
    )


def analytics_config(arguments: argparse.Namespace) -> AnalyticsConfig | None:
    """Return the settings of the options `analytics_options`; None if none of them is given.

    Args:
        arguments: Parsed arguments of a `Parser`.

    Raises:
        SystemExit: With 2, if two lines or zones have one name.
        SettingsFileError: The file cannot be used.
    """
    given = arguments.lines or arguments.zones or arguments.heatmap
    if not given and arguments.analytics is None:
        return None
    config = AnalyticsConfig() if arguments.analytics is None else _from_file(arguments.analytics)
    with arguments.parser.wrong_usage():
        config = config.with_more(tuple(arguments.lines or ()), tuple(arguments.zones or ()))
    if arguments.heatmap and config.heatmap is None:
        config = replace(config, heatmap=HeatSettings())
    return config


def _from_file(path: str) -> AnalyticsConfig:
    try:
        return AnalyticsConfig.from_toml(path)
    except InvalidInputError as error:
        raise SettingsFileError(str(error)) from error
