"""Keeps the telemetry of OpenVINO and NNCF off: by default both report each import to Google Analytics."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PACKAGE = "openvino_telemetry"
_lock = threading.RLock()  # one thread at a time changes `sys.modules`; NNCF imports OpenVINO inside


@contextmanager
def no_telemetry() -> Iterator[None]:
    """Return a context inside which OpenVINO and NNCF are imported without their telemetry package.

    Otherwise their import writes to the folder ``intel`` in the home directory and opens a connection, also in
    offline mode. A telemetry package that the process imported before stays as it is. Threads wait for each other.
    """
    with _lock:
        missing = object()
        before = sys.modules.get(_PACKAGE, missing)
        sys.modules[_PACKAGE] = None  # type: ignore[assignment]  # the import system's mark for "not installed"
        try:
            yield
        finally:
            if before is missing:
                sys.modules.pop(_PACKAGE, None)
            else:
                sys.modules[_PACKAGE] = before  # type: ignore[assignment]
