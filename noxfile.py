"""Check sessions, each in its own environment; the last one reports what was skipped and how long each part took."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

REPORTS = Path(".test_results")
AXE = "axe-core@4"  # accessibility rules, from npm
TRACK_TOOLS = ("datumaro==1.13.*", "label-studio-sdk>=2.1", "fiftyone==1.22.*")  # 1.3 GB; with opencv-python-headless
INTEROP = ("pandas>=2", "supervision>=0.31")  # values are converted to theirs; neither replaces opencv-python
MAIN_VERSION = "3.11"  # PaddleHub runs on no newer Python
MINDSPORE = ("mindspore==2.10.*", "numpy<2")  # 2.5 GB; there is no smaller build
SELENIUM = "selenium>=4.20"
NOTEBOOK = ("nbclient>=0.10", "ipykernel>=6.29", "matplotlib>=3.8")
TORCH = "torch==2.13.*"  # one version: its builds for CPUs install in seconds, and figures repeat
OTHER_VERSIONS = ("3.10", "3.12", "3.13")
# What differs between Python versions: the wheels of dependencies (PyAV above all), pickles in checkpoints, imports,
# processes and signals, packaging. The tests of the commands and of the module track whole videos. Numerical results
# and the association do not depend on the version, so only the main Python runs their tests.
VERSION_DEPENDENT = (
    "tests/commands",
    "tests/outputs",
    "tests/video",
    "tests/weights",
    "tests/test_imports.py",
    "tests/test_module.py",
    "tests/test_packaging.py",
)


def find_python(version: str) -> str | None:
    """Return an interpreter that runs: on the PATH (pyenv's shims may not), or among pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in filter(None, candidates):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def count_cores() -> int:
    """Count the cores this process may use: those of its affinity, or fewer if its control group has a quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota_us, period_us = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, min(cores, int(quota_us) // int(period_us)))
    except (OSError, ValueError):  # no control group, or no quota in it
        return cores


MAIN_PYTHON = find_python(MAIN_VERSION) or MAIN_VERSION
OTHER_PYTHONS = {version: find_python(version) for version in OTHER_VERSIONS}


@contextmanager
def _recorded(name: str) -> Iterator[None]:
    """Remove the results of the session's last run, and record how many seconds this one takes."""
    REPORTS.mkdir(exist_ok=True)
    for old in REPORTS.glob(f"{name}[.-]*"):
        old.unlink()
    start = time.monotonic()
    try:
        yield
    finally:
        (REPORTS / f"{name}.seconds").write_text(f"{time.monotonic() - start:.0f}\n", "ascii")


@nox.session(python=MAIN_PYTHON)
@_recorded("lint")
def lint(session: nox.Session) -> None:
    """Check style and types."""
    session.install(".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session(python=MAIN_PYTHON)
@_recorded("docs")
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build; a warning is an error."""
    session.install(".[docs]")
    shutil.rmtree("docs/_build", ignore_errors=True)
    session.run("sphinx-build", "-W", "-n", "--keep-going", "-q", "-c", "docs", ".", "docs/_build", *session.posargs)


@nox.session(python=MAIN_PYTHON)
@_recorded("tests")
def tests(session: nox.Session) -> None:
    """Run every test that needs neither Paddle, PyTorch nor MindSpore, with TrackEval, ONNX Runtime and NNCF."""
    build = ("build", "setuptools>=77")  # for test_packaging
    session.install(".[test,eval,onnxruntime,quantize,watch]", *build, *INTEROP)
    _pytest(session, "tests", "not paddle and not hub and not train and not mindspore and not browser and not cluster")


@nox.session(python=MAIN_PYTHON, default=False)  # `tests` runs the same trials
@_recorded("hostile")
def hostile(session: nox.Session) -> None:
    """Run the hostile trials alone, and print their table: kinds, tries, survivals and failures."""
    session.install(".[test,eval,onnxruntime,quantize]")
    try:
        _pytest(session, "hostile", "not paddle and not hub", "tests/hostile")
    finally:
        session.run("python", "tests/trial_table.py", *map(str, sorted(REPORTS.glob("hostile*.xml"))))


@nox.session(python=MAIN_PYTHON)
@_recorded("train")
def train(session: nox.Session) -> None:
    """Train with PyTorch, in one process and in several."""
    session.install(".[test,train,eval]", TORCH)
    _pytest(session, "train", "train and not paddle", "tests/training", "tests/commands/test_train_usage.py")


@nox.session(python=MAIN_PYTHON)
@_recorded("notebook")
def notebook(session: nox.Session) -> None:
    """Execute the notebook with a short training; its outputs and warnings are printed, and nothing is written."""
    session.install(".[train,eval]", TORCH, *NOTEBOOK)
    warnings = {"PYTHONWARNINGS": "default", "FAIRMOT_NOTEBOOK_MINUTES": "0.3"}
    session.run("python", "tools/notebook.py", "--check", *session.posargs, env=warnings)


@nox.session(python=MAIN_PYTHON)
@_recorded("paddle")
def paddle(session: nox.Session) -> None:
    """Compare with a real PaddleDetection, also in training, and run in a real paddlehub."""
    session.install(".[hub,train,test]", TORCH)
    _pytest(session, "paddle", "paddle or hub", "-W", "default")  # Paddle and PaddleHub raise many warnings


@nox.session(python=MAIN_PYTHON)
@_recorded("mindspore")
def mindspore(session: nox.Session) -> None:
    """Exchange checkpoints with a real MindSpore; the summary reports if it cannot be installed."""
    session.install(".[test]", MINDSPORE[1])
    try:
        session.install(*MINDSPORE)
    except CommandFailed:  # not available for every system and processor
        reason = f"{MINDSPORE[0]} cannot be installed here"
        (REPORTS / "mindspore.skipped").write_text(f"{reason}\n", "utf-8")
        session.skip(f"{reason}: nothing was compared with MindSpore.")
    _pytest(session, "mindspore", "mindspore", "-W", "default", "tests/weights")  # MindSpore raises warnings


@nox.session(python=MAIN_PYTHON)
@_recorded("interop")
def interop(session: nox.Session) -> None:
    """Have exported tracks imported by Datumaro, Label Studio's SDK and FiftyOne, if they can be installed."""
    session.install(".[test]")
    try:
        session.install(*TRACK_TOOLS)
    except CommandFailed:  # FiftyOne needs a build of MongoDB, which not every system has
        reason = f"{', '.join(TRACK_TOOLS)} cannot be installed here"
        (REPORTS / "interop.skipped").write_text(f"{reason}\n", "utf-8")
        session.skip(f"{reason}: no tool imported the exported tracks.")
    _pytest(session, "interop", "not slow", "tests/interchange/test_real_importers.py")


@nox.session(python=MAIN_PYTHON)
@_recorded("cluster")
def cluster(session: nox.Session) -> None:
    """Run batches on a real Ray cluster of two nodes on this machine; workers and nodes are killed."""
    session.install(".[test,cluster]")
    _pytest(session, "cluster", "cluster", "-W", "default", "tests/cluster")  # Ray raises warnings


@nox.session(python=MAIN_PYTHON)
@_recorded("browser")
def browser(session: nox.Session) -> None:
    """Use the HTML pages in Chromium, and check them with axe-core, if both can be had."""
    missing = [name for name in ("chromium", "chromedriver", "npm") if shutil.which(name) is None]
    if missing:
        reason = f"no {' and no '.join(missing)} (apt-get install chromium chromium-driver npm)"
        (REPORTS / "browser.skipped").write_text(f"{reason}\n", "utf-8")
        session.skip(f"{reason}: no page was opened in a browser.")
    session.install(".[test]", SELENIUM)
    session.run("npm", "install", "--silent", "--no-audit", "--prefix", ".test_cache/npm", AXE, external=True)
    _pytest(session, "browser", "browser")


@nox.session(python=[path for path in OTHER_PYTHONS.values() if path])
def other_pythons(session: nox.Session) -> None:
    """Run what depends on the Python version."""
    version = next(version for version, path in OTHER_PYTHONS.items() if path == session.python)
    with _recorded(f"python{version}"):
        session.install(".[test,onnxruntime,quantize]", "setuptools>=77")  # the last for test_packaging
        markers = "not paddle and not hub and not mindspore and not slow"
        _pytest(session, f"python{version}", markers, *VERSION_DEPENDENT)


@nox.session(python=False)
def summary(session: nox.Session) -> None:
    """Report what failed, what was skipped and why, how long each session took, and the number of tests."""
    missing = [
        f"--missing=Python {version}: no interpreter found" for version, path in OTHER_PYTHONS.items() if not path
    ]
    session.run(sys.executable, "tools/ci_summary.py", str(REPORTS), *missing)


def _pytest(session: nox.Session, name: str, markers: str, *options: str) -> None:
    """Run the tests on every core; then those marked `serial`, which need a quiet machine, in one process.

    Tests that fail run once more, alone: machines are shared, and a test of processes, cameras or memory can meet a
    busy moment. The summary names them.
    """
    cores = count_cores()
    parallel = ("-n", str(cores), "--dist", "worksteal") if cores > 1 else ()
    failed = False
    for part, chosen, distribution in ((name, "not serial", parallel), (f"{name}-serial", "serial", ())):
        command = ("pytest", "-m", f"({markers}) and {chosen}", *options, *session.posargs)
        may_be_empty = chosen == "serial" or session.posargs
        codes = [0, 5] if may_be_empty else [0]
        try:
            session.run(*command, *distribution, f"--junitxml={REPORTS / part}.xml", success_codes=codes)
        except CommandFailed:
            again = ("--last-failed", "--last-failed-no-failures=none", f"--junitxml={REPORTS / part}-alone.xml")
            try:
                session.run(*command, *again)
            except CommandFailed:
                failed = True
    if failed:
        session.error("Tests failed.")
