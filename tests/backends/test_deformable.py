"""The compiled deformable convolution: the results of OpenVINO's own, and a network that runs without it too."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from networks import Request, write_random_checkpoint
from numpy.typing import NDArray
from openvino import opset13 as op

from fairmot_dla34.architectures import HeadSizes
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.openvino.backend import OpenVinoBackend
from fairmot_dla34.backends.openvino.deformable import library, load_operator
from fairmot_dla34.backends.openvino.deformable.replacement import replace_deformable
from fairmot_dla34.backends.openvino.graph import build_model
from fairmot_dla34.backends.openvino.int8_file import Int8Facts, Int8Network, write_int8
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, selfcheck_image
from fairmot_dla34.commands.info import collect_info, info_text
from fairmot_dla34.values import Peaks
from fairmot_dla34.weights import cache_dir

CHANNELS = sorted(
    {shape[1::-1] for name, shape in DLA34.array_shapes(HeadSizes()).items() if name.endswith("conv_dcn.weight")}
)
INSTRUCTIONS = ("portable", "avx2", "avx512")
OPERATOR = load_operator(openvino.Core())

needs_operator = pytest.mark.skipif(OPERATOR.library is None, reason=f"COMPILED OPERATOR ABSENT: {OPERATOR.status}")
needs_bf16 = pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="NO BF16: this CPU does not compute in bf16",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@needs_operator
class TestOneLayer:
    """One layer, compared with OpenVINO's own operations in fp32."""

    @pytest.mark.parametrize("instructions", INSTRUCTIONS)
    @pytest.mark.parametrize("channels", CHANNELS, ids=str)
    def test_fp32_gives_the_same_results(self, channels: tuple[int, int], instructions: str) -> None:
        inputs, weights = random_layer(*channels, height=9, width=13)
        expected = run(layer(inputs, weights), inputs)
        assert expected.std() > 0.3
        np.testing.assert_allclose(run(replaced(inputs, weights, instructions), inputs), expected, atol=5e-5)

    @pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (3, 3), (40, 31)], ids=str)
    def test_maps_of_any_size_give_the_same_results(self, size: tuple[int, int]) -> None:
        inputs, weights = random_layer(64, 64, *size)
        expected = run(layer(inputs, weights), inputs)
        np.testing.assert_allclose(run(replaced(inputs, weights, ""), inputs), expected, atol=5e-5)

    @pytest.mark.parametrize("instructions", ["", *INSTRUCTIONS, "avx512_bf16"])
    def test_bf16_differs_by_its_rounding_only(self, instructions: str) -> None:
        inputs, weights = random_layer(64, 96, 9, 13)
        inputs = [truncated_to_bf16(values) for values in inputs]
        expected = run(layer(inputs, weights), inputs)
        error = np.abs(run(replaced(inputs, weights, instructions, bf16=True), inputs) - expected)
        assert error.max() < 2**-6  # bf16 has 8 bits, the largest values are about 4
        assert np.sqrt(np.mean(error**2)) < 2**-8

    @pytest.mark.parametrize("offset", [np.nan, np.inf, -np.inf, 1e30, -1.0e9, 100.0])
    @pytest.mark.parametrize("instructions", INSTRUCTIONS)
    def test_samples_beyond_the_map_are_zero(self, offset: float, instructions: str) -> None:
        inputs, weights = random_layer(64, 64, 5, 6)
        inputs[1][:, :18] = offset
        result = run(replaced(inputs, weights, instructions), inputs)
        bias = np.broadcast_to(weights["bias"][:, None, None], result.shape[1:])
        np.testing.assert_array_equal(result[0], np.maximum(bias, 0))

    @pytest.mark.parametrize(
        "other",
        [
            {"channels": 48},
            {"channels": 80},
            {"relu": False},
            {"dilations": [2, 2], "pads": [2, 2]},
            {"bilinear_interpolation_pad": False},
            {"plain_mask": True},
            {"bias_shape": (1, 1, 1, 1)},
        ],
        ids=str,
    )
    def test_an_unsupported_layer_is_kept(self, other: dict[str, Any]) -> None:
        channels = other.pop("channels", 64)
        inputs, weights = random_layer(channels, 64, 5, 6)
        model = layer(inputs, weights, **other)
        expected = run(model, inputs)
        assert replace_deformable(model, Path(str(OPERATOR.library)), bf16=False) == 0
        np.testing.assert_array_equal(run(model, inputs), expected)

    def test_two_consecutive_layers_are_both_replaced(self) -> None:
        """The output of the first layer also goes to other operations."""
        inputs, weights = random_layer(64, 64, 9, 13)
        x, offsets_and_mask = (op.parameter(values.shape, np.float32) for values in inputs)
        first = layer_nodes(x, offsets_and_mask, weights)
        second = layer_nodes(first, offsets_and_mask, weights)
        model = openvino.Model([first, second, op.add(first, second)], [x, offsets_and_mask])
        expected = list(openvino.compile_model(model, "CPU", FP32)(inputs).values())
        assert replace_deformable(model, Path(str(OPERATOR.library)), bf16=False) == 2
        core = openvino.Core()
        load_operator(core)
        for result, plain in zip(core.compile_model(model, "CPU", FP32)(inputs).values(), expected, strict=True):
            np.testing.assert_allclose(result, plain, atol=5e-5)


@needs_operator
class TestTheNetwork:
    @pytest.mark.parametrize("for_bf16", [False, True])  # the form of the upsampling after eight of the layers
    def test_all_sixteen_layers_are_replaced_with_equal_results(self, checkpoint: Path, *, for_bf16: bool) -> None:
        core = openvino.Core()
        load_operator(core)
        outputs = []
        for replace in (False, True):
            model = build_model(core, Request(checkpoint, INPUT_SIZE).network, for_bf16=for_bf16)
            if replace:
                assert replace_deformable(model, Path(str(OPERATOR.library)), bf16=False) == 16
                assert "DeformableConvolution" not in operation_types(model)
            outputs.append(list(core.compile_model(model, "CPU", FP32)(selfcheck_image()[None]).values()))
        for plain, compiled in zip(*outputs, strict=True):
            np.testing.assert_allclose(compiled[:50], plain[:50], rtol=2e-3, atol=2e-3)

    @needs_bf16
    def test_bf16_stays_close_to_fp32(self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        compiled = best_peaks(checkpoint, "bf16")
        monkeypatch.setattr(library, "LIBRARY", checkpoint.with_name("none.so"))
        monkeypatch.setattr(library, "installed_library", lambda: None)
        plain, exact = best_peaks(checkpoint, "bf16"), best_peaks(checkpoint, "fp32")
        errors = [np.abs(peaks.scores[:50] - exact.scores[:50]).mean() for peaks in (compiled, plain)]
        assert errors[0] < 4 * errors[1] < 0.01  # the operator rounds samples and weights too, in sixteen layers

    @pytest.mark.serial
    def test_networks_in_parallel_give_the_results_of_one_alone(self, checkpoint: Path) -> None:
        request = Request(checkpoint, INPUT_SIZE, "fp32")
        images = [np.roll(selfcheck_image(), 16 * shift, axis=1) for shift in range(4)]
        alone = [request.load("openvino").infer(image) for image in images]
        with ThreadPoolExecutor(len(images)) as pool:
            backends = list(pool.map(lambda _: request.load("openvino"), images))
            for _ in range(3):
                together = pool.map(lambda backend, image: backend.infer(image), backends, images)
                for one, other in zip(together, alone, strict=True):
                    np.testing.assert_array_equal(one.boxes, other.boxes)

    @pytest.mark.serial
    def test_parallel_requests_of_one_network_give_the_results_of_one_alone(self, checkpoint: Path) -> None:
        core = openvino.Core()
        operator = load_operator(core)
        model = build_model(core, Request(checkpoint, INPUT_SIZE).network)
        operator.put_into(model, bf16=False)
        compiled = core.compile_model(model, "CPU", FP32 | {"NUM_STREAMS": "2"})
        images = [np.roll(selfcheck_image(), 16 * shift, axis=1)[None] for shift in range(6)]
        alone = [compiled(image)[0].copy() for image in images]
        requests = [compiled.create_infer_request() for _ in images]
        for request, image in zip(requests, images, strict=True):
            request.start_async([image])
        for request, expected in zip(requests, alone, strict=True):
            request.wait()
            np.testing.assert_array_equal(request.get_output_tensor(0).data, expected)

    def test_a_network_read_from_an_int8_file_uses_the_operator(self, checkpoint: Path, tmp_path: Path) -> None:
        """The network in the file is fp32, which is read the same way and needs no calibration."""
        request = Request(checkpoint, INPUT_SIZE, "int8")
        xml = tmp_path / "network.xml"
        openvino.save_model(build_model(openvino.Core(), request.network), xml, compress_to_fp16=False)
        network = Int8Network(xml.read_bytes(), xml.with_suffix(".bin").read_bytes())
        write_int8(request.network, network, Int8Facts("random", str(INPUT_SIZE), "none", 0))
        backend = request.load("openvino")
        assert isinstance(backend, OpenVinoBackend)
        runtime_model = backend._requests.get().get_compiled_model().get_runtime_model()
        types = [node.get_rt_info()["layerType"].astype(str) for node in runtime_model.get_ops()]
        assert types.count("Reference") == 16
        assert "DeformableConvolution" not in types


class TestWithoutTheOperator:
    """Installed without a compiler, with another OpenVINO, or damaged: OpenVINO's own runs, and `info` reports it."""

    @pytest.fixture(
        params=[
            "absent",
            "of another release",
            "of other sources",
            "cut short",
            "not a library",
            "refused by the loader",
        ]
    )
    def no_operator(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        path = tmp_path / "libfairmot_deformable.so"
        case: str = request.param
        if case not in {"absent", "not a library", "refused by the loader"} and OPERATOR.library is None:
            pytest.skip(f"COMPILED OPERATOR ABSENT: {OPERATOR.status}")
        if case == "of another release":
            content = library._OPENVINO.sub(b"libopenvino.so.2511\0", built())
            path.write_bytes(content)
        elif case == "of other sources":
            path.write_bytes(library._SOURCES.sub(b"fairmot_deformable sources " + b"0" * 64 + b"\0", built()))
        elif case == "cut short":
            path.write_bytes(built()[:-5000])
        elif case != "absent":
            path.write_bytes(b"\x7fELF" + bytes(1000))
        if case == "refused by the loader":
            monkeypatch.setattr(library, "check", lambda *_: None)
        monkeypatch.setattr(library, "LIBRARY", path)
        monkeypatch.setattr(library, "installed_library", lambda: None)
        return case

    def test_the_network_runs_and_info_gives_the_reason(self, no_operator: str, checkpoint: Path) -> None:
        expected = {
            "absent": r"run pip install|the build needs a C\+\+ compiler",  # in a source tree, or installed
            "of another release": r"was built with OpenVINO 2025\.1\.1, but .* pip install openvino==2025\.1\.1",
            "of other sources": "was built from other sources",
            "cut short": "is damaged; install the package again",
            "not a library": "is damaged; install the package again",
            "refused by the loader": "libfairmot_deformable",
        }[no_operator]
        operator = load_operator(openvino.Core())
        assert operator.library is None
        assert "\n" not in operator.status
        assert re.search(f"OpenVINO's own, which is slower: .*(?:{expected})", operator.status)
        assert len(best_peaks(checkpoint, "fp32"))

    @needs_operator
    def test_networks_compiled_with_and_without_the_operator_are_kept_apart(
        self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiled = best_peaks(checkpoint, "fp32", keep_compiled=True)
        monkeypatch.setattr(library, "LIBRARY", checkpoint.with_name("none.so"))
        monkeypatch.setattr(library, "installed_library", lambda: None)
        plain = best_peaks(checkpoint, "fp32", keep_compiled=True)
        assert len(list((cache_dir() / "compiled").glob("*.blob"))) == 2
        np.testing.assert_allclose(compiled.scores, plain.scores, atol=1e-3)


def test_info_reports_the_operator() -> None:
    assert f"\ndeformable convolutions: {OPERATOR.status}\n" in info_text(collect_info())


FP32 = {"INFERENCE_PRECISION_HINT": "f32"}


def random_layer(channels: int, outputs: int, height: int, width: int) -> tuple[list[NDArray[np.float32]], Arrays]:
    """Return inputs (the map; offsets of up to six cells and logits of the mask) and weights of a layer."""
    generator = np.random.default_rng(7)
    x = generator.normal(size=(1, channels, height, width)).astype(np.float32)
    offsets_and_mask = generator.uniform(-6, 6, (1, 27, height, width)).astype(np.float32)
    offsets_and_mask[0, :4] = np.round(offsets_and_mask[0, :4])  # exactly on a cell
    kernel = generator.normal(0, 1 / np.sqrt(3 * channels), (outputs, channels, 3, 3)).astype(np.float32)
    bias = generator.normal(size=outputs).astype(np.float32)
    return [x, offsets_and_mask], {"kernel": kernel, "bias": bias}


def layer(inputs: list[NDArray[np.float32]], weights: Arrays, **other: Any) -> openvino.Model:
    x, offsets_and_mask = (op.parameter(values.shape, np.float32) for values in inputs)
    return openvino.Model([layer_nodes(x, offsets_and_mask, weights, **other)], [x, offsets_and_mask])


def built() -> bytes:
    """Return the content of the compiled library."""
    assert OPERATOR.library
    return OPERATOR.library.read_bytes()


def layer_nodes(
    x: openvino.Node,
    offsets_and_mask: openvino.Node,
    weights: Arrays,
    *,
    relu: bool = True,
    plain_mask: bool = False,
    bias_shape: tuple[int, ...] = (1, -1, 1, 1),
    dilations: tuple[int, int] = (1, 1),
    pads: tuple[int, int] = (1, 1),
    bilinear_interpolation_pad: bool = True,
) -> openvino.Node:
    """Build the layer of OpenVINO's own operations."""
    split = op.variadic_split(offsets_and_mask, op.constant(np.int64(1)), op.constant(np.array([18, 9])))
    y = op.deformable_convolution(
        x,
        split.output(0),
        op.constant(weights["kernel"]),
        [1, 1],
        list(pads),
        list(pads),
        list(dilations),
        mask=split.output(1) if plain_mask else op.sigmoid(split.output(1)),
        bilinear_interpolation_pad=bilinear_interpolation_pad,
    )
    bias = weights["bias"] if -1 in bias_shape else weights["bias"][:1]
    y = op.add(y, op.constant(bias.reshape(bias_shape)))
    return op.relu(y) if relu else y


def replaced(
    inputs: list[NDArray[np.float32]], weights: Arrays, instructions: str, *, bf16: bool = False
) -> openvino.Model:
    """Build the layer of the compiled operator; skip the test if the CPU lacks the instructions."""
    model = layer(inputs, weights)
    try:
        assert replace_deformable(model, Path(str(OPERATOR.library)), bf16=bf16, instructions=instructions) == 1
    except RuntimeError as error:
        assert f"no instructions '{instructions}'" in str(error)  # noqa: PT017
        pytest.skip(f"NO {instructions.upper()}: this CPU lacks it")
    return model


def run(model: openvino.Model, inputs: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    core = openvino.Core()
    load_operator(core)
    output: NDArray[np.float32] = core.compile_model(model, "CPU", FP32)(inputs)[0]
    return output


def truncated_to_bf16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)


def best_peaks(checkpoint: Path, precision: str, *, keep_compiled: bool = False) -> Peaks:
    request = Request(checkpoint, INPUT_SIZE, precision, keep_compiled=keep_compiled)
    return request.load("openvino").infer(selfcheck_image())


def operation_types(model: openvino.Model) -> set[str]:
    return {node.get_type_name() for node in model.get_ops()}
