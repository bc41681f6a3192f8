"""The registry of checkpoints, ``weights.json``: published ones, and the one that ships in this package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..config import InputSize

REGISTRY_FILE = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class WeightsEntry:
    """One checkpoint. Source of the published ones: PaddleDetection 2.6, ``configs/mot/fairmot``.

    Attributes:
        name: What users call it, also its file's stem.
        url: Where it was published, or None: it ships in this package.
        sha256: Hexadecimal digest of the file, or None where the publisher gives none.
        bytes: Length of the file, or None where the publisher gives none.
        licence: Of the file, and a word on the data behind it.
        input_size: Network input it was trained at.
        classes: Channels of its heatmap.
        trained_on: Names of the data sets.
        tracker_method: The association its configuration asks for, ``jde`` or ``byte``.
    """

    name: str
    url: str | None
    sha256: str | None
    bytes: int | None
    licence: str
    input_size: InputSize
    classes: int
    trained_on: tuple[str, ...]
    tracker_method: str

    @property
    def packaged_path(self) -> Path | None:
        """Where it lies in this package; None for one that is downloaded."""
        return None if self.url else REGISTRY_FILE.with_name(f"{self.name}.npz")


@cache
def registered() -> tuple[WeightsEntry, ...]:
    """Return the registered checkpoints, the default one first."""
    rows = json.loads(REGISTRY_FILE.read_text(encoding="utf-8"))
    return tuple(
        WeightsEntry(
            **{**row, "input_size": InputSize.parse(row["input_size"]), "trained_on": tuple(row["trained_on"])}
        )
        for row in rows
    )
