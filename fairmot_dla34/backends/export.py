"""Writes a network as files for other runtimes: ONNX, or OpenVINO's intermediate representation."""

from __future__ import annotations

from pathlib import Path

from ..config import InputSize, check_choice
from ..files import output_error, write_whole
from ..weights import resolve_network
from .openvino.telemetry import no_telemetry

EXPORT_FORMATS = ("onnx", "openvino")


def export(
    weights: str | Path, export_format: str, output_dir: str | Path, input_size: InputSize | str | None = None
) -> list[Path]:
    """Write a network as ``<name>_<width>x<height>.onnx``, or as OpenVINO's ``.xml`` and ``.bin``.

    Input and outputs are those of `Architecture.build_onnx`; `fairmot_dla34.architectures.peaks.decode` converts the
    outputs to boxes.

    Args:
        weights: A registered name or a checkpoint file.
        export_format: ``onnx`` or ``openvino``.
        output_dir: Folder to write to; created if it does not exist.
        input_size: Network input; None: the size the weights were trained for.

    Returns:
        The files written.

    Raises:
        InvalidInputError: The format or the size is not valid.
        OutputError: A file cannot be written.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_choice("Export format", export_format, EXPORT_FORMATS)
    network = resolve_network(weights, input_size)
    folder = Path(output_dir)
    stem = folder / f"{Path(network.label).stem}_{network.input_size}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if export_format == "onnx":
            file = stem.with_name(stem.name + ".onnx")
            write_whole(file, network.serialized_onnx())
            return [file]
    except OSError as error:
        raise output_error(folder, error) from error
    return _save_openvino(network.serialized_onnx(), stem.with_name(stem.name + ".xml"))


def _save_openvino(onnx_model: bytes, xml: Path) -> list[Path]:
    from .openvino.graph import read_onnx

    with no_telemetry():
        import openvino

    model = read_onnx(openvino.Core(), onnx_model)
    try:
        openvino.save_model(model, xml, compress_to_fp16=False)
    except RuntimeError as error:
        raise output_error(xml, error) from error
    return [xml, xml.with_suffix(".bin")]
