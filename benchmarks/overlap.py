"""Measures the share of the network's own rate that a whole run reaches, without and with the drawn video.

    python benchmarks/overlap.py --video V --weights W [--input-size 576x320] [--frames 100] [--rounds 5]

Three variants take turns, so that drift of the machine's speed affects all alike: the network alone on letterboxed
frames of the video, `track` to a MOT file, and `track` to a MOT file and a video. The ratio is taken per turn. Loading
the network is not counted. The last column is the processor time per frame, over all threads, beyond that of the
network: if the network uses every core, this is the cost of the other stages.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from excerpts import copy_excerpt, decode_letterboxed

from fairmot_dla34 import FairMOT, Module


@dataclass(frozen=True)
class Turn:
    """Result of one run: frames per second, and milliseconds of processor time per frame over all threads."""

    rate: float
    cpu_ms: float


def timed(run: Callable[[], float], frames: int) -> Turn:
    """Run once; ``run`` returns frames per second."""
    start = time.process_time()
    rate = run()
    return Turn(rate, (time.process_time() - start) / frames * 1e3)


def network_alone(model: FairMOT, video: Path) -> Callable[[], float]:
    """Letterbox the video's frames; return a function that runs the network on them and returns frames per second."""
    images = decode_letterboxed(video, None, model.backend.input_size)

    def run() -> float:
        start = time.perf_counter()
        for image in images:
            model.backend.infer(image)
        return len(images) / (time.perf_counter() - start)

    return run


def whole_run(module: Module, video: Path, folder: Path, *, drawn: bool) -> Callable[[], float]:
    """Return a function that runs `track` and returns frames per second."""

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
    module = Module.from_backend(model.backend, tracker=model.tracker_config)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = copy_excerpt(arguments.video, arguments.frames, folder / f"part{arguments.video.suffix}")
        variants = {
            "network alone": network_alone(model, video),
            "track, no video": whole_run(module, video, folder, drawn=False),
            "track, drawn video": whole_run(module, video, folder, drawn=True),
        }
        for run in variants.values():
            run()  # warm-up
        turns: dict[str, list[Turn]] = {name: [] for name in variants}
        for _ in range(arguments.rounds):
            for name, run in variants.items():
                turns[name].append(timed(run, arguments.frames))
    print(f"{model.backend.info}, input {model.backend.input_size}")
    for name, own_turns in turns.items():
        pairs = list(zip(own_turns, turns["network alone"], strict=True))
        shares = [turn.rate / alone.rate for turn, alone in pairs]
        beyond = statistics.median(turn.cpu_ms - alone.cpu_ms for turn, alone in pairs)
        rate = statistics.median(turn.rate for turn in own_turns)
        spread = f"({min(shares):.1%} to {max(shares):.1%})"
        print(f"{name:20} {rate:7.2f} frames/s  {statistics.median(shares):6.1%} {spread}  {beyond:+.1f} ms of CPU")


if __name__ == "__main__":
    main()
