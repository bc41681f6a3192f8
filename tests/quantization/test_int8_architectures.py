"""int8 networks of the smaller architectures: most layers are quantised, and outputs at the peaks stay near fp32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import Request, write_checkpoint
from numpy.typing import NDArray
from videos import write_walking_boxes

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.architectures.peaks import NOT_A_PEAK, RawPeaks
from fairmot_dla34.backends.openvino.int8_file import Int8File
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.quantization import quantize
from fairmot_dla34.quantization.frames import read_frames

pytest.importorskip("nncf", reason="NNCF ABSENT: pip install '.[quantize]'")

SIZE = InputSize(96, 64)
OUTPUTS = ("logits", "sizes", "offsets", "embeddings")
# Largest relative error with random weights. bf16 alone has errors of 0.008 and 0.04.
LIMITS = {"light": 0.03, "yolov5s": 0.3}
LEAST_SHARED = {"light": 0.85, "yolov5s": 0.5}  # peaks of random maps are hardly higher than the cells beside them


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 images with boxes that walk."""
    return write_walking_boxes(tmp_path_factory.mktemp("boxes"), 12, 160, 160)


def raw_outputs(model: object, images: list[NDArray[np.uint8]]) -> list[RawPeaks]:
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = [compiled(image[None]) for image in images]
    return [RawPeaks(*(np.array(result[name]) for name in RawPeaks._fields)) for result in found]


def relative_errors(one: list[RawPeaks], other: list[RawPeaks]) -> tuple[dict[str, float], float]:
    """Return errors relative to the length of the outputs, at peaks of both, and the share of peaks of both."""
    pairs: dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]] = {name: [] for name in OUTPUTS}
    shared = count = 0
    for left, right in zip(one, other, strict=True):
        cells = [raw.cells[raw.logits > NOT_A_PEAK / 2].tolist() for raw in (left, right)]
        both = sorted(set(cells[0]) & set(cells[1]))
        shared, count = shared + len(both), count + len(cells[0])
        rows = [[listed.index(cell) for cell in both] for listed in cells]  # peaks come first
        for name, values in pairs.items():
            values.append((getattr(left, name)[rows[0]], getattr(right, name)[rows[1]]))
    errors = {}
    for name, values in pairs.items():
        expected, found = (np.concatenate([pair[side] for pair in values]) for side in (0, 1))
        errors[name] = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    return errors, shared / count


@pytest.mark.parametrize("name", ["light", pytest.param("yolov5s", marks=pytest.mark.slow)])
def test_outputs_at_the_peaks_stay_near_those_of_fp32(name: str, boxes: Path, tmp_path: Path) -> None:
    import openvino

    architecture = find_architecture(name)
    sizes = HeadSizes(embedding_size=architecture.embedding_size)
    arrays = random_checkpoint(architecture=architecture, sizes=sizes).arrays
    weights = write_checkpoint(tmp_path / f"{name}.npz", arrays)
    quantize(weights, calibration=boxes, input_size=SIZE, progress=False)
    core, int8 = openvino.Core(), Int8File(Request(weights, SIZE, "int8").network).unpack()
    model = core.read_model(int8.xml, int8.weights)
    kinds = [op for op in model.get_ops() if op.get_type_name() in {"Convolution", "GroupConvolution", "MatMul"}]
    quantised = [op for op in kinds if op.input_value(1).get_node().get_type_name() == "Multiply"]  # weights by a scale
    images = list(read_frames(str(boxes), SIZE).comparison)
    onnx = core.read_model(architecture.build_onnx(arrays, SIZE).SerializeToString())
    errors, shared = relative_errors(raw_outputs(onnx, images), raw_outputs(model, images))
    print(f"{name}: {len(quantised)} of {len(kinds)} layers in int8, {shared:.3f} of peaks, relative errors {errors}")
    assert len(quantised) > 0.6 * len(kinds)
    assert shared > LEAST_SHARED[name]
    assert max(errors.values()) < LIMITS[name], errors
