"""Imports OpenVINO and starts its runtime; a broken installation becomes an error with the reason and a remedy."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BackendUnavailableError, OutOfMemoryError
from ...memory import is_lack_of_memory
from ..base import reason_of
from .telemetry import no_telemetry

if TYPE_CHECKING:
    import openvino

_FIRST_CONVERSION = Lock()
_INSTALL_AGAIN = "pip install --force-reinstall openvino"


def start_runtime() -> openvino.Core:
    """Import OpenVINO without its telemetry and start its runtime.

    Raises:
        BackendUnavailableError: OpenVINO is not installed, or its installation is broken.
        OutOfMemoryError: There is too little memory to load it.
    """
    try:
        with no_telemetry():
            import openvino
        core = openvino.Core()
        core.get_versions("CPU")  # loads the plugin, which a broken installation may lack
        _convert_once()
    except ModuleNotFoundError as error:
        if error.name == "openvino":
            raise BackendUnavailableError(
                "Backend openvino needs the package openvino, which is not installed: pip install openvino"
            ) from error
        raise broken(error) from error
    except Exception as error:  # its import runs code of many files, and any of them may be damaged
        raise broken(error) from error
    return core


def _convert_once() -> None:
    """Convert an array to a tensor and back, in one thread at a time.

    OpenVINO's binding makes its table of types at the first conversion, and lets other Python threads run meanwhile. If
    one of them converts too, it waits for the table while it holds the interpreter's lock, and both wait for ever.
    """
    import openvino

    with _FIRST_CONVERSION:
        tensor = openvino.Tensor(np.zeros(1, np.uint8), shared_memory=True)
        tensor.get_element_type().to_dtype()
        _ = tensor.data


def broken(error: Exception) -> BackendUnavailableError | OutOfMemoryError:
    """Return the error to raise if OpenVINO cannot be imported or started, or lacks its CPU plugin."""
    if is_lack_of_memory(error):
        return OutOfMemoryError(f"OpenVINO cannot be loaded for lack of memory ({reason_of(error)}).")
    return BackendUnavailableError(
        f"OpenVINO {_installed_version()} is installed but cannot be loaded ({type(error).__name__}: "
        f"{reason_of(error)}); install it again: {_INSTALL_AGAIN}"
    )


def _installed_version() -> str:
    try:
        return version("openvino")
    except PackageNotFoundError:
        return "of an unknown version"
