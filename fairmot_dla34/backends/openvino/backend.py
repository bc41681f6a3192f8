"""The network in OpenVINO: the default on a CPU. No Paddle anywhere on this path."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...config import InputSize
from ...errors import BackendError, DeviceUnavailableError, InvalidInputError
from ...architectures.peaks import OUTPUTS, RawPeaks, decode
from .telemetry import no_telemetry
from ...values import Peaks
from ..base import BackendInfo
from ..base import BackendRequest
from ..base import closed_error
from ..base import failed_error
from ..base import reason_of
from .compiled_cache import CompiledCache
from .deformable import load_operator
from .graph import build_model
from .int8_file import QuantizedFile

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)


class OpenVinoBackend:
    """FairMOT DLA-34 compiled by OpenVINO.

    Args:
        request: What to load. ``use_gpu`` means OpenVINO's ``GPU`` device (Intel graphics). With ``int8`` the layers
            that are not quantised run in bf16 where the device has it.

    Raises:
        DeviceUnavailableError: ``use_gpu`` and OpenVINO sees no GPU.
        NotQuantizedError: ``int8`` of weights that were not quantised at this input size.
        InvalidInputError: The device does not compute in the precision asked for.
        CheckpointError: The weights do not fit.
    """

    def __init__(self, request: BackendRequest) -> None:
        with no_telemetry():
            import openvino

        self.input_size: InputSize = request.input_size
        core = openvino.Core()
        device = _pick_device(core, use_gpu=request.use_gpu)
        target = _Target(core, device, _pick_precision(core, device, request.precision))
        quantized = QuantizedFile(request) if target.precision == "int8" else None
        runtime = f"{target} {quantized.digest}" if quantized else str(target)
        cache = CompiledCache(request, runtime) if request.keep_compiled else None
        compiled = _load_compiled(target, cache) if cache else None
        if compiled is None:
            compiled = _compile(target, request, quantized)
            if cache:
                cache.write(compiled.export_model().getvalue())
        self._request: openvino.InferRequest | None = compiled.create_infer_request()
        threads = compiled.get_property("INFERENCE_NUM_THREADS") if device == "CPU" else None
        self.info = BackendInfo("openvino", openvino.__version__.split("-")[0], device, target.precision, threads)

    def infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one letterboxed picture; see `Backend.infer`."""
        if self._request is None:
            raise closed_error()
        try:
            outputs = self._request.infer({"image": image[None]}, share_inputs=True, share_outputs=True)
        except RuntimeError as error:
            raise failed_error(self.info, error) from error
        # By place: some releases name an output after the node behind it.
        return decode(RawPeaks(*(outputs[place] for place in range(len(OUTPUTS)))), self.input_size)

    def close(self) -> None:
        """Free the network; safe to call twice."""
        self._request = None


class _Target:
    """What the network is compiled for.

    Attributes:
        core: OpenVINO.
        device: ``CPU`` or ``GPU``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        bf16: Whether what is not in int8 computes in bf16.
        options: What OpenVINO is told.
        operator: The compiled operator for deformable convolutions, loaded into ``core``; None: not on this device.
    """

    def __init__(self, core: openvino.Core, device: str, precision: str) -> None:
        self.core, self.device, self.precision = core, device, precision
        self.bf16 = (_pick_precision(core, device, "auto") if precision == "int8" else precision) == "bf16"
        self.options = {"INFERENCE_PRECISION_HINT": "bf16" if self.bf16 else "f32", "PERFORMANCE_HINT": "LATENCY"}
        self.operator = load_operator(core) if device == "CPU" else None

    def __str__(self) -> str:
        """Name all that the compiled form depends on."""
        import openvino

        processor = self.core.get_property(self.device, "FULL_DEVICE_NAME")
        operator = self.operator.digest if self.operator else ""
        return f"openvino {openvino.__version__} {processor} {self.precision} {self.options} {operator}"


def _pick_device(core: openvino.Core, *, use_gpu: bool) -> str:
    if not use_gpu:
        return "CPU"
    devices = core.available_devices
    if not any(device.startswith("GPU") for device in devices):
        raise DeviceUnavailableError(
            f"OpenVINO sees no GPU, only {', '.join(devices)}; it supports Intel GPUs with their driver installed."
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
        return target.core.import_model(blob, target.device, target.options)
    except RuntimeError as error:
        logger.warning("Compiled network in the cache is not usable (%s); compiling again.", reason_of(error))
        return None


def _compile(target: _Target, request: BackendRequest, quantized: QuantizedFile | None) -> openvino.CompiledModel:
    try:
        if quantized:
            model = _read_quantized(target.core, quantized)
        else:
            model = build_model(target.core, request, for_bf16=target.bf16)
        if target.operator:
            target.operator.put_into(model, bf16=target.bf16)
        return target.core.compile_model(model, target.device, target.options)
    except RuntimeError as error:
        raise BackendError(
            f"OpenVINO cannot compile the network for {target.device} ({reason_of(error)}); expected OpenVINO 2025.0 "
            "or newer: pip install -U openvino"
        ) from error


def _read_quantized(core: openvino.Core, quantized: QuantizedFile) -> openvino.Model:
    network = quantized.unpack()
    try:
        return core.read_model(network.xml, network.weights)
    except RuntimeError as error:
        raise quantized.damaged(reason_of(error)) from error
