"""Settings of a watch: the cameras, the network, the association, and the outputs of each camera."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..analytics.config import AnalyticsConfig
from ..analytics.plan import AnalyticsPlan
from ..analytics.toml_text import check_keys
from ..association import TrackerConfig
from ..association.registry import check_used
from ..config import check_path
from ..errors import InvalidInputError
from ..tracking.options import ModelOptions, OutputOptions, published_settings
from ..video.names import redact_urls
from .camera import Camera
from .checks import check_give_up, check_metrics_port, source_name
from .config_file import check_unique, read_watch_file
from .keep import Keep
from .parts import PartWriter
from .segment import Segment
from .variables import warn_of_passwords
from .watch import Watch, streams_for

if TYPE_CHECKING:
    from ..tracking.model import FairMOT

MODEL = ("weights", "backend", "precision", "input_size", "use_gpu", "threads")
TRACKER = ("conf_thres", "lost_buffer_s", "reid_buffer_s", "use_embeddings")
OUTPUT = (
    "output_dir",
    "visualization",
    "draw_threshold",
    "formats",
    "fill_gaps",
    "labels",
    "line_width",
    "anonymise",
)
OWN = ("segment", "keep", "give_up_after_s", "metrics")
SETTINGS = (*MODEL, "tracker", *OUTPUT, *OWN)
DRAW_THRESHOLD = 0.0  # as with the verb track: all tracks are drawn, so that text and video agree


@dataclass(frozen=True)
class WatchConfig:
    """Settings of a watch, all checked.

    Attributes:
        cameras: Cameras with different names and sources.
        settings: Settings for all cameras by name: arguments of `ModelOptions` and `OutputOptions`; ``tracker``, the
            name of a method or a mapping of settings of `TrackerConfig`; single settings of the association, which
            have priority; ``segment``, ``keep``, ``give_up_after_s`` and ``metrics``. None counts as not given.
        analytics: Analyses by the name of the camera.

    Raises:
        InvalidInputError: A setting is unknown or not accepted, or two cameras have one name or one source.
    """

    cameras: tuple[Camera, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    analytics: Mapping[str, AnalyticsConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_unique(self.cameras)
        check_keys("settings", self.settings, (*SETTINGS, *TRACKER))
        given = {name: value for name, value in self.settings.items() if value is not None}
        object.__setattr__(self, "settings", given)
        _ = self.model, self.segment, self.keep, self.give_up_after_s, self.metrics  # each checks its part
        for camera in self.cameras:
            _ = self.output(camera)
        if self.keep is not None and self.segment is None:
            raise InvalidInputError(
                f"keep is {given['keep']!r} and segment is not given; expected a segment such as hour or day, because "
                "whole parts are deleted."
            )

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> WatchConfig:
        """Read a TOML file: settings, and a table ``[[camera]]`` for each camera.

        Args:
            path: Path of the file. Relative paths in it start from its folder.
            environment: Variables that sources name as ``${NAME}``; None: those of the process.

        Raises:
            InvalidInputError: The file cannot be read, a key is unknown, a value is not accepted, or a variable is not
                set; the message names the file, and never a password.
        """
        check_path("path", path, "the path of a TOML file")
        name = os.fspath(path)
        try:
            file = read_watch_file(name, SETTINGS, os.environ if environment is None else environment)
            config = cls(file.cameras, file.settings, file.analytics)
        except InvalidInputError as error:
            message = redact_urls(str(error))
            known = message.startswith("Settings file ")
            raise InvalidInputError(message if known else f"Settings file {name}: {message}") from None
        warn_of_passwords(name, file.sources)
        return config

    @classmethod
    def from_sources(cls, sources: Sequence[str]) -> WatchConfig:
        """Make the settings for cameras that are named by their sources, such as URLs.

        Raises:
            InvalidInputError: A source is not accepted, or two would have one name.
        """
        return cls(tuple(Camera(source_name(source), source) for source in sources))

    def with_settings(self, settings: Mapping[str, Any]) -> WatchConfig:
        """Return a copy in which settings are replaced; those that are None stay.

        Raises:
            InvalidInputError: A setting is unknown or not accepted.
        """
        return replace(
            self, settings={**self.settings, **{name: value for name, value in settings.items() if value is not None}}
        )

    @property
    def model(self) -> ModelOptions:
        """Settings of the network and of the association."""
        values = {name: self.settings[name] for name in MODEL if name in self.settings}
        options = ModelOptions(**values)
        alone = options.use_gpu or options.backend == "paddledet"  # which runs one image at a time
        streams = 1 if alone else streams_for(len(self.cameras), options.threads)
        return replace(options, tracker=self._tracker(options), streams=streams)

    def _tracker(self, options: ModelOptions) -> TrackerConfig | str | None:
        chosen = self.settings.get("tracker")
        given = {name: self.settings[name] for name in TRACKER if name in self.settings}
        if isinstance(chosen, Mapping):
            given = {**chosen, **given}
        elif not given:
            return chosen
        elif chosen is not None:
            given["method"] = chosen
        method = given.setdefault("method", TrackerConfig.method)
        config = TrackerConfig.from_mapping({**published_settings(options.weights), **given})
        check_used(method, given)
        return config

    def output(self, camera: Camera) -> OutputOptions:
        """Return the outputs of a camera."""
        values = {name: self.settings[name] for name in OUTPUT if name in self.settings}
        analytics = self.analytics.get(camera.name)
        plan = None if analytics is None else AnalyticsPlan(analytics)
        return OutputOptions(**{"draw_threshold": DRAW_THRESHOLD, **values}, analytics=plan)

    @property
    def segment(self) -> Segment | None:
        """Length of the parts; None: a new part only for a new frame size."""
        value = self.settings.get("segment")
        return value if value is None or isinstance(value, Segment) else Segment.parse(value)

    @property
    def keep(self) -> Keep | None:
        """Limits after which old parts are deleted; None: none is."""
        value = self.settings.get("keep")
        return value if value is None or isinstance(value, Keep) else Keep.parse(value)

    @property
    def give_up_after_s(self) -> float | None:
        """Seconds without a frame after which a camera ends; None: never."""
        value = self.settings.get("give_up_after_s")
        return None if value is None else check_give_up(value)

    @property
    def metrics(self) -> int | None:
        """Port of the metrics on 127.0.0.1, 0 for a free one; None: there are none."""
        value = self.settings.get("metrics")
        return None if value is None else check_metrics_port(value)

    def watch(self, model: FairMOT) -> Watch:
        """Start a watch of the cameras, with their outputs.

        Args:
            model: The model, such as ``FairMOT.from_options(config.model)``; the caller closes it.

        Raises:
            OutputError: The output directory cannot be written, or another process writes parts of a camera.
        """

        def outputs(camera: Camera) -> PartWriter:
            return PartWriter(
                camera.name,
                self.output(camera),
                segment=self.segment,
                keep=self.keep,
                class_names=model.class_names,
                hold_s=model.tracker_config.buffer_s,
            )

        return Watch(model, self.cameras, outputs=outputs, give_up_after_s=self.give_up_after_s)
