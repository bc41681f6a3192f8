"""The real libraries that values are converted to; the nox session `tests` installs them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def pandas() -> Any:
    return pytest.importorskip("pandas", reason="PANDAS ABSENT: no table was compared; pip install pandas")


@pytest.fixture(scope="session")
def supervision() -> Any:
    return pytest.importorskip(
        "supervision", reason="SUPERVISION ABSENT: no detections were compared; pip install supervision"
    )
