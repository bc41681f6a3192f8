"""``.pth`` files between this package and PyTorch: the reader equals ``torch.load``, which reads what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights.formats import StoredArray, open_arrays, reported_errors
from fairmot_dla34.weights.formats.pth_writing import write_pth

pytestmark = pytest.mark.train
torch: Any = pytest.importorskip("torch", reason="TORCH ABSENT: these tests compare with PyTorch")


def layouts() -> dict[str, Any]:
    """Return tensors of every type and of every layout in memory."""
    torch.manual_seed(1)
    base = torch.randn(50)
    types = ("float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
    tensors = {name: (torch.randn(3, 5) * 3).to(getattr(torch, name)) for name in (*types, "complex64", "complex128")}
    return {
        **tensors,
        "transposed": torch.randn(3, 5).t(),
        "bfloat16 transposed": torch.randn(3, 5).bfloat16().t(),
        "channels last": torch.randn(2, 8, 4, 4).contiguous(memory_format=torch.channels_last),
        "slice": torch.randn(100, 100)[::7, 3:50:5],
        "columns far apart": torch.randn(300, 4000)[:, ::1000],
        "expanded": torch.randn(5, 1).expand(5, 9),
        "one side": torch.randn(1, 3, 1)[:, :2],
        "scalar": torch.tensor(5.0),
        "empty": torch.zeros(0, 3),
        "shared, first": base[10:20],
        "shared, second": base[15:40],
        "parameter": torch.nn.Parameter(torch.randn(4)),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("is_legacy", [False, True], ids=["zip", "before 1.6"])
def test_every_tensor_is_read_as_pytorch_reads_it(is_legacy: bool, protocol: int, tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    state = {**network.state_dict(), **layouts()}
    path = tmp_path / "x.pth"
    content = {"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict()}
    torch.save(content, path, _use_new_zipfile_serialization=not is_legacy, pickle_protocol=protocol)
    loaded = torch.load(path, weights_only=True)["state_dict"] if protocol == 2 else state
    with open_arrays(path) as stored:
        assert list(stored) == list(loaded)
        for name, array in stored.items():
            expect_equal(array, loaded[name])


def expect_equal(stored: StoredArray, tensor: Any) -> None:
    array = stored.read()
    tensor = tensor.detach()
    expected = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()
    assert array.dtype == expected.dtype
    assert array.shape == expected.shape == stored.shape
    assert array.tobytes() == expected.tobytes()


def test_a_plain_state_dictionary_is_read(tmp_path: Path) -> None:
    """With the ``_metadata`` that `torch.nn.Module.state_dict` gives it."""
    state = torch.nn.Linear(3, 2).state_dict()
    torch.save(state, tmp_path / "x.pth")
    with open_arrays(tmp_path / "x.pth") as stored:
        assert list(stored) == ["weight", "bias"]
        expect_equal(stored["weight"], state["weight"])


def test_a_file_without_check_sums_is_read(tmp_path: Path) -> None:
    if not hasattr(torch.serialization, "set_crc32_options"):
        pytest.skip("this PyTorch always writes check sums")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.arange(3.0)}, tmp_path / "x.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    with open_arrays(tmp_path / "x.pth") as stored:
        assert stored["a"].read().tolist() == [0, 1, 2]


def test_pytorch_reads_what_is_written(tmp_path: Path) -> None:
    generator, path = np.random.default_rng(3), tmp_path / "x.pth"
    shapes = {"a": (3, 4, 5), "b": (2,), "c": (), "d": (0, 3), "fairmot_dla34.input_size": (2,)}
    arrays: dict[str, Any] = {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["transposed"] = generator.normal(size=(4, 6)).astype(np.float32).T
    half: dict[str, Any] = {"half": generator.normal(size=(3, 3)).astype(np.float16)}
    write_pth(path, {**arrays, **half})
    for options in ({}, {"mmap": True}):
        loaded = torch.load(path, map_location="cpu", weights_only=True, **options)
        assert loaded.pop("epoch") == 0
        assert list(loaded) == ["state_dict", "fairmot_dla34.input_size"]
        tensors = {**loaded.pop("state_dict"), **loaded}
        assert tensors.keys() == {**arrays, **half}.keys()
        for name, array in {**arrays, **half}.items():
            assert tensors[name].numpy().dtype == array.dtype
            np.testing.assert_array_equal(tensors[name].numpy(), array)
            assert not tensors[name].numel() or tensors[name].data_ptr() % 64 == 0


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        torch.zeros(2),
        {"epoch": 1, "model": {"a": torch.zeros(2)}},
        {"a": torch.zeros(2).to_sparse()},
        torch.nn.Linear(2, 2),
        {"a": torch.zeros(2, dtype=torch.complex64).conj()},
        {"a": torch.zeros(2), "opt": Path("x")},
    ],
)
@pytest.mark.parametrize("is_legacy", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.filterwarnings("ignore")
def test_other_content_is_refused(value: object, is_legacy: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save(value, path, _use_new_zipfile_serialization=not is_legacy)
    with pytest.raises(CheckpointError, match=r"x\.pth is not read"), open_arrays(path), reported_errors(path):
        pass


@pytest.mark.filterwarnings("ignore")
def test_a_program_of_torchscript_is_named(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="TorchScript"), open_arrays(tmp_path / "x.pth"):
        pass
