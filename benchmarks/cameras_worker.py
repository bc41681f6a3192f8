"""Runs a contestant of `cameras.py` in a process of its own: reads requests as lines of JSON and answers them."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fairmot_dla34 import FairMOT
from fairmot_dla34.cameras import Camera, CameraResult, Watch, streams_for
from fairmot_dla34.memory import use_one_arena

_START_S = 2.0  # results of this time are not counted: connections, first frames, full queues
_CONNECT_S = 20.0


def network(model: FairMOT, seconds: float) -> dict[str, Any]:
    """Run the network alone, with a thread for each stream."""
    size = model.backend.input_size
    image = np.random.default_rng(1).integers(0, 256, (size.height, size.width, 3), np.uint8)
    counts = [0] * model.backend.info.streams
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        while time.perf_counter() < end:
            model.backend.infer(image)
            counts[number] += 1

    start, cpu = time.perf_counter(), time.process_time()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frames = sum(counts)
    return {
        "rate": frames / (time.perf_counter() - start),
        "cpu_ms": (time.process_time() - cpu) / frames * 1e3,
        "pass_s": model.backend.infer_timed(image)[1],
    }


class Counter:
    """Outputs of a camera that count its results and keep their lags."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.counts = False

    def write(self, result: CameraResult) -> None:
        """Count a result."""
        if self.counts:
            self.lags.append(result.lag_s)

    def idle(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def watch(model: FairMOT, sources: list[str], seconds: float) -> dict[str, Any]:
    """Track all cameras for some seconds."""
    free_memory()
    counters = {f"camera{number}": Counter() for number in range(len(sources))}
    cameras = [Camera(name, source) for name, source in zip(counters, sources, strict=True)]
    with Watch(model, cameras, outputs=lambda camera: counters[camera.name]) as running:
        thread = threading.Thread(target=running.run)
        thread.start()
        wait_for_frames(running)
        time.sleep(_START_S)
        for counter in counters.values():
            counter.counts = True
        dropped = sum(status.dropped for status in running.status())
        start, cpu = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        lags = [list(counter.lags) for counter in counters.values()]
        dropped = sum(status.dropped for status in running.status()) - dropped
        memory = memory_mb()
        errors = [status.last_error for status in running.status() if status.last_error]
        running.close()
        thread.join()
    frames = sum(map(len, lags))
    return {
        "rates": [len(own) / wall for own in lags],
        "cpu_ms": cpu / frames * 1e3,
        "lags": lags,
        "dropped": dropped / wall,
        "memory": memory,
        "errors": errors,
    }


def wait_for_frames(running: Watch) -> None:
    """Wait for the first frame of every camera.

    Raises:
        TimeoutError: A camera sends nothing.
    """
    end = time.monotonic() + _CONNECT_S
    while not all(status.frames for status in running.status()):
        if time.monotonic() > end:
            raise TimeoutError([str(status) for status in running.status()])
        time.sleep(0.05)


def track(model: FairMOT, sources: list[str], seconds: float) -> dict[str, Any]:
    """Track one camera for some seconds, as the command `track` does."""
    results = model.track(sources[0])
    first = time.perf_counter()
    frames, cpu = 0, time.process_time()
    start = first + _START_S
    for _ in results:
        now = time.perf_counter()
        if now < start:
            cpu = time.process_time()
            continue
        frames += 1
        if now >= start + seconds:
            break
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = memory_mb()
    results.close()
    return {"rates": [frames / wall], "cpu_ms": cpu / max(frames, 1) * 1e3, "memory": memory}


def free_memory() -> None:
    """Give memory of earlier runs back to the system (Linux): a process of `watch` has one run."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def memory_mb() -> dict[str, float]:
    """Return resident and proportional memory of this process now, and the peak, in MB (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()[1:]
    lines += [line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith("VmHWM")]
    values = {line.partition(":")[0]: float(line.split()[1]) / 1000 * 1.024 for line in lines}
    return {"rss": values["Rss"], "pss": values["Pss"], "peak": values["VmHWM"]}


def main() -> None:
    """Answer requests until stdin ends."""
    spec = json.loads(sys.argv[1])
    streams = streams_for(spec["cameras"]) if spec["kind"] == "watch" else 1
    if spec["kind"] == "watch":
        use_one_arena()  # as the command does
    model = FairMOT(spec["weights"], input_size=spec["size"], precision=spec["precision"], streams=streams)
    actions: dict[str, Callable[..., dict[str, Any]]] = {"network": network, "watch": watch, "track": track}
    print(json.dumps({"runs on": str(model.backend.info)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(actions[request.pop("action")](model, **request)), flush=True)
    model.close()


if __name__ == "__main__":
    main()
