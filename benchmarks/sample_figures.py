"""Measures every figure that the sample weights have aims for, and their mean, for one or more weights side by side.

    python benchmarks/sample_figures.py --data DATA --weights sample run/last.npz [--quick] [--json FILE]

All figures are measured on images that are never trained on, with default settings; `places.py` lists the places.
Figures are in percent, except for false alarms, which are detections with at least the default threshold that find
nobody. A figure that reaches its aim is bold.

* The images of a set of stills are those whose position in the sorted list is divisible by 5. False alarms in images
  without people are reported on all images too; the others may have been trained on.
* wildtrack: all of the camera C7 too. Detections and labels whose feet are on a 0 cell of the grid are left out.
* coco256_person: images of more than ten people are left out. "Upright" boxes are over 1.6 times as high as wide. In
  their AP50, a detection whose IoU with another labelled box is at least 0.5 is left out.
* MOT17-mini, the last frames: people of at most 0.5 visibility are ignored areas. Rows named "any visibility" count
  all people; the recall of 74 % and the 24 false alarms of the first `sample` were measured so.
* Videos are tracked by `jde` with embeddings, and by `byte` with boxes only. Rendered scenes have the seeds of
  `parts.py`, and their figures are means over the seeds. ``--quick`` leaves them out.

The mean of all figures is the plain mean of the figures that have an aim in percent. Two directions of time count as
one figure, by their mean. False alarms enter as 100 - 100 * min(1, alarms per image), in MOT17-mini's crowded streets
as 100 - 100 * min(1, alarms per person). Means are comparable if they are over the same places.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aims import Figure, has_mean, mean_of_figures, table
from places import PLACE_NAMES, RENDERED, Place, detect, makers
from speed import machine

from fairmot_dla34 import FairMOT
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import FairMOTError


def measure(
    weights: Sequence[str], size: InputSize | None, places: Sequence[Place], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return settings and figures of each of the weights at one input size."""
    with ExitStack() as stack:
        models = [
            stack.enter_context(FairMOT(one, input_size=size, precision=arguments.precision, threads=arguments.threads))
            for one in weights
        ]
        figures: list[list[Figure]] = [[] for _ in models]
        for place in places:
            for column, found in zip(figures, detect(place, models), strict=True):
                column.extend(place.score(found))
        backends = [(str(model.backend.input_size), model.backend.info.precision) for model in models]
    return [
        {"weights": one, "input_size": input_size, "precision": precision, "figures": column}
        for one, (input_size, precision), column in zip(weights, backends, figures, strict=True)
    ]


def as_json(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run as plain values."""
    mean = mean_of_figures(run["figures"]) if has_mean(run["figures"]) else None
    return {**run, "figures": [asdict(figure) for figure in run["figures"]], "mean": mean}


def header(run: dict[str, Any]) -> str:
    """Return the header of a run's column."""
    return f"{Path(run['weights']).stem}, {run['input_size']}, {run['precision']}"


def main() -> None:
    """Run from the command line."""
    arguments = parse_arguments()
    make, start_s, runs = makers(arguments.data), time.monotonic(), []
    try:
        places = [make[name]() for name in arguments.places]
        for size in arguments.input_size:
            runs.extend(measure(arguments.weights, size, places, arguments))
    except (FairMOTError, OSError, ValueError) as error:
        raise SystemExit(f"sample_figures.py: {error}") from error
    seconds = time.monotonic() - start_s
    facts = machine()
    if arguments.json:
        text = json.dumps({"machine": facts, "seconds": seconds, "runs": [as_json(run) for run in runs]}, indent=1)
        arguments.json.write_text(f"{text}\n", "utf-8")
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"{seconds:.0f} s\n")
    print(table([(header(run), run["figures"]) for run in runs]))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and the others")
    parser.add_argument("--weights", nargs="+", default=["sample"], metavar="W", help="registered names or checkpoints")
    parser.add_argument("--input-size", type=InputSize.parse, nargs="+", default=[None], metavar="WxH",
                        help="default: what the weights were trained for")  # fmt: skip
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or int8; default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--places", nargs="+", choices=PLACE_NAMES, metavar="PLACE",
                        help=f"of {', '.join(PLACE_NAMES)}; default: all")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="leave the rendered scenes out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to a file")
    arguments = parser.parse_args()
    if arguments.quick and arguments.places:
        parser.error("--quick and --places are both given; expected one of them.")
    arguments.places = arguments.places or [name for name in PLACE_NAMES if not (arguments.quick and name in RENDERED)]
    return arguments


if __name__ == "__main__":
    main()
