"""The summary at the end of .ci/run, from reports of a real pytest."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import pathlib
import pytest

def test_right():
    pass

def test_wrong():
    assert False

def test_busy():
    assert pathlib.Path(__file__).with_name("quiet").exists()

@pytest.mark.skip(reason="NO CAMERA")
def test_camera():
    pass
"""


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    (tmp_path / "test_things.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "test_things.py"]
    assert run([*command, f"--junitxml={folder}/tests.xml"], cwd=tmp_path, check=False).returncode == 1
    (tmp_path / "quiet").touch()
    again = ("--last-failed", f"--junitxml={folder}/tests-alone.xml")
    assert run([*command, *again], cwd=tmp_path, check=False).returncode == 1
    (folder / "tests.seconds").write_text("61\n")
    return folder


def test_failures_are_named_and_second_tries_are_told_apart(reports: Path) -> None:
    command = [sys.executable, str(ROOT / "tools/ci_summary.py"), str(reports), "--missing", "Python 9: none found"]
    assert run(command, check=True, capture_output=True, text=True).stdout.splitlines() == [
        "Failed:",
        "  tests: test_things::test_wrong",
        "Failed among others, passed alone:",
        "  tests: test_things::test_busy",
        "Skipped:",
        "  Python 9: none found",
        "  1 x tests: NO CAMERA",
        "Time, with installation:",
        "  tests         1 min  1 s",
        "  all           1 min  1 s",
        "2 passed, 1 failed, 1 skipped",
    ]
