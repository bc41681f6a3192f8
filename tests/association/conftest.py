"""Fixtures of the association tests."""

from __future__ import annotations

import pytest

from fairmot_dla34.association import registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods that a test registers end with it."""
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
