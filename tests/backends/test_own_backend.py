"""A backend defined outside the package is chosen by its name like the others.

docs/extending.md shows the part between the markers.
"""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

from collections.abc import Iterator

import pytest
from videos import walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends import backend_names, register_backend, unregister_backend
from fairmot_dla34.errors import BackendUnavailableError, InvalidInputError

# isort: split
# example: start
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.architectures import Network
from fairmot_dla34.backends import BackendKind
from fairmot_dla34.backends.base import Backend, BackendInfo, BackendOptions, only_fp32
from fairmot_dla34.values import Peaks


class ReferenceBackend(Backend):
    """Runs networks in onnx's reference evaluator: slow, and written in NumPy alone."""

    def __init__(self, network: Network, options: BackendOptions) -> None:
        from onnx import __version__, load_model_from_string
        from onnx.reference import ReferenceEvaluator

        precision = only_fp32("reference", options.precision)
        super().__init__(BackendInfo("reference", __version__, "CPU", precision), network.input_size)
        self._architecture = network.architecture
        self._session: Any = ReferenceEvaluator(load_model_from_string(network.serialized_onnx()))

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:  # the base class lets one thread in at a time
        outputs = self._session.run(list(self._architecture.output_names), {"image": image[None]})
        return self._architecture.decode(outputs, self.input_size)


REFERENCE = BackendKind("reference", ReferenceBackend, packages=("onnx",), install="pip install onnx")
# example: end


@pytest.fixture(autouse=True)
def _reference() -> Iterator[None]:
    register_backend(REFERENCE)
    yield
    unregister_backend("reference")


def test_it_is_chosen_by_its_name_and_gives_the_answers_of_openvino() -> None:
    image = next(walking_boxes(1))
    with FairMOT("sample", backend="reference", input_size="64x32") as model:
        assert str(model.backend.info).startswith("reference ")
        found = model.detect(image, min_score=0.0)
    with FairMOT("sample", precision="fp32", input_size="64x32") as model:
        expected = model.detect(image, min_score=0.0)
    np.testing.assert_allclose(found.scores[:5], expected.scores[:5], atol=1e-4)
    np.testing.assert_allclose(found.boxes[:5], expected.boxes[:5], atol=1e-2)


def test_a_precision_it_lacks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="fp32 only"):
        FairMOT("sample", backend="reference", precision="bf16", input_size="64x32")


def test_its_name_is_taken_once_and_its_package_is_required() -> None:
    assert "reference" in backend_names()
    for name in ("auto", "openvino"):
        with pytest.raises(InvalidInputError, match=r"already registered|means a choice"):
            register_backend(BackendKind(name, ReferenceBackend))
    register_backend(BackendKind("absent", ReferenceBackend, ("no_such_package",), "pip install no_such_package"))
    with pytest.raises(BackendUnavailableError, match="pip install no_such_package"):
        FairMOT(backend="absent")
    unregister_backend("absent")
