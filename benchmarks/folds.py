"""Folds of places that a training run leaves out, and the table of the scores in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

VIDEO = tuple(f"{figure}, {direction}" for direction in ("forwards", "backwards") for figure in ("MOTA", "IDF1"))
RANKED = {  # figures whose mean is the figure of the place
    "PETS09-S2L1": VIDEO,
    "TUD-Campus": VIDEO,
    "MOT17-mini": ("AP50",),
    "pennfudan": ("AP50",),
    "wildtrack": ("AP50 in the grid",),
    "coco256_person": ("AP50, upright",),
}
WITH = {"coco256_person": ("coco256_negative",)}  # places of the same origin are left out together
Scores = dict[str, dict[str, float]]  # place -> name of the figure -> value


HEADER = "| place | left out in the run | before | after | figure before | figure after |\n|---|---|---|---|---|---|"


def left_out(fold: Iterable[str]) -> list[str]:
    """Return all places that a run without the places of a fold must not see, sorted."""
    return sorted({name for place in fold for name in (place, *WITH.get(place, ()))})


def read_folds(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Read folds such as ``pennfudan+wildtrack``.

    Raises:
        ValueError: A place is unknown, or in two folds.
    """
    folds = [tuple(text.split("+")) for text in texts]
    places = [place for fold in folds for place in fold]
    for place in places:
        if place not in RANKED:
            raise ValueError(f"--folds has {place!r}; expected places of {', '.join(RANKED)}, joined by +.")
        if places.count(place) > 1:
            raise ValueError(f"--folds has {place} twice; expected each place in one fold.")
    return folds


def figure_of(place: str, scores: Scores) -> float:
    """Return the figure of a place in percent."""
    return float(np.mean([scores[place][name] for name in RANKED[place]]))


def row(place: str, fold: Sequence[str], before: Scores, after: Scores) -> str:
    """Return the row of a place in the table."""
    cells = []
    for scores in (before, after):
        names = RANKED[place] + tuple(name for name in ("recall", "precision") if name in scores.get(place, ()))
        details = [f"{name} {scores[place][name]:.1f}" for name in names] if scores else ["-"]
        for other in WITH.get(place, ()) if scores else ():
            details += [f"{name} {value:.2f}" for name, value in scores[other].items() if name.startswith("false")]
        cells.append("; ".join(details))
    figures = [f"{figure_of(place, scores):.1f}" if scores else "-" for scores in (before, after)]
    return f"| {' | '.join([place, ' + '.join(left_out(fold)), *cells, *figures])} |"


def mean_row(results: Sequence[tuple[Sequence[str], Scores, Scores]]) -> str:
    """Return the row of the mean over all places.

    Args:
        results: Places of each fold, and their scores before and after the training.
    """
    befores = [figure_of(place, before) for fold, before, _ in results for place in fold if before]
    afters = [figure_of(place, after) for fold, _, after in results for place in fold if after]
    means = [f"{np.mean(figures):.1f}" if figures else "-" for figures in (befores, afters)]
    return f"| mean | | | | {' | '.join(means)} |"
