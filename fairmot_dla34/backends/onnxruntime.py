"""The ONNX Runtime backend, for any accelerator that ONNX Runtime supports."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architectures import Network
from ..errors import BackendUnavailableError, DeviceUnavailableError
from ..messages import install_command
from ..values import Peaks
from .base import Backend, BackendInfo, BackendOptions, inference_error, only_fp32
from .cpus import is_restricted, usable_cpus

# Providers that are always a GPU or an NPU, best first; OpenVINO's, CoreML's and others may compute on the CPU.
_ACCELERATORS = (
    "CUDAExecutionProvider",
    "ROCMExecutionProvider",
    "MIGraphXExecutionProvider",
    "DmlExecutionProvider",
    "CANNExecutionProvider",
    "WebGpuExecutionProvider",
)


class OnnxRuntimeBackend(Backend):
    """A network in an ONNX Runtime session.

    Args:
        network: The network to load.
        options: How to run it. With ``use_gpu`` the best execution provider of the installed build is used. Streams
            share the session's threads.

    Raises:
        BackendUnavailableError: The installed release cannot run the network, such as one without ``DeformConv``.
        DeviceUnavailableError: ``use_gpu`` and no accelerator can be used; never a silent run on the CPU.
        InvalidInputError: The precision is neither ``auto`` nor ``fp32``.
        CheckpointError: The checkpoint cannot be read or does not fit.
    """

    def __init__(self, network: Network, options: BackendOptions) -> None:
        import onnxruntime

        precision = only_fp32("onnxruntime", options.precision)
        provider = _pick_provider(onnxruntime.get_available_providers(), use_gpu=options.use_gpu)
        threads = None if options.use_gpu else options.threads
        if not options.use_gpu and threads is None and is_restricted():  # it counts the machine's cores otherwise
            threads = usable_cpus()
        self._session: Any = _start_session(network, provider, threads, use_gpu=options.use_gpu)
        device = provider.removesuffix("ExecutionProvider")
        info = BackendInfo("onnxruntime", onnxruntime.__version__, device, precision, threads, options.streams)
        super().__init__(info, network.input_size)
        self._architecture = network.architecture

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        try:
            outputs = self._session.run(self._architecture.output_names, {"image": image[None]})
        except Exception as error:  # onnxruntime's exceptions have no public base class
            raise inference_error(self.info, error) from error
        return self._architecture.decode(outputs, self.input_size)

    def _release(self) -> None:
        self._session = None


def _start_session(network: Network, provider: str, threads: int | None, *, use_gpu: bool) -> Any:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads or 0  # 0: ONNX Runtime decides
    model = network.serialized_onnx()
    try:
        # Without enable_fallback=0 a failing accelerator is left for the CPU, silently, in the middle of a run.
        session = onnxruntime.InferenceSession(model, settings, providers=[provider], enable_fallback=0)
    except Exception as error:  # as above
        if use_gpu:
            raise DeviceUnavailableError(
                f"ONNX Runtime could not start {provider} ({str(error).splitlines()[0]}); check its driver and "
                "libraries, or use use_gpu=False."
            ) from error
        raise BackendUnavailableError(
            f"ONNX Runtime {onnxruntime.__version__} cannot run the network ({str(error).splitlines()[0]}); "
            f"install a release with DeformConv: {install_command('onnxruntime')}"
        ) from error
    if session.get_providers()[0] != provider:
        raise DeviceUnavailableError(
            f"ONNX Runtime could not start {provider}; check its driver and libraries, or use use_gpu=False."
        )
    return session


def _pick_provider(available: list[str], *, use_gpu: bool) -> str:
    if not use_gpu:
        return "CPUExecutionProvider"
    accelerators = [name for name in _ACCELERATORS if name in available]
    if not accelerators:
        raise DeviceUnavailableError(
            f"ONNX Runtime has no accelerator, only {', '.join(available)}; install a build with one, such as "
            "onnxruntime-gpu."
        )
    return accelerators[0]
