"""Memory that a network takes, as a function of its weights, input size, streams and threads."""

from __future__ import annotations

import math

from ..architectures import HeadSizes, Network
from ..memory import MB, MEDIA_THREADS, Need, missing_imports_need, process_need, require_memory
from .base import BackendOptions
from .cpus import usable_cpus

# Measured on Linux x86-64: `track` with OpenVINO on 1, 2 and 4 CPUs, inputs from 64x64 to 3840x2176, fp32 and bf16, no
# compiled network in the cache. Address space and data are at least as large as in every run, by up to a fifth.
_FIXED = Need(80 * MB, 10 * MB, 10 * MB)
_COPIES_OF_WEIGHTS = 4.5  # checkpoint, ONNX graph, its bytes, OpenVINO's constants, packed form, its export
_BYTES_PER_PIXEL = 170  # reserved for activations in fp32, for each stream
# Resident memory peaks while the network loads, or at its first images, when some of the copies are freed again.
_RESIDENT_COPIES_LOADING, _RESIDENT_COPIES_RUNNING = 4.0, 2.7
_RESIDENT_BYTES_PER_PIXEL = {"fp32": 140}
_RESIDENT_BYTES_PER_PIXEL_OTHERS = 75  # bf16; int8 has fewer
_NETWORK_THREADS = Need(70 * MB, 12 * MB, 1 * MB)  # for each CPU, beside those of `MEDIA_THREADS`
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
    libraries = ("numpy", "cv2", "av", *packages)
    total, further = network_need(network, options)
    purpose = f"Running the network at {network.input_size}"
    require_memory(purpose, process_need(*libraries) + total, missing_imports_need(*libraries) + further)


def network_need(network: Network, options: BackendOptions) -> tuple[Need, Need]:
    """Return the need of a network in all, and the least that it adds if checkpoint and source are open already."""
    shapes = network.architecture.array_shapes(HeadSizes())
    weights = 4.0 * sum(math.prod(shape) for shape in shapes.values())
    pixels = float(network.input_size.width * network.input_size.height * options.streams)
    reserved = weights * _COPIES_OF_WEIGHTS + pixels * _BYTES_PER_PIXEL
    per_pixel = _RESIDENT_BYTES_PER_PIXEL.get(options.precision, _RESIDENT_BYTES_PER_PIXEL_OTHERS)
    resident = max(weights * _RESIDENT_COPIES_LOADING, weights * _RESIDENT_COPIES_RUNNING + pixels * per_pixel)
    checkpoint = Need(weights, weights, weights)
    network_alone = Need(reserved, reserved, resident)
    threads = min(_MAX_THREADS, usable_cpus())
    further = network_alone + checkpoint * -1 + _NETWORK_THREADS * threads
    return _FIXED + network_alone + (_NETWORK_THREADS + MEDIA_THREADS) * threads, further
