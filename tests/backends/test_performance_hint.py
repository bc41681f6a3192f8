"""Performance hints of OpenVINO by the number of streams, and results that do not depend on them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.base import BackendOptions
from fairmot_dla34.backends.openvino.runtime import start_runtime
from fairmot_dla34.backends.openvino.target import Target
from fairmot_dla34.backends.selfcheck import selfcheck_image


@pytest.mark.parametrize(("streams", "hint"), [(1, "LATENCY"), (2, "THROUGHPUT"), (4, "THROUGHPUT")])
def test_several_streams_are_for_throughput(streams: int, hint: str) -> None:
    target = Target(start_runtime(), BackendOptions(threads=2, streams=streams))
    assert target.properties["PERFORMANCE_HINT"] == hint
    assert target.properties.get("NUM_STREAMS", "1") == str(streams)
    assert target.properties["INFERENCE_NUM_THREADS"] == "2"


def test_streams_change_neither_results_nor_precision_nor_threads() -> None:
    image = np.resize(selfcheck_image(), (96, 160, 3))
    reference = None
    for streams in (1, 2, 3):
        with (
            FairMOT("sample", input_size="160x96", threads=2, streams=streams) as model,
            ThreadPoolExecutor(streams) as pool,
        ):
            info = model.backend.info
            found = list(pool.map(model.backend.infer, [image] * (2 * streams)))
        reference = reference or ((info.precision, info.threads), found[0])  # fewer than 2 threads on one CPU
        assert (info.precision, info.threads, info.streams) == (*reference[0], streams)
        for peaks in found:
            np.testing.assert_array_equal(peaks.boxes, reference[1].boxes)
            np.testing.assert_array_equal(peaks.scores, reference[1].scores)
            np.testing.assert_array_equal(peaks.embeddings, reference[1].embeddings)


FEWEST_CPUS = """
import os, threading
from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.selfcheck import selfcheck_image
def affinity(thread):
    try:
        return len(os.sched_getaffinity(int(thread)))
    except OSError:  # it has ended
        return os.cpu_count()
with FairMOT("sample", input_size="160x96", threads=1) as model:
    images = threading.Thread(target=lambda: [model.detect(selfcheck_image()) for _ in range(50)])
    images.start()
    fewest = os.cpu_count()
    while images.is_alive():
        fewest = min(fewest, *map(affinity, os.listdir("/proc/self/task")))
    print(fewest)
"""


@pytest.mark.serial
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="NOT LINUX: the CPUs of a thread are not known")
def test_a_network_with_few_threads_is_not_bound_to_the_first_cpus() -> None:
    """Several processes with one thread each would share one CPU otherwise."""
    cpus = len(os.sched_getaffinity(0))
    if cpus < 2:
        pytest.skip("ONE CPU: every thread is bound to it")
    done = subprocess.run([sys.executable, "-c", FEWEST_CPUS], capture_output=True, text=True, check=True)
    assert int(done.stdout) == cpus
