"""Concurrency belongs to the backend: any thread may call it, and only as many as it says run at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from networks import Request
from numpy.typing import NDArray

from fairmot_dla34.backends import BackendOptions, installed
from fairmot_dla34.backends.cpus import affinity_cpus, cpu_quota, usable_cpus
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, random_checkpoint, selfcheck_image
from fairmot_dla34.errors import InvalidInputError, StateError
from fairmot_dla34.values import Peaks


class CountingBackend(FakeBackend):
    """Notes how many images are processed at the same time."""

    def __init__(self, streams: int) -> None:
        super().__init__(streams=streams)
        self.running = self.most = 0
        self.released = False
        self._lock = threading.Lock()

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.02)
        with self._lock:
            self.running -= 1
        return super()._infer(image)

    def _release(self) -> None:
        assert self.running == 0
        self.released = True


IMAGE = np.zeros((192, 320, 3), np.uint8)


@pytest.mark.parametrize("streams", [1, 3])
def test_no_more_images_run_at_once_than_the_backend_says(streams: int) -> None:
    backend = CountingBackend(streams)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(backend.infer, [IMAGE] * 24))
    assert backend.most == streams


@pytest.mark.serial
def test_the_wait_for_others_is_not_counted_as_network_time() -> None:
    backend = CountingBackend(1)
    with ThreadPoolExecutor(6) as pool:
        seconds = [seconds for _, seconds in pool.map(backend.infer_timed, [IMAGE] * 6)]
    assert sum(seconds) < 6 * 0.02 * 3  # 6 * 7 / 2 times 0.02 with the waits


@pytest.mark.parametrize("streams", [1, 2])
def test_close_waits_for_running_images_and_refuses_waiting_ones(streams: int) -> None:
    backend = CountingBackend(streams)
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(backend.infer, IMAGE) for _ in range(8)]
        while not backend.running:
            time.sleep(0.001)
        closing = [pool.submit(backend.close) for _ in range(2)]
        for call in closing:
            call.result(timeout=10)
        errors = [call.exception(timeout=10) for call in calls]
    assert backend.released
    assert not isinstance(errors[0], StateError)
    assert {type(error) for error in errors} <= {type(None), StateError}
    assert isinstance(errors[-1], StateError)


@pytest.mark.parametrize("name", [name for name, present in installed().items() if present and name != "paddledet"])
def test_two_streams_give_the_answers_of_one(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "random.npz", **random_checkpoint().arrays)  # type: ignore[arg-type]  # never allow_pickle
    images = [np.roll(selfcheck_image(), 16 * shift, axis=1) for shift in range(6)]
    request = Request(tmp_path / "random.npz", INPUT_SIZE, "fp32")
    with request.load(name) as backend:
        alone = [backend.infer(image).boxes for image in images]
    with request.load(name, streams=2) as backend, ThreadPoolExecutor(4) as pool:
        assert "2 streams" in str(backend.info)
        together = [peaks.boxes for peaks in pool.map(backend.infer, images)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("name", [name for name, present in installed().items() if present and name != "paddledet"])
def test_threads_are_a_setting_that_is_shown(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "random.npz", **random_checkpoint().arrays)  # type: ignore[arg-type]  # never allow_pickle
    with Request(tmp_path / "random.npz", INPUT_SIZE, "fp32").load(name, threads=1) as backend:
        assert backend.info.threads == 1
        assert str(backend.info).endswith(", 1 thread")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "two", 10**6])
@pytest.mark.parametrize("name", ["threads", "streams"])
def test_numbers_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is .* whole number from 1"):
        BackendOptions(**{name: value})  # type: ignore[arg-type]


class InterruptedSlots(threading.BoundedSemaphore):
    """Raises KeyboardInterrupt when the second slot is taken."""

    taken = 0

    def __enter__(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.taken += 1
        if self.taken == 2:
            raise KeyboardInterrupt
        return super().__enter__(blocking, timeout)


def test_an_interrupted_close_leaves_no_call_waiting() -> None:
    backend = FakeBackend(streams=2)
    backend._slots = InterruptedSlots(2)
    with pytest.raises(KeyboardInterrupt):
        backend.close()
    for _ in range(3):
        with pytest.raises(StateError, match="closed"):
            backend.infer(IMAGE)


class TestUsableCpus:
    def test_affinity_is_respected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
        assert affinity_cpus() == usable_cpus() == 1

    @pytest.mark.parametrize(("limit", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("50000 100000", 0.5)])
    def test_quota_of_cgroup_v2(self, limit: str, cpus: float | None, tmp_path: Path) -> None:
        own = write(tmp_path / "own", "0::/docker/abc\n")
        write(tmp_path / "root/docker/abc/cpu.max", limit)
        assert cpu_quota(tmp_path / "root", own) == cpus

    def test_a_parents_quota_holds_too(self, tmp_path: Path) -> None:
        own = write(tmp_path / "own", "0::/pod/container\n")
        write(tmp_path / "root/pod/container/cpu.max", "max 100000")
        write(tmp_path / "root/pod/cpu.max", "200000 100000")
        assert cpu_quota(tmp_path / "root", own) == 2

    @pytest.mark.parametrize(("quota", "cpus"), [("250000", 2.5), ("-1", None)])
    def test_quota_of_cgroup_v1(self, quota: str, cpus: float | None, tmp_path: Path) -> None:
        own = write(tmp_path / "own", "4:memory:/x\n3:cpu,cpuacct:/job\n0::/\n")
        write(tmp_path / "root/cpu,cpuacct/job/cpu.cfs_quota_us", quota)
        write(tmp_path / "root/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n")
        assert cpu_quota(tmp_path / "root", own) == cpus

    @pytest.mark.parametrize("mounted", ["cpu,cpuacct", "cpuacct,cpu", "cpu"])
    def test_the_folder_of_cgroup_v1_may_have_other_names(self, mounted: str, tmp_path: Path) -> None:
        own = write(tmp_path / "own", "3:cpu,cpuacct:/docker/of/the/host\n")
        write(tmp_path / f"root/{mounted}/cpu.cfs_quota_us", "200000")
        write(tmp_path / f"root/{mounted}/cpu.cfs_period_us", "100000")
        if mounted != "cpu":
            (tmp_path / "root/cpu").symlink_to(mounted)
        assert cpu_quota(tmp_path / "root", own) == 2

    @pytest.mark.parametrize("text", ["", "\n", "none", "1:cpu", "0::", "::::\n0::/a:b"])
    def test_an_unknown_form_of_the_file_means_no_quota(self, text: str, tmp_path: Path) -> None:
        assert cpu_quota(tmp_path / "root", write(tmp_path / "own", text)) is None

    def test_no_control_groups(self, tmp_path: Path) -> None:
        assert cpu_quota(tmp_path, tmp_path / "none") is None

    def test_a_quota_below_one_still_gives_one_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        quota: Callable[[], float] = lambda: 0.3  # noqa: E731
        monkeypatch.setattr("fairmot_dla34.backends.cpus.cpu_quota", quota)
        assert usable_cpus() == 1


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
