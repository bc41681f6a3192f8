"""Tables of the figures of all runs: contestants of each set in order, and whether ``auto`` is first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from association_candidates import PREFIX, leave_one_set_out
from association_parts import PREFIX as PARTS_PREFIX
from association_parts import contributions
from association_records import Records
from association_scoring import COMBINED, FIGURES
from numpy.typing import NDArray

OURS = ("fairmot_dla34 auto, embeddings", "fairmot_dla34 auto")  # with embeddings where a set has them
TITLES = ("HOTA", "MOTA", "IDF1")
CAPTION = (
    "HOTA, MOTA and IDF1: mean of the set's sequences (`mot17-frcnn`: of all boxes together), ± standard deviation "
    "over the runs. Id switches: sum of the set. The last column is the difference of HOTA from `auto` in the runs "
    "that both have; it gives the order."
)
MOST_COST = 0.5  # IDF1 by which a sequence may be worse with embeddings than without


class Row(NamedTuple):
    """One contestant on one set.

    Attributes:
        name: The contestant.
        figures: ``(R, 4)`` figures of its runs, see `FIGURES`.
        runs: Names of the runs.
    """

    name: str
    figures: NDArray[np.float64]
    runs: tuple[str, ...]

    @property
    def means(self) -> NDArray[np.float64]:
        """``(4,)`` means over the runs."""
        mean: NDArray[np.float64] = self.figures.mean(axis=0)
        return mean

    @property
    def deviations(self) -> NDArray[np.float64]:
        """``(4,)`` standard deviations over the runs; 0 for a single run."""
        return self.figures.std(axis=0, ddof=1) if len(self.runs) > 1 else np.zeros(len(FIGURES))

    def line(self, own: Row | None) -> str:
        """Return the row of the table; ``own`` is that of ``auto``."""
        several = len(self.runs) > 1
        cells = [
            f"{mean:.{digits}f} ± {deviation:.{digits}f}" if several else f"{mean:.{digits}f}"
            for mean, deviation, digits in zip(self.means, self.deviations, (2, 2, 2, 0), strict=True)
        ]
        name = f"**{self.name}**" if self.name in OURS else self.name
        ahead = f"{_ahead(self, own, 0):+.2f}" if own and _common(self, own) else ""
        return f"| {name} | {' | '.join(cells)} | {len(self.runs)} | {ahead} |"


def rows(records: Records, set_name: str) -> list[Row]:
    """Return the contestants of a set, ordered by HOTA.

    Shaken runs have lower scores than plain ones. If contestants have different runs, the order is that of the mean
    difference from ``auto`` over the runs that both have.
    """
    found = []
    for name in records.contestants(set_name):
        if not name.startswith((PREFIX, PARTS_PREFIX)):
            by_run = records.of_runs(set_name, name)
            found.append(Row(name, np.array(list(by_run.values())), tuple(by_run)))
    own = _own(found)
    if own is None or not all(_common(row, own) for row in found):
        return sorted(found, key=lambda row: -row.means[0])
    return sorted(found, key=lambda row: -_ahead(row, own, 0))


def verdict(found: list[Row]) -> str:
    """Return whether ``auto`` is first in each figure, or within one standard deviation of the first.

    The first is the contestant with the largest mean difference from ``auto`` over the runs that both have, so that
    contestants with fewer runs are compared too. The deviation is that of the first, over its runs.
    """
    own = _own(found)
    if own is None:
        return "`auto` was not measured."
    return f"`{own.name}`: {'; '.join(_place(own, found, figure) for figure in range(len(TITLES)))}."


def _place(own: Row, found: list[Row], figure: int) -> str:
    ahead = {row.name: _ahead(row, own, figure) for row in found if _common(row, own)}
    first = max((row for row in found if row.name in ahead), key=lambda row: ahead[row.name])
    title, by = TITLES[figure], ahead[first.name]
    if by <= 0:
        return f"{title} first"
    deviation = first.deviations[figure]
    place = "within one standard deviation of" if by <= deviation else "BEHIND"
    return f"{title} {place} {first.name} ({by:.2f} ahead, deviation {deviation:.2f})"


def _own(found: list[Row]) -> Row | None:
    """Return the row of ``auto``, with embeddings if the set has them."""
    return next((row for name in OURS for row in found if row.name == name), None)


def _common(row: Row, own: Row) -> list[str]:
    return [run for run in row.runs if run in own.runs]


def _ahead(row: Row, own: Row, figure: int) -> float:
    """Return how far a contestant is ahead of ``auto``, on average over the runs of both."""
    common = _common(row, own)
    theirs, ours = ([one.figures[one.runs.index(run), figure] for run in common] for one in (row, own))
    return float(np.mean(theirs) - np.mean(ours))


def embedding_costs(records: Records) -> Iterator[tuple[str, str, float]]:
    """Yield set, sequence and the IDF1 that embeddings gain, on average over the runs that both have."""
    for one in records.sets:
        with_embeddings, by_boxes = (records.contestants(one).get(name, {}) for name in OURS)
        common = set(with_embeddings) & set(by_boxes)
        for sequence in {name: None for run in sorted(common) for name in by_boxes[run] if name != COMBINED}:
            gains = [with_embeddings[run][sequence]["idf1"] - by_boxes[run][sequence]["idf1"] for run in common]
            yield one, sequence, float(np.mean(gains))


def markdown(records: Records) -> str:
    """Return all tables."""
    parts = [f"{CAPTION}\n"]
    if records.packages:
        parts.append(f"Peers: {', '.join(f'{name} {number}' for name, number in sorted(records.packages.items()))}.\n")
    for one in records.sets:
        found = rows(records, one)
        header = "| contestant | HOTA | MOTA | IDF1 | id switches | runs | HOTA - auto |\n|---|---|---|---|---|---|---|"
        if found:
            lines = [row.line(_own(found)) for row in found]
            parts.append("\n".join([f"## {one}\n", verdict(found), "", header, *lines, ""]))
    gains = list(embedding_costs(records))
    if gains:
        mean = np.mean([gain for *_, gain in gains])
        lines = [f"| {one} | {sequence} | {gain:.2f} |" for one, sequence, gain in gains if gain < -MOST_COST]
        parts.append(f"## Embeddings of `auto`\n\nIDF1 gained on {len(gains)} sequences: {mean:.2f} on average.\n")
        header = f"Sequences that are worse by more than {MOST_COST}:\n\n| set | sequence | IDF1 |\n|---|---|---|"
        parts.append("\n".join([header, *lines, ""]) if lines else f"None is worse by more than {MOST_COST}.\n")
    if any(name.startswith(PREFIX) for one in records.sets for name in records.contestants(one)):
        parts.append(f"## Leave one set out\n\n{leave_one_set_out(records)}")
    if any(name.startswith(PARTS_PREFIX) for one in records.sets for name in records.contestants(one)):
        parts.append(f"## Parts of `auto`\n\n{contributions(records)}")
    return "\n".join(parts)
