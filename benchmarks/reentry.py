"""Measures how often people who come back get their right old id, on a real video and in simulated worlds.

The ground truth of PETS09-S2L1 gives people who come back new identities. `SAME_PERSON` joins them; it was made by eye,
by the clothes of the people. In the simulated worlds, people come back 3 to 30 s after they left.

    python benchmarks/reentry.py --data DATA --detections FOLDER
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from association_scoring import COMBINED, score_run
from association_sequences import ScoredSequence, every_nth, padded
from association_shaking import repeated, runs
from detections import detect as network_detections
from parts import RealPart
from simulated_detector import DetectorConfig, detect
from simulated_world import TruthFrame, WorldConfig, simulate

from fairmot_dla34 import FairMOT, Track, Tracker, TrackerConfig
from fairmot_dla34.evaluation.average_precision import MIN_IOU, overlap
from fairmot_dla34.geometry import tlwh_to_xyxy

REID_BUFFER_S = 60.0
AWAY_S = (3.0, 30.0)
SAME_PERSON = {1: 19, 5: 9, 14: 15, 18: 15, 8: 15, 3: 11, 4: 12, 2: 13, 6: 10}  # identities of PETS09-S2L1
FIRST_SEED = 2_000  # of worlds and detectors; the limits of reentry.py were chosen with seeds up to 6
WORLDS = 6
QUALITIES: dict[str, tuple[dict[str, float], float]] = {  # of embeddings, and share of people with the look of another
    "good embeddings": ({"likeness": 0.1, "embedding_drift": 0.3, "embedding_noise": 0.3}, 0.0),
    "medium embeddings": ({"likeness": 0.4, "embedding_drift": 0.5, "embedding_noise": 0.6}, 0.0),
    "weak embeddings": ({"likeness": 0.6, "embedding_drift": 0.8, "embedding_noise": 0.8}, 0.0),
    "good embeddings, 3 of 10 people have a twin": (
        {"likeness": 0.1, "embedding_drift": 0.3, "embedding_noise": 0.3},
        0.3,
    ),
}


class Outcome(NamedTuple):
    """Ids given to people who came back.

    Attributes:
        right: Old ids given to the person who had it.
        wrong: Old ids given to somebody else, false alarms included.
        new: New ids of people whose old id was kept.
    """

    right: int
    wrong: int
    new: int


def outcome(sequence: ScoredSequence) -> Outcome:
    """Track a sequence and count the old ids that are given."""
    config = TrackerConfig(reid_buffer_s=REID_BUFFER_S)
    tracker = Tracker(config, sequence.frame_rate)
    longest = config.buffer_s * sequence.frame_rate
    visits: dict[tuple[int, int], list[int]] = {}  # people by id and number of the visit
    current: dict[int, tuple[int, int]] = {}  # last frame and number of the visit, by id
    for number, detections in enumerate(sequence.frames, 1):
        tracks = tracker.update(detections)
        for track, person in zip(tracks, _people(sequence, number, tracks), strict=True):
            last, visit = current.get(track.track_id, (number, 0))
            visit += number - last > longest + 1
            current[track.track_id] = (number, visit)
            visits.setdefault((track.track_id, visit), []).append(person)
    return _count({key: _majority(people) for key, people in visits.items()})


def _people(sequence: ScoredSequence, number: int, tracks: tuple[Track, ...]) -> list[int]:
    """Return the person whom each track overlaps most, 0 for none."""
    truth = sequence.truth[sequence.truth[:, 0] == number]
    if not len(truth) or not tracks:
        return [0] * len(tracks)
    boxes = np.array([track.box for track in tracks], np.float32)
    iou = overlap(boxes, tlwh_to_xyxy(truth[:, 2:6].astype(np.float32)))
    found = np.where(iou.max(axis=1) >= MIN_IOU, truth[iou.argmax(axis=1), 1], 0)
    return [int(person) for person in found]


def _majority(people: Iterable[int]) -> int:
    known = Counter(person for person in people if person)
    return known.most_common(1)[0][0] if known else 0


def _count(visits: dict[tuple[int, int], int]) -> Outcome:
    right = wrong = new = 0
    seen: set[int] = set()
    for (track_id, visit), person in visits.items():  # in the order of time
        if visit:
            same = person != 0 and person == visits[track_id, visit - 1]
            right, wrong = right + same, wrong + (not same)
        else:
            new += person in seen
        seen |= {person} - {0}
    return Outcome(right, wrong, new)


def pets(data: Path, detections: Path) -> ScoredSequence:
    """Return PETS09-S2L1 with the identities of people instead of visits."""
    folder = data / "PETS09-S2L1"
    part = RealPart("PETS09-S2L1", folder / "vtest_480x360.avi", folder / "gt_480x360.txt", 1, 795)
    frames = network_detections(part, lambda: FairMOT(weights="sample"), detections / f"sample {part.name}.npz")
    truth = padded(np.loadtxt(part.truth_file, delimiter=","))
    truth[:, 1] = [SAME_PERSON.get(int(identity), int(identity)) for identity in truth[:, 1]]
    return ScoredSequence(part.name, 7.0, (480, 360), frames, truth)


def worlds(quality: dict[str, float], twins: float) -> Iterator[ScoredSequence]:
    """Yield simulated sequences of 90 s in which people come back."""
    for seed in range(FIRST_SEED, FIRST_SEED + WORLDS):
        world = WorldConfig(seed, people=(5, 12, 30)[seed % 3], frame_rate=10.0, seconds=90.0)
        frames = simulate(world)
        person, same_look = _returns(frames, world, twins)
        config = DetectorConfig(seed, **quality)
        found = detect(frames, world.frame_rate, (world.width, world.height), config, same_look)
        rows = [
            (number, person[int(identity)], *box[:2], *(box[2:] - box[:2]))
            for number, frame in enumerate(frames, 1)
            for identity, box in zip(frame.ids, frame.boxes, strict=True)
        ]
        size = (world.width, world.height)
        yield ScoredSequence(f"world {seed}", world.frame_rate, size, found, padded(np.array(rows, float)))


def _returns(frames: list[TruthFrame], world: WorldConfig, twins: float) -> tuple[dict[int, int], dict[int, int]]:
    """Join visits of identities to people; return the person of each, and whose look each has if not its own."""
    rng = np.random.default_rng([world.seed, 20])
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for index, frame in enumerate(frames):
        for identity in frame.ids.tolist():
            first.setdefault(identity, index)
            last[identity] = index
    person: dict[int, int] = {}
    look: dict[int, int] = {}
    free: list[int] = []
    low, high = (seconds * world.frame_rate for seconds in AWAY_S)
    for identity in sorted(first, key=lambda one: first[one]):
        away = [one for one in free if low <= first[identity] - last[one] <= high]
        person[identity] = identity
        if away and rng.random() < 0.6:
            before = away[rng.integers(len(away))]
            free.remove(before)
            person[identity], look[identity] = person[before], look.get(before, before)
        elif len(person) > 1 and rng.random() < twins:
            other = list(person)[rng.integers(len(person) - 1)]
            look[identity] = look.get(other, other)
        free.append(identity)
    return person, look


def row(name: str, sequences: list[ScoredSequence], seeds: int) -> str:
    """Return one row of the table: sums of the outcomes and means of the scores over all repetitions."""
    repetitions = runs(seeds)
    sums = np.sum([outcome(repeated(one, run)) for one in sequences for run in repetitions], axis=0)
    cells = [name, *(str(int(value)) for value in sums)]
    for seconds in (0.0, REID_BUFFER_S):

        def start(frame_rate: float, _size: tuple[int, int], seconds: float = seconds) -> object:
            tracker = Tracker(TrackerConfig(reid_buffer_s=seconds), frame_rate)
            return lambda found: [(track.track_id, *track.box) for track in tracker.update(found)]

        figures = [score_run(sequences, start, run)[COMBINED] for run in repetitions]  # type: ignore[arg-type]
        cells += [f"{np.mean([one[key] for one in figures]):.1f}" for key in ("idf1", "id_switches", "mota")]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1")
    parser.add_argument("--detections", type=Path, required=True, help="folder for the detections of the network")
    parser.add_argument("--seeds", type=int, default=3, help="shaken repetitions in each direction")
    arguments = parser.parse_args()
    print(
        "| set | right | wrong | new | IDF1, IDSW, MOTA off | | | on | | |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    video = pets(arguments.data, arguments.detections)
    for sequence in (video, every_nth(video, 2)):
        print(row(sequence.name, [sequence], arguments.seeds), flush=True)
    for name, (quality, twins) in QUALITIES.items():
        print(row(f"{WORLDS} worlds, {name}", list(worlds(quality, twins)), 0), flush=True)


if __name__ == "__main__":
    main()
