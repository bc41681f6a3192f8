"""Number of worker processes and of threads in each, for this machine's CPUs and memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..architectures import Network
from ..backends.base import BackendOptions
from ..backends.cpus import usable_cpus
from ..backends.memory_need import network_need
from ..memory import machine_memory_left, memory_left, process_need

logger = logging.getLogger(__name__)

_LIBRARIES = ("numpy", "cv2", "av", "onnx", "openvino")
_SHARE = 0.9  # of the memory left: the rest is for the system and the cache of files


@dataclass(frozen=True)
class Workers:
    """Worker processes of one machine.

    Attributes:
        count: Number of processes.
        threads: Threads of the network in each process; None: the backend decides, as on a GPU.
    """

    count: int
    threads: int | None

    def __str__(self) -> str:
        threads = "" if self.threads is None else f" with {self.threads} thread{'s' if self.threads > 1 else ''} each"
        return f"{self.count} worker{'s' if self.count > 1 else ''}{threads}"


def plan_workers(
    network: Network, options: BackendOptions, *, workers: int | None = None, threads: int | None = None, jobs: int
) -> Workers:
    """Return how many workers to start on this machine.

    By default there is one worker for each CPU that this process may use, with one thread: each further thread of a
    network adds less than a further process. There are never more workers than jobs; CPUs that this leaves idle become
    threads. Where memory is short there are fewer workers, with a line in the log.

    Args:
        network: The network.
        options: Settings of the backend; ``threads`` is not read.
        workers: Number that the user asks for; None: chosen.
        threads: Threads that the user asks for; None: chosen.
        jobs: Number of videos.
    """
    cpus = usable_cpus()
    if options.use_gpu:
        return Workers(max(1, min(workers or 1, jobs)), None)
    wanted = workers or max(1, cpus // (threads or 1))
    count = max(1, min(wanted, jobs))
    fitting = workers_in_memory(network, options)
    if fitting is not None and fitting < count:
        need = f"{worker_memory(network, options) / 1e9:.1f} GB for each"
        if workers is None:
            logger.warning("%d workers instead of %d are started: memory is short (%s).", fitting, count, need)
            count = fitting
        else:
            logger.warning("Memory may be short for %d workers (%s); it suffices for %d.", count, need, fitting)
    return Workers(count, threads or max(1, cpus // count))


def workers_in_memory(network: Network, options: BackendOptions) -> int | None:
    """Return how many workers the memory that is left suffices for, at least 1; None if it is not known."""
    known = [left for left in (memory_left(), machine_memory_left()) if left is not None]
    return max(1, int(min(known) * _SHARE / worker_memory(network, options))) if known else None


def worker_memory(network: Network, options: BackendOptions) -> float:
    """Return the bytes of memory that one worker takes."""
    return process_need(*_LIBRARIES).resident + network_need(network, options)[0].resident
