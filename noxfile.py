"""The tests, each part in an environment of its own; the last session says what was left out and why."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

REPORTS = Path(".test_results")
OTHER_VERSIONS = ("3.10", "3.12", "3.13")


def find_python(version: str) -> str | None:
    """Return an interpreter that runs: on the PATH (pyenv's shims may not), or among pyenv's versions."""
    kept_by_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, kept_by_pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


MAIN_PYTHON = find_python("3.11") or "3.11"  # the one that PaddleHub runs on
OTHER_PYTHONS = {version: find_python(version) for version in OTHER_VERSIONS}


@nox.session(python=MAIN_PYTHON)
def lint(session: nox.Session) -> None:
    session.install(".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session(python=MAIN_PYTHON)
def tests(session: nox.Session) -> None:
    """Everything but Paddle, with TrackEval, ONNX Runtime and NNCF."""
    session.install(".[test,eval,onnxruntime,quantize]", "build", "setuptools>=71")  # the last for what is built
    _pytest(session, "main", "not paddle and not hub")


@nox.session(python=MAIN_PYTHON)
def paddle(session: nox.Session) -> None:
    """Parity with a real PaddleDetection, and a real paddlehub."""
    session.install(".[hub,test]")
    _pytest(session, "paddle", "paddle or hub", "-W", "default")  # Paddle's and PaddleHub's own warnings are many


@nox.session(python=[path for path in OTHER_PYTHONS.values() if path])
def other_pythons(session: nox.Session) -> None:
    """What a user meets first: install, import, weights, video, tracking."""
    session.install(".[test,onnxruntime,quantize]", "setuptools>=71")  # as above
    version = next(version for version, path in OTHER_PYTHONS.items() if path == session.python)
    _pytest(session, f"python{version}", "not paddle and not hub and not slow")


@nox.session(python=False)
def summary(session: nox.Session) -> None:
    """Say what was left out, and why."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    reasons: dict[str, int] = {}
    for report in sorted(REPORTS.glob("*.xml")):
        for case in ET.parse(report).iter("testcase"):
            skipped = case.find("skipped")
            failed = case.find("failure") is not None or case.find("error") is not None
            counts["failed" if failed else "passed" if skipped is None else "skipped"] += 1
            if skipped is not None:
                told = skipped.get("message", "")
                if told == "collection skipped":  # a whole file; the reason stands in the text
                    told = (skipped.text or "").rpartition("Skipped: ")[2].rstrip("')\"")
                reason = f"{report.stem}: {told}"
                reasons[reason] = reasons.get(reason, 0) + 1
    missing = [f"Python {version}: no interpreter found" for version, path in OTHER_PYTHONS.items() if path is None]
    session.log("Left out:" if reasons or missing else "Nothing was left out.")
    for line in [*missing, *(f"{number} x {reason}" for reason, number in reasons.items())]:
        session.log(f"  {line}")
    print(", ".join(f"{number} {name}" for name, number in counts.items()))


def _pytest(session: nox.Session, name: str, chosen: str, *options: str) -> None:
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    session.run("pytest", "-m", chosen, *options, f"--junitxml={report}", *session.posargs)
