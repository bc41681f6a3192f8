"""The ways to run a network, behind one protocol. A backend's package is imported when the backend is chosen."""

from __future__ import annotations

from .base import (
    Backend,
    BackendInfo,
    BackendRequest,
    check_backend,
    closed_error,
    create_backend,
    failed_error,
    installed,
    only_fp32,
    reason_of,
)

__all__ = [
    "Backend",
    "BackendInfo",
    "BackendRequest",
    "check_backend",
    "closed_error",
    "create_backend",
    "failed_error",
    "installed",
    "only_fp32",
    "reason_of",
]
