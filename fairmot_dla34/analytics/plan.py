"""The analysis of a run as a setting: its outputs, and a new state for each video."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import shown
from ..errors import InvalidInputError, StateError
from ..outputs import SinkKind
from ..outputs.sink import ANALYTICS_FOLDER
from .config import AnalyticsConfig
from .live import LiveAnalysis
from .sinks import CountSink, EventSink, HeatSink, count_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..outputs import Sink, SinkContext


@dataclass(frozen=True)
class AnalyticsPlan:
    """An analysis as an option of a run: its outputs, and a new state for each video.

    Attributes:
        config: Settings.

    Raises:
        InvalidInputError: ``config`` is not an `AnalyticsConfig`, or two columns of the counts would have one name.
    """

    config: AnalyticsConfig

    def __post_init__(self) -> None:
        if not isinstance(self.config, AnalyticsConfig):
            raise InvalidInputError(f"analytics is {shown(self.config)}; expected an AnalyticsConfig object.")
        columns = count_columns(self.config)
        twice = [name for number, name in enumerate(columns) if name in columns[:number]]
        if twice:
            raise InvalidInputError(
                f"Two columns of the counts would be named {twice[0]!r}; expected names of lines, directions and zones "
                "that make different columns. Rename one of them; 'people' stands for all people in the image."
            )

    @property
    def kinds(self) -> tuple[SinkKind, ...]:
        """Outputs: events, counts per minute and, if the settings have one, the heat map."""
        return (EVENTS, COUNTS, HEATMAP) if self.config.heatmap else (EVENTS, COUNTS)

    @property
    def needs_images(self) -> bool:
        """True if the heat map is drawn over the first frame."""
        return self.config.heatmap is not None

    def start(self, frame_size: tuple[int, int], frame_rate: float) -> LiveAnalysis:
        """Return the state of a new run; see `Analysis`.

        Raises:
            InvalidInputError: A line or zone is not within the frame.
        """
        return LiveAnalysis(self.config, frame_size, frame_rate)


def plan_of(analytics: object) -> AnalyticsPlan | None:
    """Return the plan of settings; None for None.

    Args:
        analytics: An `AnalyticsConfig`, or the path of a TOML file.

    Raises:
        InvalidInputError: It is neither, or the file cannot be used.
    """
    if analytics is None:
        return None
    if isinstance(analytics, (str, os.PathLike)):
        analytics = AnalyticsConfig.from_toml(analytics)
    if not isinstance(analytics, AnalyticsConfig):
        raise InvalidInputError(
            f"analytics is {shown(analytics)}; expected an AnalyticsConfig object, or the path of a TOML file."
        )
    return AnalyticsPlan(analytics)


def _live(context: SinkContext) -> LiveAnalysis:
    if not isinstance(context.analysis, LiveAnalysis):
        raise StateError("The run has no analysis; expected an AnalyticsPlan in the settings of its outputs.")
    return context.analysis


def _kind(name: str, suffix: str, sink: Callable[[Path, LiveAnalysis], Sink]) -> SinkKind:
    return SinkKind(
        name, ANALYTICS_FOLDER, suffix, needs_images=False, open=lambda path, context: sink(path, _live(context))
    )


EVENTS = _kind("events", ".events.jsonl", EventSink)
COUNTS = _kind("counts", ".counts.csv", CountSink)
HEATMAP = _kind("heatmap", ".heatmap.png", HeatSink)
