"""One contestant of `speed.py`, in a process of its own: orders come as JSON lines on stdin, answers go to stdout.

A process each, so that peak memory is one contestant's own and PaddleDetection, whose pins hold half of the packages
back, may live in another environment than the rest.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from excerpts import cut, letterboxed, pictures
from memory import status_mb
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import FairMOTError

PICTURES = 8  # different ones, in turn


class Contestant(Protocol):
    """One way to run the network.

    Attributes:
        facts: What it runs on, for the report.
    """

    facts: dict[str, Any]

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed picture."""

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object] | None:
        """Prepare to track the first frames of a video; return what does it, drawn or not. None: it cannot."""


class Ours:
    """A backend of this project."""

    def __init__(self, backend: str, precision: str, weights: str, size: InputSize, *, use_gpu: bool) -> None:
        from fairmot_dla34 import FairMOT, Module

        self._backend = FairMOT(weights, backend=backend, precision=precision, input_size=size, use_gpu=use_gpu).backend
        self._module = Module(weights=weights, backend=self._backend)
        self.facts = {"runs on": str(self._backend.info)}

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed picture."""
        return self._backend.infer(image)

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object]:
        """Prepare to track the first frames of a video."""
        folder = Path(tempfile.mkdtemp())
        clip = cut(video, frames, folder / f"clip{video.suffix}")
        return lambda drawn: self._module.tracking(clip, folder, drawn, progress=False)


class DenseOnnx:
    """ONNX Runtime on the graph with dense heads."""

    def __init__(self, weights: str, size: InputSize) -> None:
        import onnxruntime
        from dense import build_dense_onnx

        from fairmot_dla34.weights import load_arrays, resolve_weights

        graph = build_dense_onnx(load_arrays(resolve_weights(weights)), size).SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.facts = {"runs on": f"onnxruntime {onnxruntime.__version__} on CPU, fp32"}

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed picture."""
        return self._session.run(None, {"image": image[None]})

    def tracker(self, video: Path, frames: int) -> None:
        """It is a graph, not a tracker."""


class Reference:
    """PaddleDetection."""

    def __init__(self, weights: str, size: InputSize) -> None:
        from importlib.metadata import version

        from paddledetection import PaddleDetection

        self._reference = PaddleDetection(weights, size)
        self.facts = {"runs on": f"paddledet {version('paddledet')} on CPU, fp32, {self._reference.threads} threads"}

    def network(self, image: NDArray[np.uint8]) -> None:
        """Run the network on one letterboxed picture."""
        self._reference.network(image)

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object]:
        """Prepare to track the first frames of a video."""
        from paddledetection import write_pictures

        folder = Path(tempfile.mkdtemp())
        images = write_pictures(pictures(video, frames), folder / "images")
        return lambda drawn: self._reference.track(images, folder, drawn=drawn)


class Convolutions:
    """Not a contestant: what the machine computes in plain convolutions, now."""

    def __init__(self, precision: str) -> None:
        from arithmetic import ConvolutionRate

        self._rate = ConvolutionRate(precision)
        self.facts = {"runs on": "plain convolutions"}

    def measure(self) -> float:
        """Return FLOP/s."""
        return self._rate.measure()


def build(spec: dict[str, Any]) -> Contestant | Convolutions:
    """Load what a specification names."""
    weights, size, name = spec["weights"], InputSize.parse(spec["size"]), spec["backend"]
    if name == "convolutions":
        return Convolutions(spec["precision"])
    if name == "paddledetection":
        return Reference(weights, size)
    if name == "dense":
        return DenseOnnx(weights, size)
    return Ours(name, spec["precision"], weights, size, use_gpu=spec["use_gpu"])


def serve(spec: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
    """Load the contestant, then do as told until stdin ends."""
    try:
        contestant = build(spec)
    except (FairMOTError, ImportError) as error:
        answer({"absent": str(error).splitlines()[0]})
        return
    answer(contestant.facts)
    if isinstance(contestant, Convolutions):
        for _ in sys.stdin:
            answer({"rate": contestant.measure()})
    else:
        _run(contestant, Path(spec["video"]), InputSize.parse(spec["size"]), answer)


def _run(contestant: Contestant, video: Path, size: InputSize, answer: Callable[[dict[str, Any]], None]) -> None:
    images = letterboxed(video, PICTURES, size)
    track: Callable[[bool], object] | None = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "network":
            if order["frames"] > 1:  # a picture that takes the whole turn needs no
                contestant.network(images[-1])  # warming up: the caches are another process's until now
            begin = time.perf_counter()
            for place in range(order["frames"]):
                contestant.network(images[place % len(images)])
        else:
            if order["do"] == "prepare":
                track = contestant.tracker(video, order["frames"])
            begin = time.perf_counter()
            if track:
                track(order["drawn"])
        answer({"seconds": time.perf_counter() - begin, "tracks": track is not None, "peak_mb": status_mb("VmHWM")})


def main() -> None:
    """Speak JSON on the real stdout, and let whatever libraries print go to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    serve(json.loads(sys.argv[1]), lambda content: print(json.dumps(content), file=answers))


if __name__ == "__main__":
    main()
