"""MOTA, IDF1 and HOTA of the whole pipeline on annotated video, on frames the weights never saw.

Two steps, because TrackEval and PaddleDetection need different NumPy and so live in two environments:

    python benchmarks/accuracy.py track --data DATA --weights W --backend openvino --precision fp32 --results R/ov-fp32
    python benchmarks/accuracy.py score --data DATA R/ov-fp32 R/ov-bf16 R/paddledet
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT, Frame
from fairmot_dla34.outputs import MotWriter
from fairmot_dla34.video import open_source

COLUMNS = ("MOTA", "IDF1", "HOTA", "IDSW", "FP", "FN")


@dataclass(frozen=True)
class Part:
    """Some frames of an annotated sequence.

    Attributes:
        name: How it is called in the table.
        video: Path below the data folder.
        truth: MOT file below the data folder.
        first: First frame, from 1.
        last: Last frame, from 1, included.
        frame_rate: Frames per second where the source does not say; None: as it says.
    """

    name: str
    video: str
    truth: str
    first: int
    last: int
    frame_rate: float | None = None


PARTS = (
    Part("PETS09-S2L1 561-795", "PETS09-S2L1/vtest_480x360.avi", "PETS09-S2L1/gt_480x360.txt", 561, 795),
    Part("TUD-Campus 51-71", "TUD-Campus/img1", "TUD-Campus/gt/gt.txt", 51, 71, 25.0),
)


def frames_of(part: Part, data: Path) -> Iterator[Frame]:
    """Yield the part's frames; indices count from its beginning."""
    with open_source(data / part.video, frame_rate=part.frame_rate) as source:
        for index, frame in enumerate(islice(source, part.first - 1, part.last)):
            yield Frame(index, index / source.frame_rate, frame.image)


def track(part: Part, data: Path, model: FairMOT, results: Path) -> Path:
    """Track one part from a fresh start; write a MOT file."""
    with open_source(data / part.video, frame_rate=part.frame_rate) as source:
        session = model.session(source.frame_rate)
    path = results / f"{part.name}.txt"
    with MotWriter(path) as writer:
        for frame in frames_of(part, data):
            writer.write(frame, session.process(frame))
    return path


def read_mot(path: Path, first: int = 1, last: int | None = None) -> NDArray[np.float64]:
    """Read ``(rows, 6)``: frame (from 1 at ``first``), id, left, top, width, height in image px."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2, usecols=range(6)).reshape(-1, 6)
    kept = rows[(rows[:, 0] >= first) & (rows[:, 0] <= (np.inf if last is None else last))]
    kept[:, 0] -= first - 1
    return kept


def score(truth: NDArray[np.float64], results: NDArray[np.float64], frames: int) -> dict[str, float]:
    """Score one sequence as TrackEval does: IoU 0.5, no distractor classes.

    Args:
        truth: As `read_mot` returns it.
        results: The same.
        frames: Length of the sequence.

    Returns:
        MOTA, IDF1 and HOTA in per cent; IDSW, FP and FN as counts.
    """
    from trackeval.metrics import CLEAR, HOTA, Identity

    data = _trackeval_data(truth, results, frames)
    clear = CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    identity = Identity({"PRINT_CONFIG": False}).eval_sequence(data)
    hota = HOTA().eval_sequence(data)
    return {
        "MOTA": 100 * float(clear["MOTA"]),
        "IDF1": 100 * float(identity["IDF1"]),
        "HOTA": 100 * float(np.mean(hota["HOTA"])),
        "IDSW": int(clear["IDSW"]),
        "FP": int(clear["CLR_FP"]),
        "FN": int(clear["CLR_FN"]),
    }


def _trackeval_data(truth: NDArray[np.float64], results: NDArray[np.float64], frames: int) -> dict[str, Any]:
    from trackeval.datasets._base_dataset import _BaseDataset

    data: dict[str, Any] = {"num_timesteps": frames, "similarity_scores": []}
    for kind, rows in (("gt", truth), ("tracker", results)):
        _, ids = np.unique(rows[:, 1], return_inverse=True)
        at = [rows[:, 0] == frame for frame in range(1, frames + 1)]
        data[f"{kind}_ids"] = [ids[chosen] for chosen in at]
        data[f"num_{kind}_ids"] = int(ids.max(initial=-1)) + 1
        data[f"num_{kind}_dets"] = len(rows)
    for frame in range(1, frames + 1):
        boxes = [rows[rows[:, 0] == frame][:, 2:6] for rows in (truth, results)]
        data["similarity_scores"].append(_BaseDataset._calculate_box_ious(*boxes, box_format="xywh"))  # noqa: SLF001
    return data


def score_part(part: Part, data: Path, results: Path) -> dict[str, float]:
    """Score the MOT file that `track` wrote."""
    truth = read_mot(data / part.truth, part.first, part.last)
    return score(truth, read_mot(results / f"{part.name}.txt"), part.last - part.first + 1)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    tracking, scoring = steps.add_parser("track"), steps.add_parser("score")
    for step in (tracking, scoring):
        step.add_argument("--data", type=Path, required=True)
    tracking.add_argument("--weights", required=True)
    tracking.add_argument("--backend", default="openvino")
    tracking.add_argument("--precision", default="auto")
    tracking.add_argument("--results", type=Path, required=True)
    scoring.add_argument("results", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.step == "track":
        model = FairMOT(arguments.weights, backend=arguments.backend, precision=arguments.precision)
        for part in PARTS:
            print(track(part, arguments.data, model, arguments.results))
        return
    print(f"| sequence | results | {' | '.join(COLUMNS)} |")
    print("|" + "---|" * (2 + len(COLUMNS)))
    for part in PARTS:
        for results in arguments.results:
            row = score_part(part, arguments.data, results)
            cells = [f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()]
            print(f"| {part.name} | {results.name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
