"""Plain names of losses and validation figures, and their numbers as text."""

from __future__ import annotations

import math
from collections.abc import Mapping

LOSSES = {
    "heatmap": "finding people",
    "size": "box size",
    "offset": "position",
    "box": "box overlap",
    "identity": "telling people apart",
    "teacher_heatmap": "finding the teacher's people",
    "teacher_boxes": "overlap with its boxes",
    "teacher_features": "its feature map",
    "teacher_cosine": "its embeddings",
    "teacher_relations": "their relations",
}
FIGURES = {  # in the order of display
    "hota": "HOTA",
    "mota": "MOTA",
    "idf1": "IDF1",
    "id_switches": "ID switches",
    "ap50": "AP50",
    "map_id": "identity mAP",
    "tpr_far": "TPR at FAR 0.1",
    "loss": "loss",
}
PER_CENT = frozenset({"hota", "mota", "idf1", "ap50", "map_id", "tpr_far"})


def number_text(value: float) -> str:
    """Return a number with three significant digits and without an exponent if it is of common size."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size and not 1e-4 <= size < 1e6:
        return f"{value:.2e}"
    digits = 2 - math.floor(math.log10(size)) if size else 2
    return f"{value:.{min(max(digits, 0), 6)}f}"


def losses_text(losses: Mapping[str, float]) -> str:
    """Return the parts of the loss, such as ``finding people 1.23, box size 0.45``."""
    return ", ".join(f"{LOSSES.get(name, name)} {number_text(value)}" for name, value in losses.items())


def figure_text(name: str, value: float) -> str:
    """Return the number of a validation figure: per cent with one decimal, counts without."""
    if name in PER_CENT:
        return f"{value:.1f}"
    return f"{value:.0f}" if name == "id_switches" else number_text(value)


def figures_text(figures: Mapping[str, float]) -> str:
    """Return validation figures in the order of `FIGURES`, such as ``HOTA 48.2, MOTA 52.1, ID switches 3``."""
    return ", ".join(f"{FIGURES.get(name, name)} {figure_text(name, figures[name])}" for name in ordered(figures))


def ordered(figures: Mapping[str, object]) -> list[str]:
    """Return the names of figures in the order of display; unknown names come last."""
    return [*(name for name in FIGURES if name in figures), *(name for name in figures if name not in FIGURES)]
