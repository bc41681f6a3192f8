"""Notes of a conversion: what the file does not hold, and how its network differs from the one that was read."""

from __future__ import annotations

from ..architectures import HeadSizes
from ..architectures.heads import WIDTH_AND_HEIGHT
from .naming import Family
from .registry import WeightsEntry


def note_settings(entry: WeightsEntry | None) -> list[str]:
    """Return notes on the settings of registered weights that no checkpoint file holds."""
    if entry is None:
        return []
    notes = []
    if entry.tracker_settings:
        listed = ", ".join(f"{name} {value}" for name, value in entry.tracker_settings.items())
        notes.append(f"the file does not state the tracker's settings of {entry.name}: {listed}")
    if entry.classes > 1:
        notes.append(f"the file does not state the names of the {entry.classes} classes of {entry.name}")
    return notes


def note_boxes(sizes: HeadSizes, family: Family | None) -> list[str]:
    """Return a note on a size head of width and height.

    Args:
        sizes: Sizes of the network that was read.
        family: Project whose names are written; None: PaddleDetection.
    """
    if sizes.size_channels != WIDTH_AND_HEIGHT:
        return []
    if family is None:
        return ["the size head has width and height, as PaddleDetection's with `regress_ltrb: False`"]
    distances = "half of the numbers, twice; the boxes are the same"
    return [f"width and height of boxes are written as the distances to four sides of {family.NAME}: {distances}"]


def note_merged(count: int, family: Family) -> list[str]:
    """Return a note on arrays of the neck that a project with plain convolutions does not have.

    Args:
        count: Number of these arrays.
        family: The project.
    """
    if not count:
        return []
    reason = f"the network of {family.NAME} has plain convolutions in its neck"
    exactness = "it computes the same within the rounding of float32"
    return [
        f"{count} arrays of constant offsets, masks and biases are merged into others, because {reason}; {exactness}"
    ]
