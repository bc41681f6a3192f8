"""Memory that a network takes, as a function of its weights, input size, streams and threads."""

from __future__ import annotations

import math

from ..architectures import HeadSizes, Network
from ..memory import MB, Need, import_need, require_memory
from .base import BackendOptions
from .cpus import usable_cpus

# Measured as `benchmarks` are, on Linux x86-64: runs of `track` with 1, 2 and 4 CPUs and inputs from 64x64 to
# 3840x2176, without a compiled network in the cache; the formulas are at least as large as every run.
_FIXED = Need(20 * MB, 10 * MB, 10 * MB)
_COPIES_OF_WEIGHTS = 4.5  # checkpoint, ONNX graph, its bytes, OpenVINO's constants, packed form, its export
_BYTES_PER_PIXEL = 170  # of activations in fp32, for each stream
_PER_THREAD = Need(170 * MB, 32 * MB, 2 * MB)  # stacks, and the reserved heaps of threads: network, decoder, encoder
_MAX_THREADS = 64  # FFmpeg and the C library start no more threads and heaps per process with more CPUs


def require_network_memory(network: Network, options: BackendOptions, packages: tuple[str, ...]) -> None:
    """Check that a network can be loaded and run within the memory limits of this process.

    Args:
        network: The network.
        options: Settings of the backend.
        packages: Import names of the packages that the backend needs.

    Raises:
        OutOfMemoryError: It cannot.
    """
    need = network_need(network, options) + import_need("numpy", "cv2", "av", *packages)
    require_memory(need, f"Loading the network at {network.input_size}")


def network_need(network: Network, options: BackendOptions) -> Need:
    """Return the need of loading and running a network, without that of the libraries' imports."""
    shapes = network.architecture.array_shapes(HeadSizes())
    weights = 4.0 * sum(math.prod(shape) for shape in shapes.values()) * _COPIES_OF_WEIGHTS
    pixels = float(network.input_size.width * network.input_size.height * options.streams * _BYTES_PER_PIXEL)
    both = weights + pixels
    threads = min(_MAX_THREADS, usable_cpus())
    return _FIXED + Need(both, both, both) + _PER_THREAD * threads
