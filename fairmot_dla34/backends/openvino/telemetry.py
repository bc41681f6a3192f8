"""Keeps the telemetry of OpenVINO and NNCF off: both report each import to Google Analytics unless told otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PACKAGE = "openvino_telemetry"


@contextmanager
def no_telemetry() -> Iterator[None]:
    """Import OpenVINO or NNCF in here: they then find their telemetry not installed, which both allow for.

    Without it, importing them writes to the folder ``intel`` at home and opens a connection, also in offline mode.
    What the process imported before is left as it is.
    """
    there = sys.modules.get(_PACKAGE)
    sys.modules[_PACKAGE] = None  # type: ignore[assignment]  # the import system's way to say "not installed"
    try:
        yield
    finally:
        if there is None:
            del sys.modules[_PACKAGE]
        else:
            sys.modules[_PACKAGE] = there
