"""Backends: runtimes for networks, behind one base class. Their packages are imported when they are chosen."""

from __future__ import annotations

from .base import PRECISIONS, Backend, BackendInfo, BackendOptions
from .registry import (
    BackendKind,
    backend_names,
    check_backend,
    create_backend,
    installed,
    register_backend,
    unregister_backend,
)

__all__ = [
    "PRECISIONS",
    "Backend",
    "BackendInfo",
    "BackendKind",
    "BackendOptions",
    "backend_names",
    "check_backend",
    "create_backend",
    "installed",
    "register_backend",
    "unregister_backend",
]
