"""The OpenVINO backend: the default on a CPU, without Paddle."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...architectures import Network
from ...errors import BackendError, DeviceUnavailableError, InvalidInputError
from ...values import Peaks
from ..base import Backend, BackendInfo, BackendOptions, inference_error, reason_of
from ..cpus import affinity_cpus, usable_cpus
from .compiled_cache import CompiledCache
from .deformable import load_operator
from .graph import GRAPH_VERSION, build_model
from .int8_file import Int8File
from .telemetry import no_telemetry

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)


class OpenVinoBackend(Backend):
    """A network compiled by OpenVINO.

    Args:
        network: The network to load.
        options: Settings of the backend. ``use_gpu`` means OpenVINO's ``GPU`` device (Intel graphics). With ``int8``,
            layers that are not quantised run in bf16 if the device has it.

    Raises:
        DeviceUnavailableError: ``use_gpu`` and OpenVINO finds no GPU.
        NotQuantizedError: The precision is ``int8``, and the weights were not quantised at this input size.
        InvalidInputError: The device does not compute in this precision.
        BackendError: OpenVINO cannot compile the network.
        CheckpointError: The checkpoint cannot be read or does not fit.
    """

    def __init__(self, network: Network, options: BackendOptions) -> None:
        with no_telemetry():
            import openvino

        core = openvino.Core()
        device = _pick_device(core, use_gpu=options.use_gpu)
        target = _Target(core, device, _pick_precision(core, device, options.precision), options)
        int8_file = Int8File(network) if target.precision == "int8" else None
        cache = None
        if options.keep_compiled:
            cache = CompiledCache(network, f"{target} {int8_file.digest}" if int8_file else str(target))
        compiled = _load_compiled(target, cache) if cache else None
        if compiled is None:
            compiled = _compile(target, network, int8_file)
            if cache:
                cache.write(compiled.export_model().getvalue())
        threads = compiled.get_property("INFERENCE_NUM_THREADS") if device == "CPU" else None
        info = BackendInfo(
            "openvino", openvino.__version__.split("-")[0], device, target.precision, threads, options.streams
        )
        super().__init__(info, network.input_size)
        self._architecture = network.architecture
        self._requests: SimpleQueue[openvino.InferRequest] = SimpleQueue()  # one for each stream; free ones
        for _ in range(options.streams):
            self._requests.put(compiled.create_infer_request())

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        request = self._requests.get()
        try:
            outputs = request.infer({"image": image[None]}, share_inputs=True, share_outputs=True)
            # By position: some releases name an output after the node behind it.
            arrays = [outputs[place] for place in range(len(self._architecture.output_names))]
            return self._architecture.decode(arrays, self.input_size)
        except RuntimeError as error:
            raise inference_error(self.info, error) from error
        finally:
            self._requests.put(request)

    def _release(self) -> None:
        self._requests = SimpleQueue()


class _Target:
    """The device, precision and properties that a network is compiled for.

    Attributes:
        core: OpenVINO's runtime.
        device: ``CPU`` or ``GPU``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        bf16: Whether layers that are not in int8 compute in bf16.
        properties: OpenVINO's properties of the compiled model.
        operator: The compiled operator for deformable convolutions, loaded into ``core``; None on a GPU.
    """

    def __init__(self, core: openvino.Core, device: str, precision: str, options: BackendOptions) -> None:
        self.core, self.device, self.precision = core, device, precision
        self.bf16 = (_pick_precision(core, device, "auto") if precision == "int8" else precision) == "bf16"
        self.properties = {"INFERENCE_PRECISION_HINT": "bf16" if self.bf16 else "f32", "PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU" and options.threads:
            self.properties["INFERENCE_NUM_THREADS"] = str(options.threads)
        elif device == "CPU" and usable_cpus() < affinity_cpus():  # OpenVINO knows affinity, not control groups
            self.properties["INFERENCE_NUM_THREADS"] = str(usable_cpus())
        if options.streams > 1:
            self.properties["NUM_STREAMS"] = str(options.streams)
        self.operator = load_operator(core) if device == "CPU" else None

    def __str__(self) -> str:
        """Name everything that the compiled form depends on."""
        import openvino

        processor = self.core.get_property(self.device, "FULL_DEVICE_NAME")
        operator = self.operator.digest if self.operator else ""
        graph = f"graph {GRAPH_VERSION}, {usable_cpus()} CPUs"
        return f"openvino {openvino.__version__} {processor} {self.precision} {self.properties} {operator} {graph}"


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


def _load_compiled(target: _Target, cache: CompiledCache) -> openvino.CompiledModel | None:
    blob = cache.read()
    if blob is None:
        return None
    try:
        return target.core.import_model(blob, target.device, target.properties)
    except RuntimeError as error:
        logger.warning("The compiled network in the cache is not usable (%s); compiling again.", reason_of(error))
        return None


def _compile(target: _Target, network: Network, int8_file: Int8File | None) -> openvino.CompiledModel:
    try:
        if int8_file:
            model = int8_file.read_model(target.core)
        else:
            model = build_model(target.core, network, for_bf16=target.bf16)
        if target.operator:
            target.operator.put_into(model, bf16=target.bf16)
        return target.core.compile_model(model, target.device, target.properties)
    except RuntimeError as error:
        raise BackendError(
            f"OpenVINO cannot compile the network for {target.device} ({reason_of(error)}); expected OpenVINO 2025.0 "
            "or newer: pip install -U openvino"
        ) from error
