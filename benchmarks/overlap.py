"""How much of the network's own rate is left to a whole run, without and with the drawn video.

    python benchmarks/overlap.py --video V --weights W [--input-size 576x320] [--frames 100] [--rounds 5]

Three ways take turns, so that a machine whose speed drifts is as slow for one as for the others: the network alone on
letterboxed frames of the video, `track` to a MOT file, and `track` to a MOT file and a video. The ratio is per turn.
Loading the network is not counted. Beside the rate stands the processor time of a frame beyond the network's, in all
threads: where the network takes every core, that is what the rest costs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from excerpts import cut, letterboxed

from fairmot_dla34 import FairMOT, Module


@dataclass(frozen=True)
class Turn:
    """One run: frames per second, and milliseconds of all processors a frame."""

    rate: float
    cpu_ms: float


def timed(run: Callable[[], float], frames: int) -> Turn:
    """Run once; ``run`` gives frames per second."""
    begin = time.process_time()
    rate = run()
    return Turn(rate, (time.process_time() - begin) / frames * 1e3)


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
        turns: dict[str, list[Turn]] = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, run in ways.items():
                turns[name].append(timed(run, arguments.frames))
    print(f"{model.backend.info}, input {model.backend.input_size}")
    for name, found in turns.items():
        pairs = list(zip(found, turns["network alone"], strict=True))
        shares = [turn.rate / alone.rate for turn, alone in pairs]
        beyond = statistics.median(turn.cpu_ms - alone.cpu_ms for turn, alone in pairs)
        rate = statistics.median(turn.rate for turn in found)
        spread = f"({min(shares):.1%} to {max(shares):.1%})"
        print(f"{name:20} {rate:7.2f} frames/s  {statistics.median(shares):6.1%} {spread}  {beyond:+.1f} ms of CPU")


if __name__ == "__main__":
    main()
