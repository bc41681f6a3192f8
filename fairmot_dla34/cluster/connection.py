"""Connects to a Ray cluster in bounded time, or starts one on this machine."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
import warnings
from types import ModuleType
from typing import Any

from ..config import shown
from ..errors import BackendUnavailableError, EngineError, InvalidInputError
from ..messages import install_command, plain_line

_CONNECT_S = 5.0  # to connect to a port, and to get an answer: a dead machine is reported within 10 s
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # RFC 9113, and empty settings
_SETTINGS_FRAME = 4  # type of the first frame of every HTTP/2 server
_ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+)(:(?P<port>\d{1,5}))?", re.ASCII)
_PORTS = {True: 10001, False: 6379}  # of Ray's client server, and of the head node
_EXPECTED = "expected ray://HOST:10001, HOST:6379, auto for the cluster of this machine, or none to start one here"


def import_ray() -> ModuleType:
    """Return the package ray.

    Raises:
        BackendUnavailableError: It is not installed, or cannot be loaded.
    """
    try:
        import ray
    except ImportError as error:
        reason = "is not installed" if getattr(error, "name", None) == "ray" else f"cannot be loaded ({error})"
        raise BackendUnavailableError(
            f"The engine ray needs the package ray, which {reason}: {install_command('cluster')}"
        ) from error
    module: ModuleType = ray
    return module


def check_address(address: str | None) -> str | None:
    """Return the address of a cluster; None: one is started on this machine.

    Args:
        address: ``ray://HOST:PORT``, ``HOST:PORT`` or ``auto``.

    Raises:
        InvalidInputError: It is none of these.
    """
    if address is None or address == "auto":
        return address
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if match is None or int(match["port"] or 1) not in range(1, 65536):
        raise InvalidInputError(f"address is {shown(address)}; {_EXPECTED}.")
    port = match["port"] or _PORTS[bool(match["client"])]
    return f"{match['client'] or ''}{match['host']}:{port}"


def check_reachable(address: str) -> None:
    """Check that a server like Ray's answers, which takes 10 s at most.

    Args:
        address: Address that `check_address` returned, except ``auto``.

    Raises:
        EngineError: Nothing answers there, or something else does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0").lower() in {"1", "true"}:
                return
            connection.sendall(_PREFACE)  # Ray speaks gRPC, which is HTTP/2
            answer = connection.recv(9)
    except OSError as error:
        reason = f"no answer in {_CONNECT_S:g} s" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise _unreachable(address, reason) from error
    if len(answer) < 4 or answer[3] != _SETTINGS_FRAME:
        raise _unreachable(address, "another program answers there")


def connect(ray: ModuleType, address: str | None, cpus: int) -> None:
    """Connect to a cluster, or start one on this machine; Ray's messages stay off the standard streams.

    Args:
        ray: The package.
        address: Address that `check_address` returned.
        cpus: Cores of a cluster that is started.

    Raises:
        EngineError: There is no cluster, or it runs other versions of Ray or Python.
    """
    if address not in {None, "auto"}:
        check_reachable(str(address))
    logging.getLogger("ray").setLevel(logging.ERROR)
    settings: dict[str, Any] = {"address": address or "local", "log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        # Its own dashboard is not needed; without it the cluster starts in half the time.
        settings |= {"num_cpus": cpus, "include_dashboard": False}
    try:
        with _signals_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**settings, configure_logging=False)
    except Exception as error:
        if "ray[client]" in str(error):
            raise BackendUnavailableError(f"{address} needs Ray's client: pip install 'ray[client]'") from error
        where = "No Ray cluster can be started on this machine" if address is None else f"{address} cannot be used"
        raise EngineError(f"{where} ({_reason(error)}); {_EXPECTED}.") from error


class _signals_kept:  # noqa: N801 (a context manager)
    """Puts back the actions on SIGTERM and Ctrl-C, which Ray replaces by its own."""

    def __enter__(self) -> None:
        self._is_main = threading.current_thread() is threading.main_thread()
        if self._is_main:
            self._before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def __exit__(self, *_: object) -> None:
        for number, action in (self._before if self._is_main else {}).items():
            if action is not None:  # set by something other than Python
                signal.signal(number, action)


def _unreachable(address: str, reason: str) -> EngineError:
    return EngineError(
        f"No Ray cluster answers at {address} ({reason}); expected a running head node: check host, port and firewall,"
        " or start one with ray start --head."
    )


def _reason(error: Exception) -> str:
    """Return the first sentence of an error of Ray, which may have many lines."""
    text = str(error).strip() or type(error).__name__
    versions = re.findall(r"Ray: (\S+)\s+Python: (\S+)", text)
    if len(versions) >= 2:
        (cluster_ray, cluster_python), (own_ray, own_python) = versions[:2]
        return (
            f"it runs Ray {cluster_ray} on Python {cluster_python}, and this process Ray {own_ray} on Python"
            f" {own_python}"
        )
    if "client connection timeout" in text:
        return "Ray's client got no answer; a cluster that checks tokens needs RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
    return plain_line(text.splitlines()[0]).rstrip(".")
