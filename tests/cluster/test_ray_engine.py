"""`RayEngine` on a real cluster of two nodes: results, errors, killed workers, lost nodes, interruptions."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairmot_dla34.batch.worker_model import ModelFacts
from fairmot_dla34.cluster import nodes
from fairmot_dla34.cluster.connection import check_address, check_reachable
from fairmot_dla34.cluster.nodes import NodeFacts, check_folder, compare_nodes
from fairmot_dla34.cluster.ray_engine import RayEngine
from fairmot_dla34.errors import EngineError, InvalidInputError
from fairmot_dla34.tracking.options import ModelOptions

pytest.importorskip("ray")
pytestmark = pytest.mark.cluster

import cluster_functions as work  # noqa: E402
import ray  # noqa: E402
from cluster_functions import TEST_PATHS  # noqa: E402


@pytest.fixture
def engine(cluster: Any) -> Iterator[RayEngine]:
    with RayEngine(cluster.address, threads=1) as engine:
        yield engine


def test_every_item_is_run_once_on_two_nodes(engine: RayEngine) -> None:
    engine.check()
    started: list[int] = []
    results = dict(engine.run(work.square, list(range(12)), on_start=started.append))
    assert results == {n: n * n for n in range(12)}
    assert sorted(started) == list(range(12))


def test_a_task_gets_the_threads_of_its_cores(engine: RayEngine) -> None:
    assert dict(engine.run(work.threads_of, [0, 1])) == {0: "1", 1: "1"}


def test_an_error_of_one_item_keeps_its_class_and_does_not_end_the_others(engine: RayEngine) -> None:
    results = dict(engine.run(work.fail_at_two, list(range(4))))
    assert [results[n] for n in (0, 1, 3)] == [0, 1, 3]
    assert type(results[2]) is InvalidInputError
    assert str(results[2]) == "number is 2; expected another one."


def test_an_error_that_cannot_be_sent_is_described(engine: RayEngine) -> None:
    ((_, error),) = engine.run(work.fail_strangely, [5])
    assert isinstance(error, EngineError)
    assert "Unpicklable: 5 and 1" in str(error)


def test_an_item_whose_worker_is_killed_is_run_again(engine: RayEngine, tmp_path: Path) -> None:
    assert sorted(engine.run(work.die_once, [(n, str(tmp_path)) for n in range(4)])) == [(n, n) for n in range(4)]


def test_an_item_that_always_kills_its_worker_fails_alone(engine: RayEngine) -> None:
    results = dict(engine.run(work.die_always, [0, 1, 2]))
    assert (results[0], results[2]) == (0, 2)
    assert isinstance(results[1], EngineError)
    assert "each of the 4 times" in str(results[1])


def test_items_of_a_lost_node_are_run_elsewhere(cluster: Any, engine: RayEngine, tmp_path: Path) -> None:
    engine.connect()
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    results = engine.run(work.slow, [(n, str(tmp_path)) for n in range(4)])
    remover = threading.Timer(1.0, cluster.remove_node, (node, False))  # kills its raylet and its workers
    remover.start()
    assert sorted(results) == [(n, n) for n in range(4)]
    remover.join()
    starts = [path.read_text() for path in tmp_path.glob("*.started")]
    assert len(starts) == 4


def test_a_caller_that_stops_reading_leaves_no_task(engine: RayEngine, tmp_path: Path) -> None:
    results = engine.run(work.endless_after_first, [(n, str(tmp_path)) for n in range(3)])
    next(results)
    wait_until((tmp_path / "1.started").exists, 20)
    results.close()  # type: ignore[attr-defined]
    pids = [int(path.read_text()) for path in tmp_path.glob("*.started")]
    assert (tmp_path / "1.interrupted").exists()
    wait_until(lambda: engine.connect().available_resources().get("CPU") == 2, 20)
    assert len(pids) <= 3


INTERRUPTED = """
import sys, threading, _thread
import cluster_functions as work
from fairmot_dla34.cluster.ray_engine import RayEngine
folder, address = sys.argv[1], sys.argv[2]
with RayEngine(address if address != "none" else None, threads=1, workers=2) as engine:
    for index, value in engine.run(work.endless, [(n, folder) for n in range(4)]):
        print("result", value)
"""


@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("own_cluster", [False, True])
def test_nothing_runs_on_after_the_driver_has_ended(cluster: Any, tmp_path: Path, end: str, own_cluster: bool) -> None:
    """After Ctrl-C, and after the driver was killed; a cluster that was there stays."""
    import signal

    address = "none" if own_cluster else cluster.address
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), address],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": TEST_PATHS},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.started"))) == 2, 60)
        workers = [int(path.read_text()) for path in tmp_path.glob("*.started")]
        process.send_signal(getattr(signal, end))
        output, messages = process.communicate(timeout=30)
    finally:
        process.kill()
    wait_until(lambda: not any(map(is_alive, workers)) or not own_cluster, 20)
    assert not output
    if end == "SIGINT":
        assert "KeyboardInterrupt" in messages
    if not own_cluster:
        wait_until(lambda: free_cores(cluster) == 2, 30)


def test_messages_of_ray_stay_off_the_error_stream(cluster: Any, tmp_path: Path) -> None:
    code = (
        "import sys, cluster_functions as work\nfrom fairmot_dla34.cluster.ray_engine import RayEngine\n"
        "with RayEngine(sys.argv[1]) as engine:\n    engine.check()\n    print(sorted(engine.run(work.square, [1, 2])))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, cluster.address],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": TEST_PATHS},
    )
    assert (ended.stdout, ended.stderr) == ("[(0, 1), (1, 4)]\n", "")


def test_more_cores_than_a_node_has_are_refused(cluster: Any) -> None:
    with RayEngine(cluster.address, threads=3) as engine, pytest.raises(EngineError, match=r"No node .* has 3 cores"):
        engine.check()


def test_a_folder_that_all_nodes_share_is_accepted(engine: RayEngine, tmp_path: Path) -> None:
    check_folder(engine.connect(), tmp_path / "shared", threads=1)
    assert not list((tmp_path / "shared").iterdir())


# Without a cluster.


def facts(node: str, package: str = "1.2.0", python: str = "3.11.7", version: str = "2.60.0") -> NodeFacts:
    return NodeFacts(node, package, python, version)


def test_nodes_of_other_versions_are_refused_with_both_named() -> None:
    own = facts("this process on a")
    compare_nodes(own, [facts("b"), facts("c", python="3.11.2")])
    with pytest.raises(EngineError, match=r"^b, c: fairmot_dla34 1\.1\.0, but this process on a has .* 1\.2\.0"):
        compare_nodes(own, [facts("b", package="1.1.0"), facts("c", package="1.1.0"), facts("d")])
    with pytest.raises(EngineError, match=r"^b: no fairmot_dla34, but"):
        compare_nodes(own, [facts("b", package="")])
    with pytest.raises(EngineError, match=r"^b: Python 3\.12\.1, but .* Python 3\.11\.7"):
        compare_nodes(own, [facts("b", python="3.12.1")])
    with pytest.raises(EngineError, match=r"^n0, n1, n2 and 2 more: "):
        compare_nodes(own, [facts(f"n{i}", package="0") for i in range(5)])


def model_facts(precision: str, network: str = "n") -> ModelFacts:
    return ModelFacts(precision, "openvino", "w", network, {}, "1.2.0", "host")


def test_one_precision_is_decided_for_all_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    probed = []

    def probe(_: Any, options: ModelOptions, threads: int) -> dict[str, ModelFacts]:
        probed.append(options.precision)
        own = {"a": "bf16", "b": "fp32"} if options.precision == "auto" else dict.fromkeys("ab", options.precision)
        return {node: model_facts(precision) for node, precision in own.items()}

    monkeypatch.setattr(nodes, "_probe", probe)
    options, found = nodes.settle_model(ray, ModelOptions(weights="sample"), threads=1)
    assert (options.precision, found.precision, probed) == ("fp32", "fp32", ["auto", "fp32"])


def test_nodes_with_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    facts_of = {"a": model_facts("bf16", "one"), "b": model_facts("bf16", "other")}
    monkeypatch.setattr(nodes, "_probe", lambda *_: facts_of)
    with pytest.raises(EngineError, match=r"^a and b have different network: one and other; expected equal ones"):
        nodes.settle_model(ray, ModelOptions(weights="sample"), threads=1)


def test_a_folder_that_a_node_does_not_see_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "on_each_node", lambda *_, **__: {"a": "", "b": "is not there, or is another one"})
    with pytest.raises(
        EngineError, match="is not there, or is another one on b; expected a folder that all nodes share"
    ):
        check_folder(ray, tmp_path / "out", threads=1)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("address", ["", "http://a:1", "ray://", "a:b", "a:99999", "a b", "ray://a:1/x", 5, "a:0"])
def test_wrong_addresses_are_refused(address: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected ray://HOST"):
        RayEngine(address)


def test_ports_have_defaults() -> None:
    found = [check_address(text) for text in ("a", "ray://a", "[::1]:7", "auto", None)]
    assert found == ["a:6379", "ray://a:10001", "[::1]:7", "auto", None]


@pytest.mark.parametrize("threads", [0, 1.5, True, "2", 5000])
def test_wrong_numbers_of_threads_are_refused(threads: Any) -> None:
    with pytest.raises(InvalidInputError, match="threads is"):
        RayEngine(None, threads)


@pytest.mark.parametrize("prefix", ["", "ray://"])
@pytest.mark.parametrize("listener", ["none", "silent", "http"])
def test_an_address_without_a_cluster_is_reported_within_10_s(prefix: str, listener: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if listener != "none":
            server.listen()
        if listener == "http":

            def answer() -> None:
                connection = server.accept()[0]
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

            threading.Thread(target=answer, daemon=True).start()
        start_s = time.monotonic()
        with pytest.raises(EngineError, match=f"No Ray cluster answers at {prefix}127.0.0.1:{port}"):
            RayEngine(f"{prefix}127.0.0.1:{port}").check()
        assert time.monotonic() - start_s < 10


def test_an_unknown_host_is_reported() -> None:
    with pytest.raises(EngineError, match=r"No Ray cluster answers at no-such-host\.invalid:6379"):
        check_reachable("no-such-host.invalid:6379")


def wait_until(condition: Any, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def free_cores(cluster: Any) -> float:
    """Return the cores that no task uses."""
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    try:
        return float(ray.available_resources().get("CPU", 0))
    finally:
        ray.shutdown()
