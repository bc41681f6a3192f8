"""MOTA, IDF1 and HOTA of the whole pipeline, on real frames and rendered scenes that the sample weights never saw.

Two steps, because TrackEval and PaddleDetection need different NumPy and so live in two environments. The network runs
once a frame, for every tracker:

    python benchmarks/accuracy.py track --data DATA --weights sample --precision fp32 --results R/fp32
    python benchmarks/accuracy.py score --data DATA R/fp32/jde R/fp32/byte

Without ``--data`` only the rendered scenes are measured, which takes no download.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from parts import Part, real_parts, scene_parts

from fairmot_dla34 import FairMOT, FrameResult, Tracker, TrackerConfig
from fairmot_dla34.association.gaps import with_filled_gaps
from fairmot_dla34.config import TRACKER_METHODS
from fairmot_dla34.evaluation import Scores, evaluate
from fairmot_dla34.outputs import MotWriter

COLUMNS = {
    "MOTA": "mota",
    "IDF1": "idf1",
    "HOTA": "hota",
    "IDSW": "id_switches",
    "FP": "false_positives",
    "FN": "false_negatives",
}


def track(part: Part, model: FairMOT, methods: Sequence[str]) -> dict[str, list[FrameResult]]:
    """Track one part from a fresh start with every method, on the same detections."""
    frame_rate = part.frame_rate()
    session = model.session(frame_rate)
    trackers = {method: Tracker(TrackerConfig(method=method), frame_rate=frame_rate) for method in methods}
    results: dict[str, list[FrameResult]] = {method: [] for method in methods}
    for frame in part.frames():
        found = session.detect(frame.image)
        for method, tracker in trackers.items():
            tracks = tracker.update(found, time_s=frame.time_s)
            results[method].append(FrameResult(frame.index, frame.time_s, tracks))
    return results


def write(path: Path, part: Part, results: Sequence[FrameResult]) -> None:
    """Write a MOT file, as ``fairmot_dla34 track`` does."""
    with MotWriter(path) as writer:
        for frame, result in zip(part.frames(), results, strict=True):
            writer.write(frame, result)


def score(part: Part, results: Path) -> Scores:
    """Score a MOT file, as ``fairmot_dla34 eval`` does."""
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.txt"
        truth.write_text(part.truth(), "utf-8")
        truth.with_name("seqinfo.ini").write_text(f"[Sequence]\nseqLength={part.length}\n", "utf-8")
        return evaluate(truth, results).combined


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    tracking, scoring = steps.add_parser("track"), steps.add_parser("score")
    for step in (tracking, scoring):
        step.add_argument("--data", type=Path, help="folder with PETS09-S2L1 and TUD-Campus")
    tracking.add_argument("--weights", default="sample")
    tracking.add_argument("--backend", default="openvino")
    tracking.add_argument("--precision", default="auto")
    tracking.add_argument("--input-size")
    tracking.add_argument("--trackers", nargs="+", default=TRACKER_METHODS)
    tracking.add_argument("--fill-gaps", type=int, default=0, metavar="N", help="also with filled gaps, beside")
    tracking.add_argument("--results", type=Path, required=True)
    scoring.add_argument("results", type=Path, nargs="+")
    arguments = parser.parse_args()
    parts: list[Part] = [*(real_parts(arguments.data) if arguments.data else ()), *scene_parts()]
    if arguments.step == "score":
        print(table(parts, arguments.results))
        return
    model = FairMOT(
        arguments.weights,
        backend=arguments.backend,
        precision=arguments.precision,
        input_size=arguments.input_size,
    )
    for part in parts:
        for method, results in track(part, model, arguments.trackers).items():
            write(arguments.results / method / f"{part.name}.txt", part, results)
            if arguments.fill_gaps:
                filled = list(with_filled_gaps(results, arguments.fill_gaps))
                write(arguments.results / f"{method}-filled" / f"{part.name}.txt", part, filled)
        print(f"tracked {part.name}")


def table(parts: Sequence[Part], folders: Sequence[Path]) -> str:
    """Return the scores as Markdown."""
    rows = [f"| sequence | results | {' | '.join(COLUMNS)} |", "|" + "---|" * (2 + len(COLUMNS))]
    for part in parts:
        for folder in folders:
            scores = score(part, folder / f"{part.name}.txt")
            values = [getattr(scores, field) for field in COLUMNS.values()]
            cells = [f"{value:.1f}" if isinstance(value, float) else str(value) for value in values]
            rows.append(f"| {part.name} | {folder.parent.name}/{folder.name} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
