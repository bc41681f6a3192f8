"""HOTA, MOTA and IDF1 of the association alone, on MOT17's seven training sequences with public detections, no images.

    python benchmarks/association.py --data DATA/MOT17 [--json FILE]
    python benchmarks/association.py --data DATA/MOT17 --leave-one-out 12

The table has every method of this package that works without embeddings, and every peer that is installed.
``--leave-one-out N`` tries N settings of ``steady`` from `SPACE`, including the default. For each sequence it selects
the settings that are best on the six others (mean of HOTA + MOTA + IDF1), and scores the seven results together.
`association_speed.py` measures the time.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from dataclasses import asdict, replace
from itertools import product, starmap
from pathlib import Path
from typing import Any, NamedTuple

from contestants import STEADY, contestants, frcnn_contestants, own_tracker
from mot17 import Sequence, read_sequences, write_results

from fairmot_dla34.association.steady import Tuning
from fairmot_dla34.evaluation import Scores, evaluate

# Search space: the seconds a lost track is kept, and the constants of `Tuning`.
SPACE: dict[str, tuple[Any, ...]] = {
    "lost_buffer_s": (1.0, 1.5, 2.0, 3.0),
    "growth_per_s": (0.25, 0.5, 0.75),
    "height_power": (0, 1, 2, 3),
    "lost_limit": (0.6, 0.7, 0.8),
    "velocity": (1 / 160, 1 / 240, 1 / 320),
}


class Candidate(NamedTuple):
    """One point of `SPACE`."""

    lost_buffer_s: float
    growth_per_s: float
    height_power: int
    lost_limit: float
    velocity: float

    @property
    def tuning(self) -> Tuning:
        """The constants of ``steady``."""
        noise = Tuning().noise._replace(velocity=self.velocity)
        return Tuning(self.growth_per_s, self.height_power, self.lost_limit, noise)

    def __str__(self) -> str:
        return (
            f"buffer {self.lost_buffer_s} s, growth {self.growth_per_s} /s, heights^{self.height_power}, "
            f"lost limit {self.lost_limit}, velocity 1/{1 / self.velocity:.0f}"
        )


_TUNING = Tuning()
DEFAULT = Candidate(
    STEADY.buffer_s, _TUNING.growth_per_s, _TUNING.height_power, _TUNING.lost_limit, _TUNING.noise.velocity
)


def line(name: str, scores: Scores) -> str:
    """Return a row of the table."""
    figures = (scores.hota, scores.ass_a, scores.mota, scores.idf1)
    return f"| {name} | {' | '.join(f'{figure:.2f}' for figure in figures)} | {scores.id_switches} |"


def table(data: Path, sequences: list[Sequence], results: Path) -> dict[str, Scores]:
    """Run all trackers and print their scores."""
    print("| tracker | HOTA | AssA | MOTA | IDF1 | IDSW |\n|---|---|---|---|---|---|")
    rows = {}
    for contestant in (*frcnn_contestants(), *contestants()):
        if contestant.uses_embeddings:
            continue
        if not contestant.installed:
            print(f"| {contestant.name} | not installed | | | | |")
            continue
        folder = results / contestant.name
        for sequence in sequences:
            write_results(sequence, contestant.start(sequence.frame_rate, sequence.size), folder)
        rows[contestant.name] = evaluate(data / "gt", folder).combined
        print(line(contestant.name, rows[contestant.name]), flush=True)
    return rows


def leave_one_out(data: Path, sequences: list[Sequence], results: Path, count: int) -> Scores:
    """Select settings on six sequences and score the seventh; print every candidate, choice and the combined scores."""
    others = [candidate for candidate in starmap(Candidate, product(*SPACE.values())) if candidate != DEFAULT]
    candidates = [DEFAULT, *random.Random(0).sample(others, count - 1)]  # noqa: S311
    by_candidate: list[dict[str, float]] = []
    for number, candidate in enumerate(candidates):
        folder = results / str(number)
        for sequence in sequences:
            config = replace(STEADY, lost_buffer_s=candidate.lost_buffer_s)
            write_results(sequence, own_tracker(config, sequence.frame_rate, candidate.tuning), folder)
        scores = evaluate(data / "gt", folder)
        totals = {name: own.hota + own.mota + own.idf1 for name, own in scores.sequences.items()}
        by_candidate.append(totals)
        print(line(f"{number}: {candidate}", scores.combined), flush=True)
    held_out = results / "held-out"
    held_out.mkdir()
    for sequence in sequences:
        on_others = [sum(totals.values()) - totals[sequence.name] for totals in by_candidate]
        best = max(range(len(candidates)), key=on_others.__getitem__)
        print(f"without {sequence.name}: {best}")
        shutil.copy(results / str(best) / f"{sequence.name}.txt", held_out)
    combined = evaluate(data / "gt", held_out).combined
    print(line("steady, leave one out", combined))
    return combined


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with gt, det and seqinfo")
    parser.add_argument("--leave-one-out", type=int, metavar="N", help="instead, try N settings of steady")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the scores to this file")
    arguments = parser.parse_args()
    sequences = read_sequences(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.leave_one_out:
            combined = leave_one_out(arguments.data, sequences, Path(folder), arguments.leave_one_out)
            rows = {"steady, leave one out": combined}
        else:
            rows = table(arguments.data, sequences, Path(folder))
    if arguments.json:
        record = {name: asdict(scores) for name, scores in rows.items()}
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
