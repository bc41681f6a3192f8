"""Adds the options of a tracking run to a parser, and makes the settings of a run from parsed arguments."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..analytics.plan import AnalyticsPlan
from ..association import TrackerConfig
from ..association.registry import check_used
from ..tracking.options import ModelOptions, OutputOptions, SourceOptions, published_settings
from .analytics_options import analytics_config, analytics_options
from .model_options import network_options, tracker_options
from .options import add_options
from .source_options import output_options, source_options
from .tracker_file import check_table, read_tracker_table

SOURCE_HELP = "video file, folder of images, glob of images, camera index or URL"
_MODEL = ("weights", "backend", "precision", "input_size", "use_gpu", "threads")
_TRACKER = ("conf_thres", "lost_buffer_s", "reid_buffer_s", "use_embeddings")
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
    "anonymise",
    "follow",
    "save_crops",
    "crop_interval_s",
    "show",
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
    parser: argparse.ArgumentParser,
    *,
    hub: bool = False,
    defaults: Mapping[str, Any] | None = None,
    shown_defaults: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> None:
    """Add all options of a tracking run, in groups.

    Args:
        parser: Parser of the command.
        hub: Use PaddleHub's spelling; see `add_options`.
        defaults: Defaults by name that differ from those of the options.
        shown_defaults: Texts about defaults by name, for the help, that differ from those of the options.
        without: Names of options that the command does not have; they keep their defaults.
    """
    texts = shown_defaults or {}
    for title, options in (
        ("network", network_options()),
        ("association", tracker_options()),
        ("source", source_options()),
        ("outputs", output_options()),
        ("analysis", analytics_options()),
    ):
        kept = [
            replace(option, shown_default=texts.get(option.name, option.shown_default))
            for option in options
            if option.name not in without
        ]
        add_options(parser.add_argument_group(title), kept, hub=hub, defaults=defaults)
        parser.set_defaults(**{option.name: option.default for option in options if option.name in without})


def run_settings(arguments: argparse.Namespace, base: ModelOptions | None = None) -> RunSettings:
    """Return the settings that the options of `add_run_options` give.

    Args:
        arguments: Parsed arguments of a `Parser`.
        base: Settings of the model that have no option; None: the defaults.

    Raises:
        SystemExit: With 2, if settings exclude each other or one is out of its range.
        FairMOTError: The file of ``--config`` or ``--analytics`` cannot be used, or a backend is not installed.
    """
    tracker = _tracker(arguments, published_settings(arguments.weights))
    plan = _analytics_plan(arguments)
    with arguments.parser.wrong_usage():
        return RunSettings(
            replace(base or ModelOptions(), tracker=tracker, **_values(arguments, _MODEL)),
            SourceOptions(**_values(arguments, _SOURCE)),
            OutputOptions(**_values(arguments, _OUTPUT), analytics=plan),
        )


def detection_settings(arguments: argparse.Namespace) -> tuple[ModelOptions, SourceOptions]:
    """Return the settings that the options of the network and of the source give.

    Raises:
        SystemExit: With 2, if settings exclude each other or one is out of its range.
        FairMOTError: A backend is not installed.
    """
    with arguments.parser.wrong_usage():
        return ModelOptions(**_values(arguments, _MODEL)), SourceOptions(**_values(arguments, _SOURCE))


def association_settings(
    arguments: argparse.Namespace, published: Mapping[str, object]
) -> tuple[TrackerConfig | str | None, OutputOptions]:
    """Return the settings that the options of the association, the outputs and the analysis give.

    Args:
        arguments: Parsed arguments of a `Parser`.
        published: Settings of the association that the weights were published with.

    Raises:
        SystemExit: With 2, if settings exclude each other or one is out of its range.
        FairMOTError: The file of ``--config`` or ``--analytics`` cannot be used.
    """
    tracker = _tracker(arguments, published)
    plan = _analytics_plan(arguments)
    with arguments.parser.wrong_usage():
        return tracker, OutputOptions(**_values(arguments, _OUTPUT), analytics=plan)


def _analytics_plan(arguments: argparse.Namespace) -> AnalyticsPlan | None:
    config = analytics_config(arguments)
    return None if config is None else AnalyticsPlan(config)


def _tracker(arguments: argparse.Namespace, published: Mapping[str, object]) -> TrackerConfig | str | None:
    """Return the settings of the association: options, then the file, then what the weights were published with."""
    tracker: TrackerConfig | str | None = arguments.tracker
    given = {name: value for name, value in _values(arguments, _TRACKER).items() if value is not None}
    if not given and arguments.config is None:
        return tracker
    table = {} if arguments.config is None else read_tracker_table(arguments.config)
    settings: dict[str, Any]
    if isinstance(tracker, TrackerConfig):  # the settings of a Module, which the file and the options change
        settings = {**vars(tracker), **table, **given}
    else:
        chosen = {} if tracker is None else {"method": tracker}
        settings = {"method": TrackerConfig.method, **published, **table, **given, **chosen}
    check_table(arguments.config, table, settings["method"])
    with arguments.parser.wrong_usage():
        check_used(settings["method"], given)
        return TrackerConfig.from_mapping(settings)


def _values(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}
