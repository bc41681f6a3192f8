"""The zone page over HTTP: real requests on loopback, also those of other sites and of other users."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from zone_page_server import Page, served_page

from fairmot_dla34.analytics import AnalyticsConfig
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.zone_page.server import check_port

SHAPES = {"line": [{"name": "door", "start": [10, 20], "end": [100, 20]}], "zone": []}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served_page(tmp_path / "shop.toml") as page:
        yield page


def test_the_page_its_parts_and_the_frame_are_served(page: Page) -> None:
    for path, kind, content in (
        ("", "text/html; charset=utf-8", b"<!doctype html>"),
        ("page.css", "text/css; charset=utf-8", b":root"),
        ("page.js", "text/javascript; charset=utf-8", b"//"),
        ("panel.js", "text/javascript; charset=utf-8", b"//"),
        ("shapes.js", "text/javascript; charset=utf-8", b"//"),
        ("frame.jpg", "image/jpeg", b"\xff\xd8\xff"),
        ("state", "application/json", b"{"),
    ):
        answer = page.request(path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind), path
        assert answer.body.startswith(content)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    state = page.request("state").value
    assert (state["width"], state["height"], state["line"], state["zone"]) == (640, 360, [], [])


def test_saving_writes_the_file_and_the_last_save_ends_the_server(page: Page) -> None:
    path = page.server.file.path
    assert page.save(SHAPES).value == {"saved": str(path)}
    assert AnalyticsConfig.from_toml(path).lines[0].name == "door"
    assert page.thread.is_alive()
    assert page.save({"line": [], "zone": []}, path="save-and-close").status == 200
    page.thread.join(5)
    assert not page.thread.is_alive()
    assert AnalyticsConfig.from_toml(path).lines == ()


def test_a_mistake_is_reported_and_the_page_stays_open(page: Page) -> None:
    answer = page.save({"line": [], "zone": [{"name": "a", "points": [[0, 0], [1, 1]]}]}, path="save-and-close")
    assert answer.status == 400
    assert "at least 3" in answer.value["error"]
    for body in (b"", b"{", b"\xff", b"[" * 100_000, b'{"line": 1e999, "zone": []}', b"9" * 5000):
        assert page.request("save", "POST", body=body).status == 400
    assert not page.server.file.path.exists()
    assert page.save(SHAPES).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # DNS rebinding: the name of another site leads to 127.0.0.1
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": None},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_requests_of_other_sites_are_refused(headers: dict[str, Any], page: Page) -> None:
    for path in ("", "state", "frame.jpg"):
        assert page.request(path, **headers).status == 403
    assert page.request("save", "POST", body=json.dumps(SHAPES).encode(), **headers).status == 403
    assert not page.server.file.path.exists()


def test_own_origins_and_links_are_accepted(page: Page) -> None:
    port = page.server.server_port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        body = json.dumps(SHAPES).encode()
        assert page.request("save", "POST", body=body, Host=host, Origin=f"http://{host}").status == 200
    assert page.request(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/wrong/",
        "/wrong/save",
        "{token}",
        "/{token}",
        "/x{token}/",
        "/{token}/../server.py",
        "/{token}/%2e%2e/server.py",
        "/{token}/server.py",
        "/{token}//etc/passwd",
        "/{token}/page.js/",
        "/{token}/page.js?x",
        "/{token}/..%5cserver.py",
        "/{token}/page.html%00",
        "http://evil.example/{token}/",
        "*",
    ],
)
def test_other_paths_do_not_exist(path: str, page: Page) -> None:
    wanted = path.format(token=page.server.token)
    connection = socket.create_connection(("127.0.0.1", page.server.server_port), timeout=10)
    with connection:
        connection.sendall(f"GET {wanted} HTTP/1.0\r\nHost: 127.0.0.1:{page.server.server_port}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] == b"404", wanted
    assert page.server.token.encode() not in answer


def test_wrong_methods_types_and_lengths(page: Page) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "POST"):
        assert page.request(method=method).status == 405, method
    answer = page.request("save")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert page.request("save", "BREW").status in {405, 501}
    body = json.dumps(SHAPES).encode()
    assert page.request("save", "POST", body=body, Content_Type="text/plain").status == 415
    assert page.request("save", "POST", body=body, Content_Type=None).status == 415
    for length in (None, "-1", "+5", "x", "5, 5", "٣"):
        answer_of = page.request("save", "POST", body=b"", Content_Length=length and length.encode())
        assert answer_of.status == 411, length
    assert page.request("save", "POST", body=b"", Transfer_Encoding="chunked").status == 411
    for length in (str(256 * 1024 + 1), "9" * 400):
        assert page.request("save", "POST", body=b"", Content_Length=length).status == 413
    assert not page.server.file.path.exists()


def test_the_link_for_the_browser_leads_to_the_page_once(page: Page) -> None:
    """Other users of the computer see the arguments of a browser's process."""
    path = "/" + page.server.browser_url.split("/", 3)[3]
    answer = page.request(path)
    assert (answer.status, answer.headers["Location"]) == (303, page.server.url)
    assert page.request(path).status == 404
    assert page.server.token not in page.server.browser_url


def test_silent_and_many_clients_do_not_stop_the_server(page: Page) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", page.server.server_port)))
        assert page.request("state").status == 200
        assert page.save(SHAPES, path="save-and-close").status == 200
        page.thread.join(5)
        assert not page.thread.is_alive()


def test_ports(page: Page) -> None:
    for port in (-1, 65536, "80", None, True, 1.5, float("nan")):
        with pytest.raises(InvalidInputError, match="port is"):
            check_port(port)
    with pytest.raises(InvalidInputError, match="free port"):
        type(page.server)(page.server.file, b"", "", page.server.server_port)


def test_only_this_computer_can_connect(page: Page) -> None:
    assert page.server.server_address[0] == "127.0.0.1"
