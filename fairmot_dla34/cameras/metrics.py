"""Serves the state of the cameras as Prometheus metrics, on 127.0.0.1 only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ..closing import ClosedOnExit
from ..errors import InvalidInputError, PackageUnavailableError
from ..messages import install_command, plain_line
from .status import CameraStatus, State

if TYPE_CHECKING:
    from prometheus_client.core import Metric

ADDRESS = "127.0.0.1"
_REQUEST_S = 10.0  # longest wait for a client that sends nothing
_MAX_ERROR_CHARS = 160  # of the label with the last error

Status = Callable[[], Iterable[CameraStatus]]


@dataclass(frozen=True)
class _Field:
    """A metric of each camera.

    Attributes:
        name: Name after ``fairmot_camera_``; that of a counter ends in ``_total``.
        help: Description.
        value: Function that returns the value of a status; None: the camera has no sample.
    """

    name: str
    help: str
    value: Callable[[CameraStatus], float | None]


_FIELDS = (
    _Field("frames_total", "Frames received.", lambda status: status.frames),
    _Field(
        "dropped_frames_total",
        "Frames left out because the network was busy or max_fps was exceeded.",
        lambda status: status.dropped,
    ),
    _Field("corrupt_frames_total", "Damaged frames that were skipped.", lambda status: status.corrupt),
    _Field("reconnects_total", "Connections after the first one.", lambda status: status.reconnects),
    _Field("lag_seconds", "Time from the arrival of the latest frame to its result.", lambda status: status.lag_s),
    _Field("people", "Tracks in the latest result.", lambda status: status.people),
    _Field("last_frame_age_seconds", "Time since the latest frame arrived.", lambda status: status.last_frame_age_s),
    _Field(
        "threads_left", "Threads left behind because a decoder or a driver hangs.", lambda status: status.threads_left
    ),
    _Field(
        "outputs_failing",
        "1 while an output cannot be written, as on a full disk, else 0.",
        lambda status: status.outputs_failing,
    ),
    _Field("parts_total", "Parts of the outputs completed.", lambda status: status.parts),
    _Field("part_bytes_total", "Size of the completed parts.", lambda status: status.part_bytes),
    _Field(
        "kept_bytes",
        "Size of the complete parts in the output directory, if old ones are deleted.",
        lambda status: status.kept_bytes,
    ),
)


class CameraCollector:
    """Makes metrics of the state of the cameras at each request.

    Args:
        status: Function that returns the state of every camera.
    """

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        statuses = list(self._status())
        states = GaugeMetricFamily(
            "fairmot_camera_state", "1 for the state of the camera, 0 for the others.", labels=("camera", "state")
        )
        errors = InfoMetricFamily("fairmot_camera_last_error", "Reason of the latest fault.", labels=("camera",))
        for status in statuses:
            for state in State:
                states.add_metric((status.name, state.value), float(status.state is state))
            if status.last_error:
                errors.add_metric((status.name,), {"error": plain_line(status.last_error, _MAX_ERROR_CHARS)})
        yield states
        for field in _FIELDS:
            kind = CounterMetricFamily if field.name.endswith("_total") else GaugeMetricFamily
            family = kind(f"fairmot_camera_{field.name}", field.help, labels=("camera",))
            for status in statuses:
                value = field.value(status)
                if value is not None:
                    family.add_metric((status.name,), value)
            yield family
        yield errors


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection open must not hold up the end

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out the traceback of a client that closed its connection early."""


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_S

    def log_message(self, *words: object) -> None:
        """Log no request."""


class MetricsServer(ClosedOnExit):
    """Serves metrics for Prometheus on 127.0.0.1, from its creation to `close`.

    Args:
        status: Function that returns the state of every camera, such as `Watch.status`.
        port: Port; 0 for a free one.

    Attributes:
        url: URL of the metrics.

    Raises:
        PackageUnavailableError: The package prometheus-client is not installed.
        InvalidInputError: The port is in use, or not allowed for this user.
    """

    def __init__(self, status: Status, port: int = 0) -> None:
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
        except ImportError as error:
            raise PackageUnavailableError(
                "Metrics need the package prometheus-client, which is not installed; install it with "
                f"{install_command('watch')}, or leave out the port of the metrics."
            ) from error
        registry = CollectorRegistry()
        registry.register(CameraCollector(status))
        ProcessCollector(registry=registry)
        try:
            self._server = make_server(ADDRESS, port, make_wsgi_app(registry), _Server, _Handler)
        except OSError as error:
            raise InvalidInputError(
                f"metrics is {port}, a port that cannot be used ({error.strerror or error}); expected a free port of "
                "this computer, or 0, which finds one."
            ) from error
        self.url = f"http://{ADDRESS}:{self._server.server_port}/metrics"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="fairmot_dla34 metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving; safe to call twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
