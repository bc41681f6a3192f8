"""Fixtures of the association tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fairmot_dla34.association import method_names, unregister_method


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    """Methods that a test registers end with it."""
    before = method_names()
    yield
    for name in set(method_names()) - set(before):
        unregister_method(name)
