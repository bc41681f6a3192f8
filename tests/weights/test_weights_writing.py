"""Writer of checkpoints: every reader gets the same arrays, and a full disk costs no earlier file."""

from __future__ import annotations

import hashlib
import pickle
import pickletools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disk_limits import file_size_limit

from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import OutputError
from fairmot_dla34.weights import load_checkpoint, write_pdparams
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME
from fairmot_dla34.weights.formats import open_arrays

DIGEST = "bbf53b0fe482346d2bff0405db521b797a7e9b7e3041b2fc320eadad36acd6cb"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "best.pdparams"


def test_a_written_network_is_read_exactly(path: Path) -> None:
    wanted = random_checkpoint().arrays
    write_pdparams(path, wanted)
    arrays = load_checkpoint(path).arrays
    assert arrays.keys() == wanted.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, wanted[name])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_any_shape_and_memory_layout_is_written(path: Path) -> None:
    """Python's pickler must read it too; NumPy 2 warns of most names of numpy.core."""
    numbers = np.arange(24.0).reshape(2, 3, 4)
    wanted = {
        "double": numbers,
        "half": numbers.astype(np.float16),
        "big_endian": numbers.astype(">f4"),
        "fortran": np.asfortranarray(numbers),
        "strided": numbers[:, ::2],
        "without_numbers": np.zeros((0, 3)),
        "scalar": np.float32(2.5),
        "extreme": np.array([np.nan, np.inf, -0.0, 1e-45], np.float32),
        "weiß": np.ones(1, np.float32),
    }
    write_pdparams(path, wanted)
    with open_arrays(path) as found:
        ours = {name: array.read() for name, array in found.items()}
    pythons = pickle.loads(path.read_bytes())
    for arrays in (ours, pythons):
        assert list(arrays) == sorted(wanted)
        for name, array in arrays.items():
            assert array.dtype == np.dtype("<f4")
            np.testing.assert_array_equal(array, np.asarray(wanted[name], np.float32))


def test_the_same_arrays_give_the_same_bytes(path: Path) -> None:
    """The digest holds for every version of NumPy and every order of the arrays."""
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.full((1,), 2**-7, np.float32)}
    for given in (arrays, dict(reversed(arrays.items()))):
        write_pdparams(path, given)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == DIGEST


def test_no_name_is_one_that_numpy_1_lacks(path: Path) -> None:
    """PaddleDetection needs NumPy 1, and a pickle of NumPy 2 names numpy._core."""
    write_pdparams(path, {"a": np.zeros(1)})
    names = {argument for code, argument, _ in pickletools.genops(path.read_bytes()) if code.name == "GLOBAL"}
    assert names == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
def test_a_full_disk_leaves_the_earlier_file(path: Path) -> None:
    write_pdparams(path, {"a": np.zeros(10)})
    before = path.read_bytes()
    with file_size_limit(100_000), pytest.raises(OutputError, match=r"best\.pdparams cannot be written \(File too"):
        write_pdparams(path, {"a": np.zeros(100_000)})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_in_place_of_the_folder_is_reported(path: Path) -> None:
    path.parent.write_bytes(b"")
    with pytest.raises(OutputError, match="a file exists where a folder is needed"):
        write_pdparams(path, {"a": np.zeros(1)})


@pytest.mark.paddle
@pytest.mark.filterwarnings("default")
def test_paddledetection_reads_a_written_checkpoint(path: Path) -> None:
    """By ``paddle.load``, by the function with which its Trainer loads a start, and with equal outputs."""
    import paddle
    from networks import Request, write_checkpoint, write_random_checkpoint
    from ppdet.utils.checkpoint import load_pretrain_weight

    from fairmot_dla34.backends.selfcheck import INPUT_SIZE, selfcheck_image

    wanted = random_checkpoint().arrays
    write_pdparams(path, {**wanted, INPUT_SIZE_NAME: np.array([256, 160])})
    loaded = paddle.load(str(path))
    assert loaded.keys() == {*wanted, INPUT_SIZE_NAME}
    assert all(np.array_equal(loaded[name], wanted[name]) for name in wanted)

    reference = write_checkpoint(path.with_name("reference.npz"), wanted)
    backends: list[Any] = [
        Request(file, INPUT_SIZE, "fp32").load("paddledet")
        for file in (path, write_random_checkpoint(path.parent, seed=1), reference)
    ]
    ours, pretrained, right = backends
    load_pretrain_weight(pretrained._model, str(path))
    for name in ("boxes", "scores", "embeddings"):
        expected = getattr(right.infer(selfcheck_image()), name)
        for backend in (ours, pretrained):
            np.testing.assert_array_equal(getattr(backend.infer(selfcheck_image()), name), expected)
