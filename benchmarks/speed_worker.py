"""Runs one contestant of `speed.py` in its own process: JSON lines in on stdin, JSON lines out on stdout.

Each contestant has a process so that its peak memory can be measured, and so that PaddleDetection, whose pins hold half
of the packages back, can run in another environment than the others.
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
from excerpts import copy_excerpt, decode_images, decode_letterboxed
from memory import status_mb
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import FairMOTError

IMAGES = 8  # different images, used in turn


class Contestant(Protocol):
    """A way to run the network.

    Attributes:
        facts: Backend, device and precision under the key ``runs on``, for the report.
    """

    facts: dict[str, Any]

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed image."""

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object] | None:
        """Prepare to track the first frames of a video.

        Returns:
            Function that tracks them; its argument decides whether the video is drawn. None: tracking is not possible.
        """


class OwnBackend:
    """A backend of this project."""

    def __init__(self, backend: str, precision: str, weights: str, size: InputSize, *, use_gpu: bool) -> None:
        from fairmot_dla34 import FairMOT, Module

        model = FairMOT(weights, backend=backend, precision=precision, input_size=size, use_gpu=use_gpu)
        self._backend = model.backend
        self._module = Module.from_backend(self._backend, tracker=model.tracker_config)
        self.facts = {"runs on": str(self._backend.info)}

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed image."""
        return self._backend.infer(image)

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object]:
        """Prepare to track the first frames of a video."""
        folder = Path(tempfile.mkdtemp())
        clip = copy_excerpt(video, frames, folder / f"clip{video.suffix}")
        return lambda drawn: self._module.tracking(clip, folder, drawn, progress=False)


class DenseOnnx:
    """ONNX Runtime on the graph with dense heads."""

    def __init__(self, weights: str, size: InputSize) -> None:
        import onnxruntime
        from dense import build_dense_onnx

        from fairmot_dla34.backends.cpus import usable_cpus
        from fairmot_dla34.weights import load_checkpoint, resolve_weights

        graph = build_dense_onnx(load_checkpoint(resolve_weights(weights)).arrays, size).SerializeToString()
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = usable_cpus()  # it takes every core of the machine otherwise
        self._session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
        self.facts = {"runs on": f"onnxruntime {onnxruntime.__version__} on CPU, fp32, {usable_cpus()} threads"}

    def network(self, image: NDArray[np.uint8]) -> object:
        """Run the network on one letterboxed image."""
        return self._session.run(None, {"image": image[None]})

    def tracker(self, video: Path, frames: int) -> None:
        """Return None: a graph alone does not track."""


class PaddleDetectionReference:
    """PaddleDetection's own network and tracker."""

    def __init__(self, weights: str, size: InputSize) -> None:
        from importlib.metadata import version

        from paddledetection import PaddleDetection

        self._reference = PaddleDetection(weights, size)
        self.facts = {"runs on": f"paddledet {version('paddledet')} on CPU, fp32, {self._reference.threads} threads"}

    def network(self, image: NDArray[np.uint8]) -> None:
        """Run the network on one letterboxed image."""
        self._reference.network(image)

    def tracker(self, video: Path, frames: int) -> Callable[[bool], object]:
        """Prepare to track the first frames of a video."""
        from paddledetection import write_images

        folder = Path(tempfile.mkdtemp())
        images = write_images(decode_images(video, frames), folder / "images")
        return lambda drawn: self._reference.track(images, folder, drawn=drawn)


class ConvolutionProbe:
    """Measures the machine's current rate of plain convolutions; not a contestant."""

    def __init__(self, precision: str) -> None:
        from arithmetic import ConvolutionRate

        self._rate = ConvolutionRate(precision)
        self.facts = {"runs on": "plain convolutions"}

    def measure(self) -> float:
        """Return the rate in FLOP/s."""
        return self._rate.measure()


def build(spec: dict[str, Any]) -> Contestant | ConvolutionProbe:
    """Load the contestant that a specification names."""
    weights, size, name = spec["weights"], InputSize.parse(spec["size"]), spec["backend"]
    if name == "convolutions":
        return ConvolutionProbe(spec["precision"])
    if name == "paddledetection":
        return PaddleDetectionReference(weights, size)
    if name == "dense":
        return DenseOnnx(weights, size)
    return OwnBackend(name, spec["precision"], weights, size, use_gpu=spec["use_gpu"])


def serve(spec: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
    """Load the contestant, then answer requests until stdin ends."""
    try:
        contestant = build(spec)
    except (FairMOTError, ImportError) as error:
        answer({"unavailable": str(error).splitlines()[0]})
        return
    answer(contestant.facts)
    if isinstance(contestant, ConvolutionProbe):
        for _ in sys.stdin:
            answer({"rate": contestant.measure()})
    else:
        _run(contestant, Path(spec["video"]), InputSize.parse(spec["size"]), answer)


def _run(contestant: Contestant, video: Path, size: InputSize, answer: Callable[[dict[str, Any]], None]) -> None:
    images = decode_letterboxed(video, IMAGES, size)
    track: Callable[[bool], object] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["action"] == "network":
            if request["frames"] > 1:  # warm-up: the caches hold another process's data; one long run needs none
                contestant.network(images[-1])
            start = time.perf_counter()
            for index in range(request["frames"]):
                contestant.network(images[index % len(images)])
        else:
            if request["action"] == "prepare":
                track = contestant.tracker(video, request["frames"])
            start = time.perf_counter()
            if track:
                track(request["drawn"])
        answer({"seconds": time.perf_counter() - start, "tracks": track is not None, "peak_mb": status_mb("VmHWM")})


def main() -> None:
    """Answer in JSON on the real stdout; the output of libraries goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    serve(json.loads(sys.argv[1]), lambda content: print(json.dumps(content), file=answers))


if __name__ == "__main__":
    main()
