"""The OpenVINO backend: the default on a CPU, without Paddle."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...architectures import Network
from ...errors import FairMOTError
from ...values import Peaks
from ..base import Backend, BackendInfo, BackendOptions, inference_error, reason_of
from .compiled_cache import Compiled, CompiledCache, log_unusable
from .graph import build_model
from .int8_file import Int8File
from .runtime import broken, start_runtime
from .target import Target

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
        BackendUnavailableError: OpenVINO is not installed, or its installation is broken.
        DeviceUnavailableError: ``use_gpu`` and OpenVINO finds no GPU.
        NotQuantizedError: The precision is ``int8``, and the weights were not quantised at this input size.
        InvalidInputError: The device does not compute in this precision.
        BackendError: OpenVINO cannot compile the network.
        CheckpointError: The checkpoint cannot be read or does not fit.
    """

    def __init__(self, network: Network, options: BackendOptions) -> None:
        core = start_runtime()
        import openvino

        try:
            target = Target(core, options)
            text = str(target)
        except FairMOTError:
            raise
        except RuntimeError as error:  # a plugin that does not fit the library
            raise broken(error) from error
        int8_file = Int8File(network) if target.precision == "int8" else None
        cache = None
        if options.keep_compiled:
            cache = CompiledCache(network, f"{text} {int8_file.digest}" if int8_file else text)
        compiled = _load_compiled(target, network, cache) if cache else None
        if compiled is None:
            compiled = _compile(target, network, int8_file)
            if cache:
                _keep(compiled, cache)
        threads = compiled.get_property("INFERENCE_NUM_THREADS") if target.device == "CPU" else None
        version = openvino.__version__.split("-")[0]
        info = BackendInfo("openvino", version, target.device, target.precision, threads, options.streams)
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


def _load_compiled(target: Target, network: Network, cache: CompiledCache) -> openvino.CompiledModel | None:
    """Return the network from the cache, or None if it is not there or is not the one expected."""
    kept = cache.read()
    if kept is None:
        return None
    try:
        compiled = target.core.import_model(kept.blob, target.device, target.properties)
        _check_ports(compiled, network, kept.ports)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (OpenVINO's errors have many types; the network is compiled again)
        log_unusable(ValueError(reason_of(error)))
        return None
    return compiled


def _check_ports(compiled: openvino.CompiledModel, network: Network, expected: str) -> None:
    found, size = _ports(compiled), network.input_size
    inputs = [list(port.partial_shape.to_shape()) for port in compiled.inputs]
    if (
        found != expected
        or inputs != [[1, size.height, size.width, 3]]
        or len(compiled.outputs) != len(network.architecture.output_names)
    ):
        raise ValueError(f"it has the inputs and outputs {found}")


def _ports(compiled: openvino.CompiledModel) -> str:
    """Return shape and type of each input and output."""
    ports = [*compiled.inputs, *compiled.outputs]
    return ", ".join(f"{port.partial_shape} {port.element_type.get_type_name()}" for port in ports)


def _keep(compiled: openvino.CompiledModel, cache: CompiledCache) -> None:
    try:
        blob = compiled.export_model().getvalue()
    except RuntimeError as error:  # a device that cannot export
        logger.info("The compiled network was not kept for the next start: %s", reason_of(error))
        return
    cache.write(Compiled(blob, _ports(compiled)))


def _compile(target: Target, network: Network, int8_file: Int8File | None) -> openvino.CompiledModel:
    def read_model() -> openvino.Model:
        if int8_file:
            return int8_file.read_model(target.core)
        return build_model(target.core, network, for_bf16=target.bf16)

    return target.compile(read_model, network.input_size)
