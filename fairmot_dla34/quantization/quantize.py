"""Makes an int8 network from weights and a calibration video, and measures its agreement with fp32."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..architectures import Network
from ..backends import BackendOptions, create_backend
from ..backends.memory_need import require_network_memory
from ..backends.openvino.graph import build_model
from ..backends.openvino.int8_file import Int8Facts, int8_path, write_int8
from ..backends.openvino.runtime import start_runtime
from ..config import DEFAULT_WEIGHTS, InputSize, check_path
from ..console.progress import progress_bar
from ..files import output_error
from ..outputs import prepare_output_dir
from ..values import Peaks
from ..weights import find_entry, input_size_for, resolve_network, resolve_weights
from .agreement import agreement
from .frames import read_frames
from .post_training import check_installed, to_int8
from .report import QuantizationReport

logger = logging.getLogger(__name__)


def quantize(
    weights: str | Path = DEFAULT_WEIGHTS,
    *,
    calibration: str | Path,
    input_size: InputSize | str | None = None,
    progress: bool = True,
) -> QuantizationReport:
    """Make the int8 network that ``precision="int8"`` runs, in place of an earlier one.

    Up to 32 frames, spread evenly over the video, give the range of the values in the network. Up to 16 other frames
    give the agreement of int8 with fp32.

    Args:
        weights: A registered name or a checkpoint file.
        calibration: A video like the ones to be tracked, with people in it: any text that `FairMOT.track` accepts.
        input_size: Network input; None: the size the weights were trained for. Each size has a network of its own.
        progress: Show on stderr the frames read, the phases of the calibration and the comparison.

    Raises:
        BackendUnavailableError: The extra ``quantize`` is not installed.
        BackendError: NNCF or OpenVINO fails.
        OutOfMemoryError: The memory that this process may use is not enough.
        SourceError, SourceNotFoundError: The video cannot be opened or read.
        InvalidInputError: The video is too short, or the size is not valid.
        OutputError: The network cannot be kept.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_installed()
    entry = find_entry(weights)
    size = input_size_for(entry, input_size, None if entry else resolve_weights(weights))
    check_path("calibration", calibration, "a video, a folder of images or a camera's index")
    frames = read_frames(os.fspath(calibration), size, progress=progress)  # before a download
    network = resolve_network(weights, size, progress=progress)
    prepare_output_dir(int8_path(network).parent)
    logger.info("Calibrating on %d frames of %s; takes a minute or more", len(frames.calibration), frames.name)
    facts = Int8Facts(Path(network.label).name, str(network.input_size), frames.name, len(frames.calibration))
    path = _make(network, frames.calibration, facts, progress=progress)
    logger.info("Comparing with fp32 on %d other frames", len(frames.comparison))
    fp32, int8 = (_peaks(network, precision, frames.comparison, progress=progress) for precision in ("fp32", "int8"))
    compared = agreement(fp32, int8)
    return QuantizationReport(path, str(weights), network.input_size, frames.name, facts.frames, compared)


def _make(network: Network, images: Sequence[NDArray[np.uint8]], facts: Int8Facts, *, progress: bool) -> Path:
    require_network_memory(network, BackendOptions("fp32"), ("openvino", "onnx"))
    model = build_model(start_runtime(), network, for_bf16=True)  # transposed, the upsampling ones take half the time
    try:
        return write_int8(network, to_int8(model, images, network.architecture.float_layers, progress=progress), facts)
    except OSError as error:
        raise output_error(int8_path(network), error) from error


def _peaks(network: Network, precision: str, images: Sequence[NDArray[np.uint8]], *, progress: bool) -> list[Peaks]:
    options = BackendOptions(precision, keep_compiled=precision == "int8")
    found = []
    with (
        create_backend("openvino", network, options) as backend,
        progress_bar(f"comparison, {precision}", len(images), enabled=progress) as bar,
    ):
        for image in images:
            found.append(backend.infer(image))
            bar.update()
    return found
