"""Measures resident memory during one long run of `track` with the drawn video; it must not grow with the video.

    python benchmarks/memory.py --video V --weights W.pdparams [--input-size 576x320] [--frames 5000]

The video's packets are copied into one file repeatedly until it has enough frames. That file is tracked like any other:
one thread reads ahead, another runs the network, and text and video are written.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT, Module
from fairmot_dla34.backends import Backend
from fairmot_dla34.values import Peaks

REPORTED_FRAMES = (1, 100, 300, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000)


def status_mb(field: str) -> float:
    """Return a size of this process in MB (Linux): ``VmRSS``, the resident set now, or ``VmHWM``, its peak."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


class MemoryReportingBackend(Backend):
    """Wraps a backend and prints resident memory at `REPORTED_FRAMES`."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend.info, backend.input_size)
        self._backend = backend
        self._count = 0

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self._count += 1
        if self._count in REPORTED_FRAMES:
            print(f"frame {self._count}: {status_mb('VmRSS'):.1f} MB", flush=True)
        return self._backend.infer(image)

    def _release(self) -> None:
        self._backend.close()


def repeat_video(video: Path, frames: int, target: Path) -> Path:
    """Copy a video repeatedly into one file of ``frames`` frames without re-encoding; return the file."""
    with av.open(str(target), "w") as out:
        copy = None
        for count, (stream, packet) in enumerate(_repeated_packets(video)):
            if count == frames:
                break
            copy = copy or out.add_stream_from_template(stream)
            packet.stream = copy
            out.mux(packet)
    return target


def _repeated_packets(video: Path) -> Iterator[tuple[av.VideoStream, av.Packet[av.VideoStream]]]:
    start = 0
    while True:
        with av.open(str(video)) as source:
            stream, end = source.streams.video[0], start
            for packet in source.demux(stream):
                if packet.dts is None:
                    continue
                packet.dts += start
                packet.pts = None if packet.pts is None else packet.pts + start
                end = max(end, packet.dts + (packet.duration or 1))
                yield stream, packet
        start = end


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--weights", default="sample")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--input-size")
    parser.add_argument("--frames", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = repeat_video(arguments.video, arguments.frames, Path(folder) / f"long{arguments.video.suffix}")
        model = FairMOT(arguments.weights, precision=arguments.precision, input_size=arguments.input_size)
        module = Module.from_backend(MemoryReportingBackend(model.backend), tracker=model.tracker_config)
        summary = module.tracking(video, folder, formats=("mot", "jsonl"), progress=False)
    print(f"{summary.frames} frames, {summary.track_ids} ids, {summary.frames_per_second:.2f} frames/s")
    print(f"peak: {status_mb('VmHWM'):.1f} MB")


if __name__ == "__main__":
    main()
