"""From weights and a video to an int8 network in the cache, and what it costs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..backends import BackendRequest, create_backend
from ..backends.openvino.graph import build_model
from ..backends.openvino.int8_file import QuantizationFacts, quantized_path, write_quantized
from ..config import DEFAULT_WEIGHTS, InputSize
from ..outputs import prepare_output_dir
from ..backends.openvino.telemetry import no_telemetry
from ..values import Peaks
from ..weights import find_entry, input_size_for, resolve_weights
from ..files import output_error
from .agreement import agreement
from .frames import read_frames
from .post_training import check_installed, quantized
from .report import QuantizationReport

_LOGGER = logging.getLogger(__name__)


def quantize(
    weights: str | Path = DEFAULT_WEIGHTS,
    *,
    calibration: str | Path,
    input_size: InputSize | str | None = None,
    progress: bool = True,
) -> QuantizationReport:
    """Make the int8 network that ``precision="int8"`` runs, in place of one that was there.

    Up to 32 frames, spread evenly over the video, say how large the values in the network become; up to 16 others say
    how far int8 is from fp32.

    Args:
        weights: A registered name or a checkpoint file.
        calibration: A video like the ones to be tracked, with people in it: whatever `FairMOT.track` takes as text.
        input_size: The network input; None: the size the weights were trained for. Each has a network of its own.
        progress: Show a progress bar on stderr.

    Raises:
        BackendUnavailableError: The extra ``quantize`` is not installed.
        SourceError, SourceNotFoundError: The video cannot be opened or read.
        InvalidInputError: It is too short, or the size is not one.
        OutputError: The network cannot be kept.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_installed()
    size = input_size_for(find_entry(str(weights)), input_size)
    frames = read_frames(str(calibration), size)
    fp32, int8 = (BackendRequest(resolve_weights(weights), size, precision) for precision in ("fp32", "int8"))
    prepare_output_dir(quantized_path(int8).parent)
    _LOGGER.info("Calibrating on %d frames of %s; takes a minute or two", len(frames.calibration), frames.name)
    facts = QuantizationFacts(fp32.weights.name, str(size), frames.name, len(frames.calibration))
    path = _make(int8, frames.calibration, facts, progress=progress)
    _LOGGER.info("Comparing with fp32 on %d other frames", len(frames.comparison))
    fp32 = replace(fp32, keep_compiled=False)
    compared = agreement(_peaks(fp32, frames.comparison), _peaks(int8, frames.comparison))
    return QuantizationReport(path, str(weights), size, frames.name, facts.frames, compared)


def _make(
    request: BackendRequest, pictures: Sequence[NDArray[np.uint8]], facts: QuantizationFacts, *, progress: bool
) -> Path:
    with no_telemetry():
        import openvino

    model = build_model(openvino.Core(), request, for_bf16=True)  # transposed, the upsampling ones take half the time
    try:
        return write_quantized(request, quantized(model, pictures, progress=progress), facts)
    except OSError as error:
        raise output_error(quantized_path(request), error) from error


def _peaks(request: BackendRequest, pictures: Sequence[NDArray[np.uint8]]) -> list[Peaks]:
    backend = create_backend("openvino", request)
    try:
        return [backend.infer(picture) for picture in pictures]
    finally:
        backend.close()
