"""The device, precision and properties that OpenVINO compiles a network for."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import BackendError, DeviceUnavailableError, InvalidInputError, OutOfMemoryError
from ...memory import is_lack_of_memory
from ..base import BackendOptions, reason_of
from ..cpus import affinity_cpus, usable_cpus
from .deformable import load_operator
from .graph import GRAPH_VERSION

if TYPE_CHECKING:
    import openvino

    from ...config import InputSize

_CPU_FACTS = Path("/proc/cpuinfo")
_ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")  # restrict the instructions that the plugin uses


class Target:
    """The device, precision and properties that a network is compiled for.

    Args:
        core: OpenVINO's runtime.
        options: Settings of the backend.

    Attributes:
        core: OpenVINO's runtime.
        device: ``CPU`` or ``GPU``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        bf16: Whether layers that are not in int8 compute in bf16.
        properties: OpenVINO's properties of the compiled model.
        operator: The compiled operator for deformable convolutions, loaded into ``core``; None on a GPU.

    Raises:
        DeviceUnavailableError: ``use_gpu`` and OpenVINO finds no GPU.
        InvalidInputError: The device does not compute in this precision.
    """

    def __init__(self, core: openvino.Core, options: BackendOptions) -> None:
        self.core = core
        self.device = device = _pick_device(core, use_gpu=options.use_gpu)
        self.precision = _pick_precision(core, device, options.precision)
        self.bf16 = self.precision == "bf16" or (
            self.precision == "int8" and _pick_precision(core, device, "auto") == "bf16"
        )
        self.properties = {
            "INFERENCE_PRECISION_HINT": "bf16" if self.bf16 else "f32",
            "PERFORMANCE_HINT": "LATENCY" if options.streams == 1 else "THROUGHPUT",
        }
        if device == "CPU":
            self.properties |= _thread_properties(options.threads)
        if options.streams > 1:
            self.properties["NUM_STREAMS"] = str(options.streams)
        self.operator = load_operator(core) if device == "CPU" else None

    def compile(self, read_model: Callable[[], openvino.Model], input_size: InputSize) -> openvino.CompiledModel:
        """Compile a network.

        Args:
            read_model: Returns the network's graph, built for ``core``.
            input_size: Network input, for messages.

        Raises:
            OutOfMemoryError: The memory is not enough.
            BackendError: OpenVINO cannot compile the network.
        """
        try:
            model = read_model()
            if self.operator:
                self.operator.put_into(model, bf16=self.bf16)
            return self.core.compile_model(model, self.device, self.properties)
        except RuntimeError as error:
            if is_lack_of_memory(error):
                raise OutOfMemoryError(
                    f"The memory that this process may use is not enough to load the network at {input_size} "
                    f"({reason_of(error)}); allow it more, or use a smaller input size."
                ) from error
            raise BackendError(
                f"OpenVINO cannot compile the network for {self.device} ({reason_of(error)}); expected OpenVINO 2025.0 "
                "or newer: pip install -U openvino"
            ) from error

    def __str__(self) -> str:
        """Name everything beside the network that its compiled form depends on."""
        import openvino

        facts = {
            "openvino": openvino.__version__,
            "plugin": self.core.get_versions(self.device)[self.device].build_number,
            "device": self.core.get_property(self.device, "FULL_DEVICE_NAME"),
            "capabilities": sorted(self.core.get_property(self.device, "OPTIMIZATION_CAPABILITIES")),
            "instructions": _instructions(),
            "restricted to": [os.environ.get(name, "") for name in _ISA_VARIABLES],
            "CPUs": usable_cpus(),
            "precision": self.precision,
            "properties": sorted(self.properties.items()),
            "operator": self.operator.digest if self.operator else "",
            "graph": GRAPH_VERSION,
        }
        return str(facts)


def _thread_properties(threads: int | None) -> dict[str, str]:
    """Return OpenVINO's properties for a number of threads; None: as many as this process may use."""
    used = threads or usable_cpus()
    if threads is None and used == affinity_cpus():
        return {}
    properties = {"INFERENCE_NUM_THREADS": str(used)}  # OpenVINO knows affinity, not control groups
    if used < affinity_cpus():  # otherwise the threads of every process are bound to the same first CPUs
        properties["ENABLE_CPU_PINNING"] = "NO"
    return properties


def _pick_device(core: openvino.Core, *, use_gpu: bool) -> str:
    if not use_gpu:
        return "CPU"
    devices = core.available_devices
    if not any(device.startswith("GPU") for device in devices):
        raise DeviceUnavailableError(
            f"OpenVINO finds no GPU, only {', '.join(devices)}; it supports Intel GPUs with their driver installed."
        )
    return "GPU"


def _pick_precision(core: openvino.Core, device: str, asked: str) -> str:
    has_bf16 = "BF16" in core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    if asked == "auto":
        return "bf16" if has_bf16 else "fp32"
    if asked == "bf16" and not has_bf16:
        raise InvalidInputError(
            f"Precision is 'bf16', which this {device} does not compute natively: use auto or fp32."
        )
    return asked


@cache
def _instructions() -> str:
    """Return a digest of the processor's instruction sets: machines that share a cache may differ in these only."""
    found = platform.machine()
    try:
        with _CPU_FACTS.open() as lines:  # the first processor's line ends the search: each has a long list
            found += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except (OSError, ValueError):  # not Linux
        found += platform.processor()
    return hashlib.sha256(found.encode()).hexdigest()[:16]
