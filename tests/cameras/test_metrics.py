"""Metrics for Prometheus: names, values and labels, over HTTP and read by the parser of prometheus_client."""

from __future__ import annotations

import http.client
import re
import socket
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from fairmot_dla34.cameras import CameraStatus, MetricsServer, State
from fairmot_dla34.errors import InvalidInputError, PackageUnavailableError

prometheus_client = pytest.importorskip("prometheus_client", reason="PROMETHEUS-CLIENT ABSENT")

STATUSES = [
    CameraStatus(
        "door",
        State.RUNNING,
        frames=120,
        dropped=7,
        corrupt=1,
        lag_s=0.25,
        reconnects=2,
        people=3,
        last_error="rtsp://127.0.0.1/door: the connection was closed",
        last_frame_age_s=0.04,
        outputs_failing=True,
        parts=20,
        part_bytes=5_000_000_000,
        kept_bytes=7_000_000_000,
    ),
    CameraStatus('hall "2"\\', State.NEW),
]


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer(lambda: STATUSES) as server:
        yield server


def text_of(server: MetricsServer) -> str:
    answer = requests.get(server.url, timeout=5)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return answer.text


def samples(text: str) -> dict[tuple[str, ...], float]:
    from prometheus_client.parser import text_string_to_metric_families

    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_camera_has_its_values(server: MetricsServer) -> None:
    found = samples(text_of(server))
    expected = {
        "frames_total": 120,
        "dropped_frames_total": 7,
        "corrupt_frames_total": 1,
        "reconnects_total": 2,
        "lag_seconds": 0.25,
        "people": 3,
        "last_frame_age_seconds": 0.04,
        "threads_left": 0,
        "outputs_failing": 1,
        "parts_total": 20,
        "part_bytes_total": 5e9,
        "kept_bytes": 7e9,
    }
    assert {name: found["fairmot_camera_" + name, "door"] for name in expected} == expected
    states = {state.value: found["fairmot_camera_state", "door", state.value] for state in State}
    assert states == {state.value: float(state is State.RUNNING) for state in State}
    assert found["fairmot_camera_last_error_info", "door", "rtsp://127.0.0.1/door: the connection was closed"] == 1


def test_a_camera_without_frames_has_no_lag_and_its_name_is_escaped(server: MetricsServer) -> None:
    found = samples(text_of(server))
    name = 'hall "2"\\'
    assert found["fairmot_camera_frames_total", name] == 0
    assert found["fairmot_camera_state", name, "new"] == 1
    assert not [
        key
        for key in found
        if key[1:2] == (name,) and key[0].endswith(("lag_seconds", "people", "kept_bytes", "error_info"))
    ]


def test_names_follow_the_conventions_of_prometheus(server: MetricsServer) -> None:
    """As `promtool check metrics` asks: help texts, base units, and ``_total`` on counters only."""
    text = text_of(server)
    kinds = dict(re.findall(r"^# TYPE (fairmot_\S+) (\w+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (fairmot_\S+) (.+)$", text, re.MULTILINE))
    assert len(kinds) == 14
    assert set(kinds) == set(helps)
    for name, kind in kinds.items():
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", name)
        assert name.endswith("_total") is (kind == "counter")
        assert helps[name].endswith(".")
        assert not re.search(r"(milliseconds|_ms|_s|count|sum|bucket)$", name)


def test_the_process_is_measured_too(server: MetricsServer) -> None:
    if sys.platform == "linux":
        assert samples(text_of(server))["process_resident_memory_bytes",] > 1e6


def test_it_listens_on_the_loopback_only(server: MetricsServer) -> None:
    assert urlsplit(server.url).hostname == "127.0.0.1"
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    port = urlsplit(server.url).port or 0
    for address in addresses - {"127.0.0.1"}:
        with pytest.raises(OSError, match=r"."):
            socket.create_connection((str(address), port), timeout=1).close()


def test_a_port_in_use_is_one_sentence(server: MetricsServer) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    with pytest.raises(InvalidInputError, match=f"^metrics is {port}, a port that cannot be used .*; expected a free"):
        MetricsServer(lambda: STATUSES, port)


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(PackageUnavailableError, match=r"prometheus-client, which is not installed; .*\[watch\]"):
        MetricsServer(lambda: STATUSES)


def test_clients_that_send_nothing_hold_up_neither_others_nor_the_end() -> None:
    before = threading.active_count()
    with MetricsServer(lambda: STATUSES) as server:
        parts = urlsplit(server.url)
        idle = [socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) for _ in range(5)]
        assert "fairmot_camera_frames_total" in text_of(server)
        idle[0].sendall(b"\x00\xff garbage\r\n\r\n")
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
        connection.request("GET", "/" + "a" * 5000)
        assert connection.getresponse().status == 200
        connection.close()
    for client in idle:
        client.close()
    server.close()
    assert threading.active_count() <= before + len(idle)


def test_the_port_is_free_again_after_the_end(server: MetricsServer) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    server.close()
    with MetricsServer(lambda: STATUSES, port):
        pass
