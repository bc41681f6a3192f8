"""The ways to run the network, behind one protocol. A backend's package is imported only when it is chosen."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import BACKENDS, PRECISIONS, InputSize, check_choice
from ..errors import (
    BackendError,
    BackendUnavailableError,
    DeviceUnavailableError,
    FairMOTError,
    InvalidInputError,
    StateError,
)
from ..values import Peaks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BackendInfo:
    """What a backend runs on; logged once and kept in the summary.

    Attributes:
        name: ``openvino``, ``paddledet``, ``onnxruntime`` or ``fake``.
        version: Version of the library behind it.
        device: ``CPU``, ``GPU`` or the runtime's own name of it.
        precision: ``fp32``, ``bf16`` or ``int8``.
        threads: CPU threads, or None where the runtime decides.
    """

    name: str
    version: str
    device: str
    precision: str
    threads: int | None = None

    def __str__(self) -> str:
        threads = f", {self.threads} threads" if self.threads else ""
        return f"{self.name} {self.version} on {self.device}, {self.precision}{threads}"


class Backend(Protocol):
    """One network, loaded and ready.

    Attributes:
        info: What it runs on.
        input_size: Size of the pictures it takes.
    """

    info: BackendInfo
    input_size: InputSize

    def infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one letterboxed picture.

        Called for one picture at a time, in any thread; other threads read and draw meanwhile where it releases the
        interpreter's lock.

        Args:
            image: ``(height, width, 3)`` uint8, BGR, of the backend's input size; written over after the call.

        Returns:
            Peaks in network px, best first.
        """
        ...

    def close(self) -> None:
        """Free the network."""
        ...


@dataclass(frozen=True)
class BackendRequest:
    """What a backend is built from.

    Attributes:
        weights: A checkpoint file.
        input_size: The network input.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        use_gpu: Run on an accelerator.
        keep_compiled: Keep the compiled network on disk for the next run, where the backend compiles one.
    """

    weights: Path
    input_size: InputSize
    precision: str = "auto"
    use_gpu: bool = False
    keep_compiled: bool = True


def _openvino(request: BackendRequest) -> Backend:
    from .openvino.backend import OpenVinoBackend

    return OpenVinoBackend(request)


def _paddledet(request: BackendRequest) -> Backend:
    from .paddledet import PaddleDetBackend

    return PaddleDetBackend(request)


def _onnxruntime(request: BackendRequest) -> Backend:
    from .onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(request)


@dataclass(frozen=True)
class _Entry:
    build: Callable[[BackendRequest], Backend]
    packages: tuple[str, ...]
    install: str


_ENTRIES = {
    "openvino": _Entry(_openvino, ("openvino", "onnx"), "pip install fairmot_dla34"),
    "paddledet": _Entry(_paddledet, ("paddle", "ppdet"), "pip install 'fairmot_dla34[paddle]'"),
    "onnxruntime": _Entry(_onnxruntime, ("onnxruntime", "onnx"), "pip install 'fairmot_dla34[onnxruntime]'"),
}
_GPU_ORDER = ("paddledet", "onnxruntime", "openvino")
_GPU_INSTALL = "pip install 'fairmot_dla34[paddle-gpu]'"


def installed() -> dict[str, bool]:
    """Tell which backends' packages are installed, without importing them."""
    return {name: all(map(_found, entry.packages)) for name, entry in _ENTRIES.items()}


def create_backend(name: str, request: BackendRequest) -> Backend:
    """Load the network on the backend asked for; log the choice.

    Args:
        name: ``auto`` (OpenVINO on the CPU; with ``use_gpu`` the first of paddledet, onnxruntime, openvino that has
            a GPU), or a backend's name.
        request: What to load.

    Raises:
        InvalidInputError: The name or the precision is unknown, or the backend lacks the precision.
        BackendUnavailableError: Its package is not installed.
        NotQuantizedError: ``int8`` of weights that were not quantised at this input size.
        DeviceUnavailableError: ``use_gpu`` and no GPU can be used.
        CheckpointError: The weights do not fit.
    """
    check_backend(name, request.precision)
    if name == "auto":
        backend = _first_gpu(request) if request.use_gpu else _build("openvino", request)
    else:
        backend = _build(name, request)
    logger.info("Network: %s, input %s", backend.info, request.input_size)
    return backend


def check_backend(name: str, precision: str) -> None:
    """Check what can be checked before weights are fetched: the names, and that the package is installed.

    Raises:
        InvalidInputError: The name or the precision is unknown.
        BackendUnavailableError: The backend's package is not installed.
    """
    check_choice("Backend", name, BACKENDS)
    check_choice("Precision", precision, PRECISIONS)
    if name != "auto":
        _require(name)


def _build(name: str, request: BackendRequest) -> Backend:
    _require(name)
    entry = _ENTRIES[name]
    try:
        return entry.build(request)
    except FairMOTError:
        raise
    except (ImportError, OSError) as error:  # a GPU build without its driver's libraries, a half-installed package
        raise BackendUnavailableError(
            f"Backend {name} is installed but cannot be loaded ({reason_of(error)}); check the libraries it names, or "
            f"install it again: {entry.install}"
        ) from error


def _require(name: str) -> None:
    entry = _ENTRIES[name]
    missing = [package for package in entry.packages if not _found(package)]
    if missing:
        raise BackendUnavailableError(
            f"Backend {name} needs the package {missing[0]}, which is not installed; install it: {entry.install}"
        )


def _first_gpu(request: BackendRequest) -> Backend:
    reasons = []
    for name in _GPU_ORDER:
        try:
            return _build(name, request)
        except (BackendError, InvalidInputError) as error:
            reasons.append(f"{name}: {error}")
    raise DeviceUnavailableError(
        f"use_gpu is True, but no backend has a usable GPU ({' | '.join(reasons)}). "
        f"Install one, {_GPU_INSTALL}, or run on the CPU with use_gpu=False."
    )


def _found(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def only_fp32(name: str, precision: str) -> str:
    """Resolve the precision of a backend that has fp32 alone.

    Raises:
        InvalidInputError: Another one was asked for.
    """
    if precision not in {"auto", "fp32"}:
        raise InvalidInputError(
            f"Precision is {precision!r}; backend {name} runs in fp32 only: use auto or fp32, or backend openvino."
        )
    return "fp32"


def closed_error() -> StateError:
    """Return what to raise where a network is used after `Backend.close`."""
    return StateError("The network was closed; make a new FairMOT or Module for more pictures.")


def failed_error(info: BackendInfo, error: Exception) -> BackendError:
    """Return what to raise where the runtime fails on a picture: out of memory, a device that is gone."""
    return BackendError(
        f"The network failed on a picture ({info}: {reason_of(error)}); free memory, or try another backend, a smaller "
        "input size or the CPU."
    )


def reason_of(error: Exception) -> str:
    """Return the last line of an error's text: those of OpenVINO and Paddle begin with source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
