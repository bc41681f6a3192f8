"""Measures MOTA, IDF1 and HOTA of the whole pipeline on real frames and rendered scenes not used in training.

Tracking and scoring are separate steps, because TrackEval and PaddleDetection need different NumPy versions and
therefore two environments. The network runs once per frame; its detections are kept in ``R/detections`` and reused for
every tracker:

    python benchmarks/accuracy.py track --data DATA --weights sample --precision fp32 --results R/fp32
    python benchmarks/accuracy.py score --data DATA R/fp32/jde R/fp32/byte

Without ``--data`` only the rendered scenes are measured; they need no download.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from detections import detect
from parts import Part, real_parts, scene_parts

from fairmot_dla34 import Detections, FairMOT, Frame, FrameResult, Tracker, TrackerConfig
from fairmot_dla34.association.gaps import with_filled_gaps
from fairmot_dla34.association.registry import method_names
from fairmot_dla34.evaluation import Scores, evaluate
from fairmot_dla34.outputs import MotSink

COLUMNS = {
    "MOTA": "mota",
    "IDF1": "idf1",
    "HOTA": "hota",
    "IDSW": "id_switches",
    "FP": "false_positives",
    "FN": "false_negatives",
}


def track(part: Part, detections: Sequence[Detections], config: TrackerConfig) -> list[FrameResult]:
    """Track one part with a new tracker."""
    frame_rate = part.frame_rate()
    tracker = Tracker(config, frame_rate=frame_rate)
    results = []
    for index, found in enumerate(detections):
        time_s = index / frame_rate
        results.append(FrameResult(index, time_s, tracker.update(found, time_s=time_s)))
    return results


def write(path: Path, results: Sequence[FrameResult]) -> None:
    """Write a MOT file, as ``fairmot_dla34 track`` does."""
    empty_image = np.zeros((1, 1, 3), np.uint8)
    with MotSink(path) as sink:
        for result in results:
            sink.write(Frame(result.index, result.time_s, empty_image), result)


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
    tracking.add_argument("--trackers", nargs="+", default=method_names())
    tracking.add_argument("--fill-gaps", type=int, default=0, metavar="N", help="also fill gaps of up to N frames")
    tracking.add_argument("--results", type=Path, required=True)
    scoring.add_argument("results", type=Path, nargs="+")
    arguments = parser.parse_args()
    parts: list[Part] = [*(real_parts(arguments.data) if arguments.data else ()), *scene_parts()]
    if arguments.step == "score":
        print(table(parts, arguments.results))
        return

    @cache
    def load_model() -> FairMOT:
        settings = {"backend": arguments.backend, "precision": arguments.precision, "input_size": arguments.input_size}
        return FairMOT(arguments.weights, **settings)

    for part in parts:
        found = detect(part, load_model, arguments.results / "detections" / f"{part.name}.npz")
        for method in arguments.trackers:
            results = track(part, found, TrackerConfig(method=method))
            write(arguments.results / method / f"{part.name}.txt", results)
            if arguments.fill_gaps:
                filled = list(with_filled_gaps(results, arguments.fill_gaps))
                write(arguments.results / f"{method}-filled" / f"{part.name}.txt", filled)
        print(f"tracked {part.name}", flush=True)


def table(parts: Sequence[Part], folders: Sequence[Path]) -> str:
    """Return the scores as a Markdown table."""
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
