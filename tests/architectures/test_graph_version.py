"""A change of the graph must raise its version: kept networks in users' caches are named by it."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest

from fairmot_dla34.architectures import Network
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.openvino import graph
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, random_checkpoint

# If one of these fails and the change is meant: raise the version beside the code, and add the new digest here.
DLA34_GRAPHS = {1: ("d457e80f23b155b2", "21dd327347167924")}
OPENVINO_GRAPHS = {(1, "2026.4.1"): ("be77c6a6bdc6ee85", "dc7dde7b4729162b")}  # OpenVINO's reader is part of it


def digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def networks() -> list[Network]:
    """One with deformable layers and one with plain ones."""
    deformable = random_checkpoint()
    plain = {name: np.zeros_like(a) if "conv_offset" in name else a for name, a in deformable.arrays.items()}
    return [Network(deformable, INPUT_SIZE), Network(type(deformable)(DLA34, plain), INPUT_SIZE)]


def test_the_onnx_graph_of_dla34() -> None:
    found = []
    for network in networks():
        model = onnx.load_model_from_string(network.serialized_onnx())
        nodes = [
            f"{node.op_type} {node.name} {list(node.input)} "
            + " ".join(sorted(f"{a.name}={onnx.helper.get_attribute_value(a)}" for a in node.attribute))
            for node in model.graph.node
        ]
        constants = [f"{constant.name} {list(constant.dims)}" for constant in model.graph.initializer]
        found.append(digest(nodes + constants))
    assert DLA34_GRAPHS[DLA34.graph_version] == tuple(found)


def test_the_graphs_that_openvino_compiles() -> None:
    openvino = pytest.importorskip("openvino")
    key = graph.GRAPH_VERSION, openvino.__version__.split("-")[0]
    if key[1] not in {release for _, release in OPENVINO_GRAPHS}:
        pytest.skip(f"OPENVINO {key[1]}: its graphs were not recorded")
    found = []
    for for_bf16 in (False, True):
        model = graph.build_model(openvino.Core(), networks()[0], for_bf16=for_bf16)
        found.append(
            digest(
                sorted(
                    f"{op.get_type_name()} {[out.get_partial_shape() for out in op.outputs()]}"
                    for op in model.get_ops()
                )
            )
        )
    assert OPENVINO_GRAPHS[key] == tuple(found)
