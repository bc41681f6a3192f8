"""Headless Chromium for tests of HTML pages, with axe-core's accessibility rules."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

AXE = Path(
    os.environ.get(
        "FAIRMOT_TEST_AXE",
        Path(__file__).resolve().parent.parent / ".test_cache/npm/node_modules/axe-core/axe.min.js",
    )
)
WIDTHS = {"wide": 1280, "phone": 375}


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium; skip the test if it, its driver or Selenium is absent."""
    selenium = pytest.importorskip("selenium.webdriver", reason="SELENIUM ABSENT: nox -s browser installs it")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("CHROMIUM ABSENT: apt-get install chromium chromium-driver")
    options = selenium.ChromeOptions()
    options.binary_location = browser
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-gpu"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    opened.set_script_timeout(60)
    try:
        yield opened
    finally:
        opened.quit()


def set_screen(browser: Any, *, theme: str = "light", width: int = 1280) -> None:
    """Set the width of the page in px and the preferred colours; nothing moves smoothly."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    values = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in values.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def accessibility_errors(browser: Any, *, least_passes: int = 31) -> list[str]:
    """Return the rules of axe-core that the page breaks, with the elements."""
    if not AXE.is_file():
        pytest.skip(f"AXE-CORE ABSENT: no {AXE}; nox -s browser installs it, or set FAIRMOT_TEST_AXE")
    browser.execute_script(AXE.read_text("utf-8"))
    report = browser.execute_async_script("const end = arguments[0]; axe.run().then(end);")
    assert len(report["passes"]) >= least_passes
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in report["violations"]]


def save_screenshot(browser: Any, name: str) -> None:
    """Write a screenshot of the whole page to the folder $FAIRMOT_SCREENSHOTS, if it is set."""
    folder = os.environ.get("FAIRMOT_SCREENSHOTS")
    if not folder:
        return
    width, height = browser.execute_script(
        "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, 4000), "scale": 1}
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    Path(folder, f"{name}.png").write_bytes(base64.b64decode(taken["data"]))


def errors_in_console(browser: Any) -> list[str]:
    """Return the errors in the console, such as violations of the content security policy."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def wait(condition: Callable[[], object], most_s: float = 10) -> None:
    """Wait until a condition is true; fail after ``most_s`` seconds."""
    end = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
