"""The fixture that counts hostile trials."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from trial_table import PROPERTY
from trials import Trials


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Iterator[Trials]:
    """Counter of this test's trials; the test fails if one was not survived. See `trials.Trials`."""
    properties = request.node.user_properties
    counter = Trials(lambda kind, failure: properties.append((PROPERTY, json.dumps([kind, failure]))))
    yield counter
    if counter.failures:
        pytest.fail("Trials not survived:\n" + "\n".join(counter.failures))
