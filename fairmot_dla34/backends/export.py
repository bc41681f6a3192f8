"""The network as files for other runtimes."""

from __future__ import annotations

from pathlib import Path

from ..config import EXPORT_FORMATS, InputSize, check_choice
from .openvino.telemetry import no_telemetry
from ..weights import find_entry, input_size_for, load_arrays, resolve_weights
from ..files import output_error


def export(
    weights: str | Path, export_format: str, output_dir: Path, input_size: InputSize | str | None = None
) -> list[Path]:
    """Write the network as ``<name>_<width>x<height>.onnx``, or as OpenVINO's ``.xml`` and ``.bin``.

    Inputs and outputs are those of `network.dla34.build_onnx`; `network.peaks.decode` shows how to read them.

    Args:
        weights: A registered name or a checkpoint file.
        export_format: ``onnx`` or ``openvino``.
        output_dir: Where to write; made if it is not there.
        input_size: The network input; None: the size the weights were trained for.

    Returns:
        The files written.

    Raises:
        InvalidInputError: The format or the size is not one.
        OutputError: A file cannot be written.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_choice("Export format", export_format, EXPORT_FORMATS)
    from ..architectures.dla34.graph import build_onnx

    size = input_size_for(find_entry(str(weights)), input_size)
    path = resolve_weights(weights)
    model = build_onnx(load_arrays(path), size)
    stem = output_dir / f"{path.stem}_{size}"
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        if export_format == "onnx":
            file = stem.with_name(stem.name + ".onnx")
            file.write_bytes(model.SerializeToString())
            return [file]
        return _save_openvino(model.SerializeToString(), stem.with_name(stem.name + ".xml"))
    except OSError as error:
        raise output_error(output_dir, error) from error


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
