"""Writes a network as files for other runtimes: ONNX, or OpenVINO's intermediate representation."""

from __future__ import annotations

from pathlib import Path

from ..architectures import Network
from ..config import InputSize, check_choice, check_path
from ..files import output_error, write_whole
from ..weights import resolve_network

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
        InvalidInputError: The format, the folder or the size is not valid.
        OutputError: A file cannot be written.
        BackendUnavailableError: The format is ``openvino``, and OpenVINO cannot be loaded.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_choice("Export format", export_format, EXPORT_FORMATS)
    check_path("output_dir", output_dir, "a folder to write to")
    network = resolve_network(weights, input_size)
    folder = Path(output_dir)
    stem = f"{Path(network.label).stem}_{network.input_size}"
    files = {f"{stem}.onnx": network.serialized_onnx()} if export_format == "onnx" else _openvino_files(network, stem)
    try:
        for name, content in files.items():
            write_whole(folder / name, content)
    except (OSError, ValueError) as error:  # ValueError: a NUL or half of a surrogate pair in the name
        raise output_error(folder, error) from error
    return [folder / name for name in files]


def _openvino_files(network: Network, stem: str) -> dict[str, bytes]:
    from .openvino.graph import build_model, serialize
    from .openvino.runtime import start_runtime

    xml, constants = serialize(build_model(start_runtime(), network))
    return {f"{stem}.xml": xml, f"{stem}.bin": constants}
