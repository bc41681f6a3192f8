"""Registry of checkpoints, read from ``weights.json``: published ones, and the one that ships in this package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..config import InputSize

REGISTRY_FILE = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class WeightsEntry:
    """One registered checkpoint. Source of the published ones: PaddleDetection 2.6, ``configs/mot``.

    Attributes:
        name: Name that users pass as weights, also the stem of the file.
        architecture: Name of the network architecture, such as ``dla34``.
        url: URL it was published at, or None if it ships in this package.
        sha256: Hexadecimal digest of the file, or None if the publisher gives none.
        bytes: Length of the file, or None if the publisher gives none.
        licence: Licence of the file, with restrictions from its training data.
        input_size: Network input size it was trained at.
        class_names: Names of its classes, in the order of the channels of its heatmap.
        trained_on: Names of the datasets.
        tracker_settings: Settings of its configuration that differ from the defaults of `TrackerConfig`: weights for
            vehicles set ``min_box_area`` and ``vertical_ratio`` to 0, so that small and wide boxes are reported.
    """

    name: str
    architecture: str
    url: str | None
    sha256: str | None
    bytes: int | None
    licence: str
    input_size: InputSize
    class_names: tuple[str, ...]
    trained_on: tuple[str, ...]
    tracker_settings: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def packaged_path(self) -> Path | None:
        """Path of the file in this package, or None if it is downloaded."""
        return None if self.url else REGISTRY_FILE.with_name(f"{self.name}.npz")


@cache
def registered() -> tuple[WeightsEntry, ...]:
    """Return the registered checkpoints; the default one is first."""
    rows = json.loads(REGISTRY_FILE.read_text(encoding="utf-8"))
    return tuple(_entry(row) for row in rows)


def _entry(row: dict[str, Any]) -> WeightsEntry:
    texts = {name: tuple(row[name]) for name in ("class_names", "trained_on")}
    return WeightsEntry(**{**row, **texts, "input_size": InputSize.parse(row["input_size"])})
