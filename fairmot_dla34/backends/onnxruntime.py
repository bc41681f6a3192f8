"""The same network in ONNX Runtime, for any accelerator that it serves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import BackendUnavailableError, DeviceUnavailableError
from ..architectures.dla34.graph import build_onnx
from ..architectures.peaks import OUTPUTS, RawPeaks, decode
from ..values import Peaks
from ..weights import load_arrays
from .base import BackendInfo
from .base import BackendRequest
from .base import closed_error
from .base import failed_error
from .base import only_fp32

# Providers that are always a GPU or an NPU, best first; OpenVINO's, CoreML's and others may compute on the CPU.
_ACCELERATORS = (
    "CUDAExecutionProvider",
    "ROCMExecutionProvider",
    "MIGraphXExecutionProvider",
    "DmlExecutionProvider",
    "CANNExecutionProvider",
    "WebGpuExecutionProvider",
)


class OnnxRuntimeBackend:
    """FairMOT DLA-34 in an ONNX Runtime session.

    Args:
        request: What to load. With ``use_gpu`` the best execution provider of the installed build is taken.

    Raises:
        BackendUnavailableError: The installed release cannot run ``DeformConv``.
        DeviceUnavailableError: ``use_gpu`` and no accelerator can be used; never a silent run on the CPU.
        InvalidInputError: A precision other than fp32 was asked for.
        CheckpointError: The weights do not fit.
    """

    def __init__(self, request: BackendRequest) -> None:
        import onnxruntime

        precision = only_fp32("onnxruntime", request.precision)
        self.input_size: InputSize = request.input_size
        provider = _pick_provider(onnxruntime.get_available_providers(), use_gpu=request.use_gpu)
        model = build_onnx(load_arrays(request.weights), request.input_size).SerializeToString()
        try:
            # Without enable_fallback=0 a failing accelerator is left for the CPU, silently, in the middle of a run.
            self._session: Any = onnxruntime.InferenceSession(model, providers=[provider], enable_fallback=0)
        except Exception as error:  # onnxruntime's exceptions have no public base class
            if request.use_gpu:
                raise DeviceUnavailableError(
                    f"ONNX Runtime could not start {provider} ({str(error).splitlines()[0]}); check its driver and "
                    "libraries, or use use_gpu=False."
                ) from error
            raise BackendUnavailableError(
                f"ONNX Runtime {onnxruntime.__version__} cannot run the network ({str(error).splitlines()[0]}); "
                "install a release with DeformConv: pip install 'fairmot_dla34[onnxruntime]'"
            ) from error
        if self._session.get_providers()[0] != provider:
            raise DeviceUnavailableError(
                f"ONNX Runtime could not start {provider}; check its driver and libraries, or use use_gpu=False."
            )
        device = provider.removesuffix("ExecutionProvider")
        self.info = BackendInfo("onnxruntime", onnxruntime.__version__, device, precision)

    def infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one letterboxed picture; see `Backend.infer`."""
        if self._session is None:
            raise closed_error()
        try:
            outputs = self._session.run(OUTPUTS, {"image": image[None]})
        except Exception as error:  # as above
            raise failed_error(self.info, error) from error
        return decode(RawPeaks(*outputs), self.input_size)

    def close(self) -> None:
        """Free the network; safe to call twice."""
        self._session = None


def _pick_provider(available: list[str], *, use_gpu: bool) -> str:
    if not use_gpu:
        return "CPUExecutionProvider"
    accelerators = [name for name in _ACCELERATORS if name in available]
    if not accelerators:
        raise DeviceUnavailableError(
            f"The installed ONNX Runtime has no accelerator, only {', '.join(available)}; "
            "install a build with one, such as onnxruntime-gpu."
        )
    return accelerators[0]
