"""An architecture defined outside the package goes from arrays to ONNX to two runtimes to tracks.

docs/extending.md shows the part between the markers.
"""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.architectures import (
    Checkpoint,
    architecture_names,
    find_architecture,
    register_architecture,
    unregister_architecture,
)
from fairmot_dla34.backends import installed
from fairmot_dla34.errors import CheckpointError, InvalidInputError
from fairmot_dla34.quantization import quantize

# isort: split
# example: start
from collections.abc import Mapping

import onnx

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures.base import Architecture, Arrays, HeadSizes, Shape, Shapes
from fairmot_dla34.architectures.graph_builder import GraphBuilder
from fairmot_dla34.architectures.heads import Heads, peaks_onnx

COLOURS = 6  # channels: how much one of red, green and blue exceeds another
HEADS = Heads(
    heatmap="heads.heatmap",
    size="heads.size",
    offset="heads.offset",
    embedding="heads.embedding",
    in_channels=COLOURS,
    hidden_channels=COLOURS,
    stride=4,
)


class Patches(Architecture):
    """Finds patches of 28 x 60 px in a saturated colour, and describes each by its colour."""

    name = "patches"
    title = "Patches"
    graph_version = 1  # raise it whenever build_onnx gives another graph: networks kept in caches are named by it

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        return {"stem.weight": (COLOURS, 3, 3, 3), "stem.bias": (COLOURS,), **HEADS.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        return HEADS.sizes(shapes)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        b = GraphBuilder(arrays)
        image = b.node("Transpose", b.node("Cast", "image", to=onnx.TensorProto.FLOAT), perm=[0, 3, 1, 2])
        colours = b.relu(b.conv(image, arrays["stem.weight"], arrays["stem.bias"], stride=4))
        features = b.node("AveragePool", colours, kernel_shape=[15, 7], pads=[7, 3, 7, 3], count_include_pad=1)
        sizes = self.head_sizes({name: array.shape for name, array in arrays.items()})
        return peaks_onnx(b, features, HEADS, input_size, sizes)


# example: end


def patches_arrays() -> dict[str, np.ndarray]:
    """Weights by hand: no training."""
    arrays = {
        name: np.zeros(shape, np.float32) for name, shape in Patches().array_shapes(HeadSizes(1, COLOURS)).items()
    }
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    for channel, (more, less) in enumerate(pairs):
        arrays["stem.weight"][channel, more], arrays["stem.weight"][channel, less] = 1 / 9, -1 / 9
    for head in ("heatmap", "embedding"):
        arrays[f"heads.{head}.0.conv.weight"][range(COLOURS), range(COLOURS), 1, 1] = 1  # the cell itself
    arrays["heads.heatmap.2.conv.weight"][:] = 0.05
    arrays["heads.heatmap.2.conv.bias"][:] = -8
    arrays["heads.embedding.2.conv.weight"][:, :, 0, 0] = np.eye(COLOURS)
    arrays["heads.size.2.conv.bias"][:] = 3.5, 7.5, 3.5, 7.5  # cells to the left, top, right, bottom
    arrays["heads.offset.2.conv.bias"][:] = 0.25
    return arrays


@pytest.fixture(autouse=True)
def patches() -> Iterator[Patches]:
    architecture = Patches()
    register_architecture(architecture)
    yield architecture
    unregister_architecture("patches")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "patches.npz"
    np.savez(path, **patches_arrays())  # type: ignore[arg-type]  # names are never allow_pickle
    return path


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_its_checkpoint_is_recognised_and_tracks_people(backend: str, weights: Path) -> None:
    if not installed()[backend]:
        pytest.skip(f"{backend.upper()} ABSENT: pip install '.[{backend}]'")
    with FairMOT(weights, backend=backend, precision="fp32", input_size="320x192") as model:
        results = list(model.track(walking_boxes(30)))
    assert {track.track_id for result in results for track in result.tracks} == {1, 2}
    assert all(len(result.tracks) == 2 for result in results)
    for index, result in enumerate(results):
        boxes = {track.track_id: track.box for track in result.tracks}
        assert boxes[1] == pytest.approx((5 + 2 * index, 10, 35 + 2 * index, 70), abs=4)


def test_a_file_of_another_embedding_size_needs_no_code(weights: Path, tmp_path: Path) -> None:
    arrays = patches_arrays()
    for part in ("weight", "bias"):
        arrays[f"heads.embedding.2.conv.{part}"] = np.repeat(arrays[f"heads.embedding.2.conv.{part}"], 2, axis=0)
    np.savez(tmp_path / "wide.npz", **arrays)  # type: ignore[arg-type]
    with FairMOT(tmp_path / "wide.npz", input_size="320x192") as model:
        embeddings = model.detect(next(walking_boxes(1)), min_score=0.0).embeddings
    assert embeddings is not None
    assert embeddings.shape[1] == 2 * COLOURS


def test_it_is_quantised_without_layers_of_another_architecture(weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="NNCF ABSENT: pip install '.[quantize]'")
    for index, image in enumerate(walking_boxes(12)):
        cv2.imwrite(str(tmp_path / f"{index:02d}.png"), image)
    report = quantize(weights, calibration=tmp_path, input_size="320x192", progress=False)
    assert report.agreement.matched == report.agreement.fp32_peaks > 0


def test_a_damaged_checkpoint_names_the_array_and_the_network(patches: Patches) -> None:
    arrays = patches_arrays()
    del arrays["heads.size.2.conv.bias"]
    with pytest.raises(CheckpointError, match=r"array heads\.size\.2\.conv\.bias is missing; .* as in Patches"):
        Checkpoint(patches, arrays)


def test_names_are_unique_and_unknown_ones_list_what_there_is() -> None:
    assert architecture_names()[0] == "dla34"
    assert architecture_names()[-1] == "patches"
    with pytest.raises(InvalidInputError, match="already registered"):
        register_architecture(Patches())
    with pytest.raises(InvalidInputError, match=r"expected one of dla34, .*patches"):
        find_architecture("resnet")
