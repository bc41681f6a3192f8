"""Several videos in several threads: each gives what it gives alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from videos import walking_boxes

from fairmot_dla34 import FairMOT, FrameResult
from fairmot_dla34.backends import BackendOptions, create_backend
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, StateError
from fairmot_dla34.weights import resolve_network

pytestmark = pytest.mark.serial

SIZE = "320x192"
FRAMES = 6
PEOPLE = (1, 2, 3, 2)


def clip(index: int) -> Iterator[NDArray[np.uint8]]:
    return walking_boxes(FRAMES, people=PEOPLE[index])


def real_model() -> FairMOT:
    return FairMOT("sample", input_size=SIZE, precision="fp32", threads=1)


@pytest.fixture(scope="module")
def alone() -> list[list[FrameResult]]:
    with real_model() as model:
        return [list(model.track(clip(index))) for index in range(len(PEOPLE))]


def test_four_threads_with_a_model_each(alone: list[list[FrameResult]]) -> None:
    def job(index: int) -> list[FrameResult]:
        with real_model() as model:
            return list(model.track(clip(index)))

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        assert list(pool.map(job, range(len(PEOPLE)))) == alone


@pytest.mark.parametrize("streams", [1, 2])
def test_four_threads_on_one_model(alone: list[list[FrameResult]], streams: int) -> None:
    with (
        FairMOT("sample", input_size=SIZE, precision="fp32", threads=streams, streams=streams) as model,
        ThreadPoolExecutor(len(PEOPLE)) as pool,
    ):
        together = list(pool.map(lambda index: list(model.track(clip(index))), range(len(PEOPLE))))
    assert together == alone


def test_two_models_on_one_backend_and_the_caller_closes_it() -> None:
    network = resolve_network("sample", SIZE)
    with create_backend("openvino", network, BackendOptions("fp32")) as backend:
        first, second = (FairMOT.from_backend(backend, tracker=method) for method in ("jde", "byte"))
        before = list(second.track(clip(1)))
        first.close()
        assert list(second.track(clip(1))) == before
        with pytest.raises(StateError, match="closed"):
            first.track(clip(1))
    with pytest.raises(StateError, match="closed"):
        list(second.track(clip(1)))


FIRST_USE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from fairmot_dla34 import FairMOT
def load(_):
    FairMOT("sample", input_size="64x64", precision="fp32").close()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(load, range(4)))
print("openvino_telemetry" in sys.modules)
"""


def test_four_threads_may_import_openvino_for_the_first_time_together() -> None:
    """They used to remove the same entry of sys.modules: three of four failed."""
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr


def test_a_backend_object_in_place_of_a_name_is_refused_with_the_way_to_pass_it() -> None:
    with pytest.raises(InvalidInputError, match=r"FairMOT\.from_backend\(backend\)"):
        FairMOT(backend=FakeBackend())  # type: ignore[arg-type]


def test_a_missing_source_is_an_error_of_the_call_and_not_of_the_first_result(tmp_path: Path) -> None:
    model = FairMOT.from_backend(FakeBackend())
    with pytest.raises(OSError, match=r"nowhere\.mp4"):
        model.track(tmp_path / "nowhere.mp4")
    for wrong in ({"frame_stride": 0}, {"fill_gaps": -1}, {"frame_rate": -1.0}):
        with pytest.raises(InvalidInputError, match=next(iter(wrong))):
            model.track(walking_boxes(1), **wrong)
