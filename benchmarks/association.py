"""Scores of the association alone, ours and that of peers, on detections of many kinds and in repeated runs.

    python benchmarks/association.py --data DATA --work FOLDER --json FILE [--weights sample FILE.pdparams]
        [--sets 'worlds-*'] [--contestants boxmot trackers] [--seeds 3] [--processes 2]
    python benchmarks/association.py --data DATA --work FOLDER --json FILE --leave-one-set-out 8
    python benchmarks/association.py --data DATA --work FOLDER --json FILE --parts
    python benchmarks/association.py --table FILE

Every sequence runs forwards and backwards, each plain and with shaken detections: 1 % of noise on every side of a box,
and 3 % of detections dropped, with ``--seeds`` seeds. The tables have means and standard deviations over these runs.
Single runs mean little: on short sequences, one confused person is several points of IDF1.

The sets are public detections of MOT17, detections of networks in real and rendered video, and simulated detectors in
simulated worlds and on the ground truth of real video. `association_sets.py` lists them. The seeds of the simulated
ones were not used when the numbers of ``auto`` were chosen.

Every contestant that is installed takes part. FILE keeps the figures of every run. Another call adds runs to it, also
in an environment with other peers, and repeats none. ``--leave-one-set-out N`` scores N settings of ``auto`` instead,
on plain detections, and the table then shows for each set the settings that are best on the others. ``--parts`` scores
``auto`` without each of its parts, on plain detections too.
"""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

from association_candidates import MOST, candidates
from association_parts import parts
from association_records import Records
from association_runs import all_contestants, contestants_for, measure
from association_sets import SequenceSet, sequence_sets
from association_shaking import runs
from association_tables import markdown

EVERY = [""]  # in every name


def main() -> int:
    """Run the benchmark from the command line."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.table:
        others = (arguments.data, arguments.work, arguments.json, arguments.leave_one_set_out, arguments.parts)
        if any(others):
            parser.error("--table prints what was measured; expected no other option with it.")
        if not arguments.table.is_file():
            parser.error(f"--table {arguments.table}: no such file; expected one that --json wrote.")
        print(markdown(Records(arguments.table)))
        return 0
    for name in ("data", "work", "json"):
        if getattr(arguments, name) is None:
            parser.error(f"--{name} is missing; it is needed unless --table is given.")
    _check(parser, arguments)
    return 0 if _measure_all(_chosen_sets(parser, arguments), arguments) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with MOT17, PETS09-S2L1 and TUD-Campus")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keeps detections for later calls")
    parser.add_argument("--json", type=Path, metavar="FILE", help="figures of all runs; is added to")
    parser.add_argument("--table", type=Path, metavar="FILE", help="instead, print the tables of a file of figures")
    parser.add_argument("--weights", nargs="+", default=["sample"], help="weights whose detections are tracked")
    parser.add_argument(
        "--sets", nargs="+", default=["*"], metavar="NAME", help="names or patterns, such as 'worlds-*'"
    )
    parser.add_argument(
        "--contestants", nargs="+", default=EVERY, metavar="TEXT", help="only names with one of the texts"
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of shaken runs in each direction (3)")
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    parser.add_argument("--leave-one-set-out", type=int, metavar="N", help="instead, score N settings of auto")
    parser.add_argument("--parts", action="store_true", help="instead, score auto without each of its parts")
    return parser


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End the program if an option has a wrong value."""
    for name, least, most in (("seeds", 0, 1000), ("processes", 1, 1000), ("leave_one_set_out", 2, MOST)):
        value = getattr(arguments, name)
        if value is not None and not least <= value <= most:
            parser.error(f"--{name.replace('_', '-')} is {value}; expected {least} to {most}.")
    if len({Path(weights).stem for weights in arguments.weights}) < len(arguments.weights):
        parser.error(f"--weights has one name twice: {' '.join(arguments.weights)}; rename a file.")
    if (arguments.leave_one_set_out or arguments.parts) and arguments.contestants != EVERY:
        parser.error("--leave-one-set-out and --parts measure auto only; expected no --contestants with them.")
    if arguments.leave_one_set_out and arguments.parts:
        parser.error("--leave-one-set-out and --parts exclude each other; call the program twice.")
    for text in arguments.contestants:
        found = [one for name, one in all_contestants().items() if text in name]
        if not any(one.installed for one in found):
            state = f"needs {found[0].package}, which is not installed" if found else "is part of no contestant's name"
            parser.error(f"--contestants {text}: it {state}; expected names such as 'fairmot_dla34 auto' or 'boxmot'.")


def _chosen_sets(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[SequenceSet]:
    """Return the chosen sets; end the program if a name or pattern is that of none."""
    sets = sequence_sets(arguments.data, arguments.work, arguments.weights)
    for pattern in arguments.sets:
        if not any(fnmatch(name, pattern) for name in sets):
            parser.error(f"--sets is {pattern}; expected one of {', '.join(sets)}, or a pattern of them.")
    return [one for name, one in sets.items() if any(fnmatch(name, pattern) for pattern in arguments.sets)]


def _measure_all(sets: list[SequenceSet], arguments: argparse.Namespace) -> bool:
    """Add the figures of all chosen runs; return whether every contestant completed them."""
    records, complete = Records(arguments.json), True
    absent = sorted({one.package for one in all_contestants().values() if not one.installed})
    if absent:
        print(f"not installed, so not measured: {', '.join(absent)}", file=sys.stderr)
    for one in sets:
        if arguments.leave_one_set_out:
            entries, repetitions = candidates(arguments.leave_one_set_out), runs(0)
        elif arguments.parts:
            entries, repetitions = parts(), runs(0)
        else:
            every = contestants_for(one.name, one.load(arguments.work))
            entries = [entry for entry in every if any(text in entry.name for text in arguments.contestants)]
            repetitions = runs(arguments.seeds)
        print(f"{one.name}: {len(entries)} contestants, {len(repetitions)} runs", file=sys.stderr, flush=True)
        complete &= measure(one, arguments.work, entries, repetitions, records, arguments.processes)
    return complete


if __name__ == "__main__":
    sys.exit(main())
