"""How much of the network's own rate is left to a whole run, without and with the drawn video.

    python benchmarks/overlap.py --video V --weights W [--input-size 576x320] [--frames 100] [--rounds 5]

Three ways take turns, so that a machine whose speed drifts is as slow for one as for the others: the network alone on
letterboxed frames of the video, `track` to a MOT file, and `track` to a MOT file and a video. The ratio is per turn.
Loading the network is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from clips import cut, letterboxed

from fairmot_dla34 import FairMOT, Module


def network_alone(model: FairMOT, video: Path) -> Callable[[], float]:
    """Letterbox the video's frames; return a run of the network over them, which gives frames per second."""
    images = letterboxed(video, None, model.backend.input_size)

    def run() -> float:
        begin = time.perf_counter()
        for image in images:
            model.backend.infer(image)
        return len(images) / (time.perf_counter() - begin)

    return run


def whole_run(module: Module, video: Path, folder: Path, *, drawn: bool) -> Callable[[], float]:
    """Return a run of `track`, which gives frames per second."""

    def run() -> float:
        return module.tracking(video, folder, visualization=drawn, progress=False).frames_per_second

    return run


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--input-size")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = FairMOT(arguments.weights, input_size=arguments.input_size)
    module = Module(weights=arguments.weights, backend=model.backend)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        video = cut(arguments.video, arguments.frames, folder / f"part{arguments.video.suffix}")
        ways = {
            "network alone": network_alone(model, video),
            "track, no video": whole_run(module, video, folder, drawn=False),
            "track, drawn video": whole_run(module, video, folder, drawn=True),
        }
        for run in ways.values():
            run()  # warms up
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, run in ways.items():
                rates[name].append(run())
    print(f"{model.backend.info}, input {model.backend.input_size}")
    for name, found in rates.items():
        shares = [rate / alone for rate, alone in zip(found, rates["network alone"], strict=True)]
        spread = f"({min(shares):.1%} to {max(shares):.1%})"
        print(f"{name:20} {statistics.median(found):7.2f} frames/s  {statistics.median(shares):6.1%} {spread}")


if __name__ == "__main__":
    main()
