"""HTTP sessions for downloads: redirects without their bodies, and connections that are shut down when they stall.

`requests` reads the body of a redirect into memory, whatever its length. The timeout of a socket covers one read only:
a server that sends a head, an interim answer or a trailer again and again, or byte by byte, never exceeds it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .limits import TransientError

if TYPE_CHECKING:
    from typing_extensions import Self


class StallGuard:
    """Context manager that shuts down a connection without progress, from a thread of its own.

    Args:
        limit_s: Longest time from the connection to the body, between two blocks of the body, and from the last one
            to the end of the answer, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._deadline_s = time.monotonic() + limit_s
        self._socket: object = None
        self._has_fired = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="download stall guard", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def watch(self, connected: object) -> None:
        """Guard this socket in place of an earlier one."""
        self.progress()
        self._socket = connected

    def progress(self) -> None:
        """Start the time anew, because something useful arrived."""
        self._deadline_s = time.monotonic() + self._limit_s

    def check(self) -> None:
        """Check whether the connection was shut down: an answer cut short by that can look like a whole one.

        Raises:
            TransientError: It was.
        """
        if self._has_fired:
            raise TransientError(f"no progress for {self._limit_s:g} s")

    def _wait(self) -> None:
        while not self._ended.wait(max(0.1, self._deadline_s - time.monotonic())):
            connected = self._socket
            if time.monotonic() < self._deadline_s or not isinstance(connected, socket.socket):
                continue
            self._has_fired = True
            with contextlib.suppress(OSError):  # it is closed already
                socket.socket.shutdown(connected, socket.SHUT_RDWR)  # below TLS, whose own `shutdown` would wait
            return


class DownloadSession(requests.Session):
    """Session that does not follow redirects by itself, and whose connections a guard watches.

    Args:
        guard: Guard of the connections.
    """

    def __init__(self, guard: StallGuard) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _GuardedAdapter(guard))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that `requests` neither follows the redirect nor reads its body."""

    def redirect_location(self, response: requests.Response) -> str | None:
        """Return the Location of a redirect; None for another answer."""
        if not response.is_redirect:
            return None
        return response.headers["Location"].encode("latin-1").decode("utf-8", "replace")

    def is_elsewhere(self, source: str, target: str) -> bool:
        """Return True if credentials for the server of ``source`` must not be sent to ``target``."""
        return bool(self.should_strip_auth(source, target))  # type: ignore[no-untyped-call]


class _GuardedAdapter(HTTPAdapter):
    """Transport adapter whose connections report their sockets to a guard."""

    def __init__(self, guard: StallGuard) -> None:
        self._pools = _pool_classes(guard)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(guard: StallGuard) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            guard.watch(self.sock)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            guard.watch(self.sock)

    plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    encrypted = type("EncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": Encrypted})
    return {"http": plain, "https": encrypted}
