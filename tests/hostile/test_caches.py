"""Damaged, swapped and foreign files in the cache of compiled and int8 networks never change a result."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from networks import Request, write_random_checkpoint
from numpy.typing import NDArray
from trials import Trials

from fairmot_dla34.backends.openvino import sealed_file
from fairmot_dla34.backends.openvino.int8_file import Int8Facts, Int8Network, list_int8, write_int8
from fairmot_dla34.backends.openvino.sealed_file import read_header, read_sealed, write_sealed
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import NotQuantizedError
from fairmot_dla34.values import Peaks
from fairmot_dla34.weights import cache_dir

SIZE = InputSize(64, 64)
IMAGE: NDArray[np.uint8] = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def other_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture
def blob(checkpoint: Path) -> Path:
    """Return the compiled network of the checkpoint in the cache of this test."""
    detect(checkpoint)
    (path,) = compiled_files()
    return path


@pytest.fixture(scope="module")
def expected(checkpoint: Path) -> Peaks:
    return Request(checkpoint, SIZE, "fp32", keep_compiled=False).load("openvino").infer(IMAGE)


def test_random_damage_is_always_found(tmp_path: Path, trials: Trials) -> None:
    path = tmp_path / "small.blob"
    write_sealed(path, "key", {"ports": "image"}, seeded(1).randbytes(20_000))
    content = path.read_bytes()
    chance = seeded(11)
    for index in range(120):
        path.write_bytes(damaged(content, chance, chance.choice([1, 2, 5]), len(content)))
        with trials("sealed file, damaged bytes", index), pytest.raises(sealed_file.SealError):
            read_sealed(path, "key")
    for index in range(60):
        path.write_bytes(content[: chance.randrange(len(content))])
        with trials("sealed file, cut short", index), pytest.raises(sealed_file.SealError):
            read_sealed(path, "key")


@pytest.mark.slow
def test_random_damage_of_a_real_network_is_always_found(blob: Path, trials: Trials) -> None:
    """A few bytes anywhere, and five in the first 2,000: such damage once changed the tracks."""
    content = blob.read_bytes()
    chance = seeded(12)
    for index in range(80):
        blob.write_bytes(damaged(content, chance, 5, 2000 if index % 2 else len(content)))
        with trials("compiled network, damaged bytes", index), pytest.raises(sealed_file.SealError):
            read_sealed(blob, blob.stem)


def test_five_bytes_of_the_first_2000(
    blob: Path, checkpoint: Path, expected: Peaks, trials: Trials, caplog: pytest.LogCaptureFixture
) -> None:
    blob.write_bytes(damaged(blob.read_bytes(), seeded(13), 5, 2000))
    with trials("compiled network, start with damage", "five bytes"):
        assert_replaced(blob, checkpoint, expected, caplog)


@pytest.mark.slow
def test_a_start_with_damage_gives_the_same_detections(
    blob: Path, checkpoint: Path, expected: Peaks, trials: Trials, caplog: pytest.LogCaptureFixture
) -> None:
    content = blob.read_bytes()
    start = content.index(b"RR_UPCVO")  # of what OpenVINO wrote
    damages: dict[str, bytes] = {
        "empty": b"",
        "text": b"not a network\n",
        "random": seeded(2).randbytes(1000),
        "without its header": content[start:],
        "longer": content + b"\0",
        "half": content[: len(content) // 2],
    }
    for index in range(4):
        damages[f"five bytes, {index}"] = damaged(content, seeded(index), 5, 2000)
    for name, damaged_content in damages.items():
        blob.write_bytes(damaged_content)
        with trials("compiled network, start with damage", name):
            assert_replaced(blob, checkpoint, expected, caplog)


@pytest.mark.slow
def test_networks_of_others_under_this_name(
    blob: Path, checkpoint: Path, other_checkpoint: Path, expected: Peaks, trials: Trials
) -> None:
    others: dict[str, Callable[[], object]] = {
        "other weights": lambda: detect(other_checkpoint),
        "another input size": lambda: Request(checkpoint, InputSize(96, 64), "fp32").load("openvino"),
        "other threads": lambda: Request(checkpoint, SIZE, "fp32").load("openvino", threads=1),
        "other streams": lambda: Request(checkpoint, SIZE, "fp32").load("openvino", streams=2),
        "another precision": lambda: Request(checkpoint, SIZE, "auto").load("openvino"),
    }
    for name, make in others.items():
        before = set(compiled_files())
        make()
        new = set(compiled_files()) - before
        if not new:  # a processor without bf16: auto is fp32
            continue
        shutil.copy(new.pop(), blob)
        with trials("compiled network, of another", name):
            assert_same(detect(checkpoint), expected)


@pytest.mark.slow
def test_a_network_that_was_sealed_under_a_wrong_key(
    blob: Path, checkpoint: Path, other_checkpoint: Path, expected: Peaks, trials: Trials
) -> None:
    """Its digests are right, but its inputs and outputs are not those of the network."""
    Request(checkpoint, InputSize(96, 64), "fp32").load("openvino")
    (other,) = (path for path in compiled_files() if path != blob)
    header, content = read_sealed(other, other.stem)
    write_sealed(blob, blob.stem, header.facts, content)
    with trials("compiled network, of another", "sealed again"):
        assert_same(detect(checkpoint), expected)


@pytest.mark.slow
def test_what_is_not_a_file(blob: Path, checkpoint: Path, expected: Peaks, trials: Trials) -> None:
    def link_to_itself() -> None:
        blob.symlink_to(blob)

    kinds: dict[str, Callable[[], None]] = {"folder": blob.mkdir, "link to itself": link_to_itself}
    if hasattr(os, "mkfifo"):
        kinds["FIFO"] = lambda: os.mkfifo(blob)
    for name, make in kinds.items():
        blob.unlink()
        make()
        with trials("compiled network, not a file", name):
            assert_same(detect(checkpoint), expected)
            if name == "folder":
                assert_same(detect(checkpoint), expected)
                blob.rmdir()
                detect(checkpoint)
            assert blob.is_file()


@pytest.mark.slow
def test_a_cache_that_cannot_be_written(
    checkpoint: Path, expected: Peaks, trials: Trials, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    homes = {"below a file": tmp_path / "file" / "home", "a device": Path("/dev/null"), "full": Path("/proc/self/x")}
    for name, home in homes.items():
        monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(home))
        with trials("cache not writable", name):
            assert_same(detect(checkpoint), expected)


def test_a_full_disk(checkpoint: Path, expected: Peaks, trials: Trials, tmp_path: Path) -> None:
    """The limit on file sizes ends a write like a full disk does."""
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))\n"
        "from hostile.test_caches import *\n"
        "print(len(detect(Path(sys.argv[1]))))"
    )
    with trials("cache not writable", "disk full"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(checkpoint), str(Path(__file__).parents[1])],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"FAIRMOT_DLA34_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert done.stdout.strip() == str(len(expected))
        assert not [path for path in (tmp_path / "compiled").iterdir() if path.suffix == ".tmp"]


def test_files_of_killed_writers_are_removed(blob: Path, checkpoint: Path) -> None:
    old, young = (blob.with_name(f"{name}.tmp") for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"part")
    os.utime(old, (1e9, 1e9))
    blob.unlink()
    detect(checkpoint)
    assert not old.exists()
    assert young.exists()  # another process may be writing it


@pytest.mark.slow
def test_processes_that_start_at_the_same_time(checkpoint: Path, expected: Peaks, trials: Trials) -> None:
    code = (
        "import sys; from pathlib import Path; from hostile.test_caches import *\n"
        "peaks = detect(Path(sys.argv[1])); print(json.dumps(peaks.scores.tolist()))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}

    def start(_: int) -> list[float]:
        command = [sys.executable, "-c", code, str(checkpoint)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        scores: list[float] = json.loads(done.stdout)
        return scores

    for name in ("empty cache", "damaged file", "sound file"):
        if name == "damaged file":
            compiled_files()[0].write_bytes(b"damaged")
        with ThreadPoolExecutor(6) as pool:
            for index, scores in enumerate(pool.map(start, range(6))):
                with trials("compiled network, six processes", f"{name}, {index}"):
                    np.testing.assert_allclose(scores, expected.scores, atol=1e-6)
        with trials("compiled network, six processes", f"{name}, the file"):
            (path,) = compiled_files()
            read_sealed(path, path.stem)


def test_int8_files_that_are_not_the_one(checkpoint: Path, other_checkpoint: Path, trials: Trials) -> None:
    request, facts = Request(checkpoint, SIZE, "int8"), Int8Facts("x.npz", "64x64", "street", 20)
    network = Int8Network(b"<net/>" * 100, bytes(5000))
    other = write_int8(Request(other_checkpoint, SIZE).network, network, facts).read_bytes()
    path = write_int8(request.network, network, facts)
    content = path.read_bytes()
    chance = seeded(4)
    damages: dict[str, bytes] = {
        "of other weights": other,
        "empty": b"",
        "text": b"not a network",
        "random": chance.randbytes(1000),
        "an archive of an earlier release": b"PK\x03\x04" + bytes(500),
        "longer": content + b"\0",
    }
    for index in range(60):
        damages[f"one byte, {index}"] = damaged(content, chance, 1, len(content))
    for name, damaged_content in damages.items():
        path.write_bytes(damaged_content)
        with trials("int8 network, damaged", name), pytest.raises(NotQuantizedError, match=r"damaged .* quantize --w"):
            request.load("openvino")


def test_the_list_of_int8_files_reads_little_of_untrusted_ones(checkpoint: Path, trials: Trials) -> None:
    network = Request(checkpoint, SIZE).network
    facts = Int8Facts("x.npz", "64x64", "street", 20)
    content = write_int8(network, Int8Network(b"<net/>", bytes(50)), facts).read_bytes()
    folder = cache_dir() / "quantized"
    huge = sealed_file._MAGIC + (2**32 - 1).to_bytes(4, "little") + bytes(32)
    for name, damaged_content in {
        "a header of 4 GB": huge + bytes(100),
        "cut": content[:100],
        "empty": b"",
        "a zip of zeros": b"PK\x05\x06" + bytes(18),
    }.items():
        (folder / "0.int8").write_bytes(damaged_content)
        with trials("int8 network, list", name):
            assert list_int8() == [facts]
    for name, other in {
        "nested": {"weights": [[[[]]]], "input_size": "", "calibration": "", "frames": 1, "xml_bytes": 1},
        "no fields": {},
        "a wrong number": {"weights": "", "input_size": "", "calibration": "", "frames": True, "xml_bytes": 1},
        "a negative length": {"weights": "", "input_size": "", "calibration": "", "frames": 1, "xml_bytes": -1},
    }.items():
        write_sealed(folder / "0.int8", "key", other, b"")
        with trials("int8 network, list", name):
            assert list_int8() == [facts]
    with (folder / "0.int8").open("wb") as file:
        file.truncate(10**12)  # sparse
    with trials("int8 network, list", "a file of 1 TB"):
        assert list_int8() == [facts]
        with pytest.raises(sealed_file.SealError):
            read_header(folder / "0.int8")


def detect(checkpoint: Path) -> Peaks:
    """Load the network as a new process does, and run it on one image."""
    return Request(checkpoint, SIZE, "fp32").load("openvino").infer(IMAGE)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (damage, not keys)


def damaged(content: bytes, chance: random.Random, count: int, end: int) -> bytes:
    """Change ``count`` bytes among the first ``end``."""
    result = bytearray(content)
    for position in chance.sample(range(end), count):
        result[position] ^= chance.randrange(1, 256)
    return bytes(result)


def assert_replaced(blob: Path, checkpoint: Path, expected: Peaks, caplog: pytest.LogCaptureFixture) -> None:
    """Assert that a start gives the expected peaks, logs one line, and leaves a sound file."""
    caplog.clear()
    assert_same(detect(checkpoint), expected)
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == 1
    assert "is not usable" in lines[0]
    read_sealed(blob, blob.stem)


def assert_same(found: Peaks, expected: Peaks) -> None:
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.scores, expected.scores)


def compiled_files() -> list[Path]:
    return sorted((cache_dir() / "compiled").glob("*.blob"))
