"""Post-training quantisation by NNCF: its settings, and the silencing of its log."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..backends.base import reason_of
from ..backends.openvino.graph import serialize
from ..backends.openvino.int8_file import Int8Network
from ..backends.openvino.telemetry import no_telemetry
from ..errors import BackendError, BackendUnavailableError, OutOfMemoryError
from ..memory import is_lack_of_memory
from ..messages import install_command
from .nncf_progress import shown_phases

if TYPE_CHECKING:
    import openvino

_INSTALL = install_command("quantize")


def check_installed() -> None:
    """Check that NNCF is installed.

    Raises:
        BackendUnavailableError: NNCF is not installed.
    """
    if importlib.util.find_spec("nncf") is None:
        raise BackendUnavailableError(
            f"Quantisation needs the package nncf, which is not installed; install it: {_INSTALL}"
        )


def to_int8(
    model: openvino.Model, images: Sequence[NDArray[np.uint8]], float_layers: Sequence[str], *, progress: bool = True
) -> Int8Network:
    """Quantise a network: weights symmetric, activations asymmetric (NNCF's preset "mixed"), biases corrected.

    Activations keep the whole range they had in any image. NNCF's default, the mean over the images, cuts off rare
    values: those of people, whose scores it lowers. Equal images give an equal network.

    Args:
        model: The network in fp32; its constants are folded.
        images: ``(height, width, 3)`` uint8 BGR of the network's input size.
        float_layers: Patterns of the names of layers that stay in floating point; see `Architecture`.
        progress: Show the progress of its phases on stderr.

    Raises:
        BackendError: NNCF fails.
        OutOfMemoryError: It needs more memory than this process may use.
    """
    _fold_constants(model)
    nncf = _import_nncf()
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    with _quiet(), shown_phases(enabled=progress):
        try:
            result = nncf.quantize(
                model,
                nncf.Dataset(images, lambda image: {"image": image[None]}),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(images),
                fast_bias_correction=False,  # layer by layer, each on the outputs of the quantised layers before it
                advanced_parameters=nncf.AdvancedQuantizationParameters(
                    activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
                ),
                ignored_scope=nncf.IgnoredScope(patterns=list(float_layers)),
            )
        except Exception as error:  # NNCF's have no common base class, OpenVINO's are RuntimeErrors
            if is_lack_of_memory(error):
                raise OutOfMemoryError(
                    f"There is not enough memory to quantise the network ({reason_of(error)}); free memory, or use a "
                    "smaller input size."
                ) from error
            raise BackendError(
                f"NNCF {nncf.__version__} cannot quantise the network ({reason_of(error)}); expected a release that "
                f"fits OpenVINO's: {_INSTALL}"
            ) from error
    return Int8Network(*serialize(result))


def _fold_constants(model: openvino.Model) -> None:
    from openvino.passes import ConstantFolding, Manager

    folding = Manager()
    folding.register_pass(ConstantFolding())  # a bias is then a constant, as NNCF expects it
    folding.run_passes(model)


def _import_nncf() -> Any:
    logger_class = logging.getLoggerClass()
    try:
        with no_telemetry():
            import nncf
    except Exception as error:  # a half-installed package: its import runs code of many files
        raise BackendUnavailableError(
            f"nncf is installed but cannot be loaded ({reason_of(error)}); install it again: {_INSTALL}"
        ) from error
    finally:
        logging.setLoggerClass(logger_class)  # NNCF sets its own for the whole process
    return nncf


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep NNCF's log and its progress bars off stdout, which is for results."""
    logger = logging.getLogger("nncf")
    level = logger.level
    with contextlib.redirect_stdout(io.StringIO()):
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)
