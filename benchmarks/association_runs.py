"""Runs contestants on sets of sequences, in several processes, and keeps what was measured."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from association_candidates import candidates
from association_parts import parts
from association_records import Records
from association_scoring import Figures, score_run
from association_sequences import ScoredSequence, kept
from association_sets import SequenceSet
from association_shaking import Run
from contestant import Contestant
from contestants import contestants, frcnn_contestants, peers_for_fairmot

SAVE_EVERY_S = 10.0


class Job(NamedTuple):
    """One contestant in one repetition of a set."""

    contestant: str
    run: Run


class Outcome(NamedTuple):
    """Figures by sequence, or the reason for which there are none."""

    job: Job
    figures: dict[str, Figures] | None
    error: str = ""


def all_contestants() -> dict[str, Contestant]:
    """Return every contestant by name: peers at their defaults and with thresholds for FairMOT, and all settings."""
    every = [*frcnn_contestants(), *contestants(), *peers_for_fairmot(), *candidates(), *parts()]
    return {one.name: one for one in every}


def contestants_for(set_name: str, sequences: Sequence[ScoredSequence]) -> list[Contestant]:
    """Return those that are installed and can track a set's detections; those for MOT17's detections only on these."""
    embeddings = any(frame.embeddings is not None for frame in sequences[0].frames)
    found = [*contestants(), *peers_for_fairmot()]
    found += frcnn_contestants() if set_name == "mot17-frcnn" else []
    return [one for one in found if one.installed and (embeddings or not one.uses_embeddings)]


def measure(
    one: SequenceSet, work: Path, entries: Iterable[Contestant], runs: Sequence[Run], records: Records, processes: int
) -> bool:
    """Add the figures of all runs that the records lack; return whether all contestants completed theirs."""
    known = {entry.name: entry for entry in entries}
    jobs = [Job(name, run) for run in runs for name in known if not records.has(one.name, name, run)]
    saved, complete = time.monotonic(), True
    try:
        for job, figures, error in _outcomes(one, work, known, jobs, processes):
            if figures is None:
                print(f"{one.name}: {job.contestant}, {job.run}: {error}", file=sys.stderr, flush=True)
                complete = False
                continue
            records.add(one.name, known[job.contestant], job.run, figures, combined=one.combined)
            if time.monotonic() > saved + SAVE_EVERY_S:
                records.save()
                saved = time.monotonic()
    finally:
        records.save()
    return complete


def _outcomes(
    one: SequenceSet, work: Path, known: dict[str, Contestant], jobs: Sequence[Job], processes: int
) -> Iterator[Outcome]:
    sequences = one.load(work)
    if processes == 1:
        yield from (_outcome(sequences, known[job.contestant], job) for job in jobs)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # inherited by the processes, before they import NumPy
    context = multiprocessing.get_context("spawn")  # the threads of torch do not survive a fork
    with ProcessPoolExecutor(processes, context, _set_up, (one.folder(work),)) as pool:
        for future in as_completed([pool.submit(_run, job) for job in jobs]):
            yield future.result()


_sequences: list[ScoredSequence] = []  # of the set that this process works on
_contestants: dict[str, Contestant] = {}


def _set_up(folder: Path) -> None:
    """Load the sequences in a new process."""
    _sequences.extend(kept(folder))
    _contestants.update(all_contestants())


def _run(job: Job) -> Outcome:
    return _outcome(_sequences, _contestants[job.contestant], job)


def _outcome(sequences: Sequence[ScoredSequence], contestant: Contestant, job: Job) -> Outcome:
    try:
        return Outcome(job, score_run(sequences, contestant.start, job.run))
    except Exception as error:  # noqa: BLE001  # a peer may raise any error, which must not end the other runs
        return Outcome(job, None, f"{type(error).__name__}: {error}")
