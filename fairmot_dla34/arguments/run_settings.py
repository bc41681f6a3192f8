"""Adds the options of a tracking run to a parser, and makes the settings of a run from parsed arguments."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..association import TrackerConfig
from ..tracking.options import ModelOptions, OutputOptions, SourceOptions, published_tracker
from .model_options import network_options, tracker_options
from .options import add_options
from .source_options import output_options, source_options
from .tracker_file import check_table, read_tracker_table

SOURCE_HELP = "video file, folder of images, glob of images, camera index or URL"
_MODEL = ("weights", "backend", "precision", "input_size", "use_gpu", "threads")
_TRACKER = ("conf_thres", "lost_buffer_s", "use_embeddings")
_SOURCE = ("frame_rate", "frame_stride", "newest_frame")
_OUTPUT = (
    "output_dir",
    "visualization",
    "draw_threshold",
    "formats",
    "fill_gaps",
    "name",
    "overwrite",
    "labels",
    "line_width",
)


@dataclass(frozen=True)
class RunSettings:
    """Settings of one run.

    Attributes:
        model: Network, backend and association.
        source: Settings for reading the source.
        output: Outputs and their folder.
    """

    model: ModelOptions
    source: SourceOptions
    output: OutputOptions


def add_run_options(
    parser: argparse.ArgumentParser, *, hub: bool = False, defaults: Mapping[str, Any] | None = None
) -> None:
    """Add all options of a tracking run, in groups.

    Args:
        parser: Parser of the command.
        hub: Use PaddleHub's spelling; see `add_options`.
        defaults: Defaults by name that differ from those of the options.
    """
    for title, options in (
        ("network", network_options()),
        ("association", tracker_options()),
        ("source", source_options()),
        ("outputs", output_options()),
    ):
        add_options(parser.add_argument_group(title), options, hub=hub, defaults=defaults)


def run_settings(arguments: argparse.Namespace, base: ModelOptions | None = None) -> RunSettings:
    """Return the settings that the options of `add_run_options` give.

    Args:
        arguments: Parsed arguments of a `Parser`.
        base: Settings of the model that have no option; None: the defaults.

    Raises:
        SystemExit: With 2, if settings exclude each other or one is out of its range.
        FairMOTError: The file of ``--config`` cannot be used, or a backend is not installed.
    """
    tracker = _tracker(arguments)
    with arguments.parser.wrong_usage():
        return RunSettings(
            replace(base or ModelOptions(), tracker=tracker, **_values(arguments, _MODEL)),
            SourceOptions(**_values(arguments, _SOURCE)),
            OutputOptions(**_values(arguments, _OUTPUT)),
        )


def _tracker(arguments: argparse.Namespace) -> TrackerConfig | str | None:
    """Return the settings of the association: options, then the file, then the method's defaults."""
    tracker: TrackerConfig | str | None = arguments.tracker
    given = {name: value for name, value in _values(arguments, _TRACKER).items() if value is not None}
    if not given and arguments.config is None:
        return tracker
    table = {} if arguments.config is None else read_tracker_table(arguments.config)
    if isinstance(tracker, TrackerConfig):  # the settings of a Module, which the file and the options change
        settings = {**vars(tracker), **table, **given}
    else:
        chosen = {} if tracker is None else {"method": tracker}
        settings = {**published_tracker(arguments.weights), **table, **given, **chosen}
    check_table(arguments.config, table, settings["method"])
    with arguments.parser.wrong_usage():
        return TrackerConfig.from_mapping(settings)


def _values(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}
