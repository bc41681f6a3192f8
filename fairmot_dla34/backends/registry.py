"""The registered backends, by name, and the choice of one."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..architectures import Network
from ..config import check_choice, shown
from ..errors import (
    BackendError,
    BackendUnavailableError,
    DeviceUnavailableError,
    FairMOTError,
    InvalidInputError,
    OutOfMemoryError,
)
from ..memory import is_lack_of_memory
from ..messages import install_command, plain_line
from ..registry import Registry
from .base import Backend, BackendOptions, reason_of
from .memory_need import require_network_memory

logger = logging.getLogger(__name__)

_GPU_INSTALL = install_command("paddle-gpu")
_CAUSE_CHARS = 45  # three of them and the remedy fit into a message


@dataclass(frozen=True)
class BackendKind:
    """A kind of backend in the registry.

    Attributes:
        name: Name that users pass as backend.
        build: Function that loads a network. It imports the backend's packages, so that others are not loaded.
        packages: Import names of the packages it needs.
        install: Command that installs them.
        gpu_rank: Position at which ``auto`` with ``use_gpu`` tries this backend, lowest first; None: never.

    Raises:
        InvalidInputError: The name is not one of letters, digits and ``-_.``, or ``build`` cannot be called.
    """

    name: str
    build: Callable[[Network, BackendOptions], Backend]
    packages: tuple[str, ...] = ()
    install: str = ""
    gpu_rank: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[\w.-]{1,64}", self.name, re.ASCII):
            raise InvalidInputError(f"Backend name is {shown(self.name)}; expected letters, digits and -_. only.")
        if not callable(self.build):
            raise InvalidInputError(f"build is {shown(self.build)}; expected a function that loads a network.")


def _openvino(network: Network, options: BackendOptions) -> Backend:
    from .openvino.backend import OpenVinoBackend

    return OpenVinoBackend(network, options)


def _paddledet(network: Network, options: BackendOptions) -> Backend:
    from .paddledet import PaddleDetBackend

    return PaddleDetBackend(network, options)


def _onnxruntime(network: Network, options: BackendOptions) -> Backend:
    from .onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(network, options)


_KINDS: Registry[BackendKind] = Registry("Backend")


def register_backend(kind: BackendKind) -> None:
    """Make a backend known by its name.

    Raises:
        InvalidInputError: The name is registered already, or is ``auto``, or ``kind`` is not a `BackendKind`.
    """
    if not isinstance(kind, BackendKind):
        raise InvalidInputError(f"kind is {shown(kind)}; expected a BackendKind.")
    if kind.name == "auto":
        raise InvalidInputError("Backend name is 'auto', which means a choice among backends; choose another name.")
    _KINDS.register(kind)


def unregister_backend(name: str) -> None:
    """Remove a backend; nothing happens if the name is not registered."""
    _KINDS.unregister(name)


register_backend(
    BackendKind("openvino", _openvino, ("openvino", "onnx"), "pip install openvino onnx", gpu_rank=2),
)
register_backend(
    BackendKind("paddledet", _paddledet, ("paddle", "ppdet"), install_command("paddle"), gpu_rank=0),
)
register_backend(
    BackendKind(
        "onnxruntime",
        _onnxruntime,
        ("onnxruntime", "onnx"),
        install_command("onnxruntime"),
        gpu_rank=1,
    ),
)


def backend_names() -> tuple[str, ...]:
    """Return the names that `create_backend` accepts, ``auto`` first."""
    return ("auto", *_KINDS.names())


def installed() -> dict[str, bool]:
    """Return for each backend whether its packages are installed, without importing them."""
    return {kind.name: all(map(_is_installed, kind.packages)) for kind in _KINDS}


def create_backend(
    name: str, network: Network, options: BackendOptions | None = None, *, announce: bool = True
) -> Backend:
    """Load a network on a backend.

    Args:
        name: ``auto`` (OpenVINO on the CPU; with ``use_gpu`` the first of paddledet, onnxruntime, openvino that has
            a GPU), or a backend's name.
        network: The network to load.
        options: Settings of the backend; None: the defaults.
        announce: Log the loaded network as information, not only for debugging.

    Raises:
        InvalidInputError: The name is unknown, or the backend lacks the precision or the number of streams.
        BackendUnavailableError: The backend's package is not installed, or cannot be loaded.
        NotQuantizedError: The precision is ``int8``, and the weights were not quantised at this input size.
        DeviceUnavailableError: ``use_gpu`` and no GPU can be used.
        OutOfMemoryError: The process may not use as much memory as loading and running the network takes.
        CheckpointError: The checkpoint does not fit.
    """
    check_backend(name)
    options = BackendOptions() if options is None else options
    for what, value, kind in (("network", network, Network), ("options", options, BackendOptions)):
        if not isinstance(value, kind):
            raise InvalidInputError(f"{what} is {shown(value)}; expected a value of type {kind.__name__}.")
    if name == "auto":
        backend = _first_gpu(network, options) if options.use_gpu else _build("openvino", network, options)
    else:
        backend = _build(name, network, options)
    logger.log(logging.INFO if announce else logging.DEBUG, "Network: %s, input %s", backend.info, network.input_size)
    return backend


def check_backend(name: str) -> None:
    """Check the name of a backend, and that its package is installed. No weights are needed for this.

    Raises:
        InvalidInputError: The name is unknown.
        BackendUnavailableError: The backend's package is not installed.
    """
    check_choice("Backend", name, backend_names())
    if name != "auto":
        _require(_KINDS.find(name))


def _build(name: str, network: Network, options: BackendOptions) -> Backend:
    kind = _KINDS.find(name)
    _require(kind)
    require_network_memory(network, options, kind.packages)
    try:
        return kind.build(network, options)
    except FairMOTError:
        raise
    except MemoryError as error:
        raise _out_of_memory(network, error) from error
    except (ImportError, OSError) as error:  # a GPU build without its driver's libraries, a half-installed package
        if is_lack_of_memory(error):
            raise _out_of_memory(network, error) from error
        raise BackendUnavailableError(
            f"Backend {name} is installed but cannot be loaded ({reason_of(error)}); check the libraries it names, or "
            f"install it again: {kind.install}"
        ) from error


def _out_of_memory(network: Network, error: Exception) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"There is not enough memory to load the network at {network.input_size} ({reason_of(error)}); allow this "
        "process more, or use a smaller input size."
    )


def _require(kind: BackendKind) -> None:
    missing = [package for package in kind.packages if not _is_installed(package)]
    if missing:
        raise BackendUnavailableError(
            f"Package {missing[0]} is not installed, which backend {kind.name} needs; install it: {kind.install}"
        )


def _first_gpu(network: Network, options: BackendOptions) -> Backend:
    ranked = sorted((kind.gpu_rank, kind.name) for kind in _KINDS if kind.gpu_rank is not None)
    reasons = []
    for _, name in ranked:
        try:
            return _build(name, network, options)
        except (BackendError, InvalidInputError) as error:
            logger.info("Backend %s cannot use a GPU: %s", name, error)
            reasons.append(f"{name}: {_short_cause(error)}")
    raise DeviceUnavailableError(
        f"use_gpu is True, but no backend has a usable GPU ({'; '.join(reasons)}). "
        f"Install one, {_GPU_INSTALL}, or run on the CPU with use_gpu=False."
    )


def _short_cause(error: Exception) -> str:
    """Return the reason why a backend was not loaded, or the first clause of its message, without remedies."""
    if error.__cause__:
        return plain_line(reason_of(error.__cause__), _CAUSE_CHARS)
    return plain_line(re.split(r"[,;]| \(", str(error))[0], _CAUSE_CHARS)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # an import that failed half-way, or one replaced by a stub
        return False
