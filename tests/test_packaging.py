"""Packaging: the files of the wheel, the builds without a compiler, the declared requirements, the translated pages."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import import_module, metadata
from pathlib import Path

import pytest

import fairmot_dla34

ROOT = Path(__file__).resolve().parent.parent
tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # pytest requires tomli on Python 3.10
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]


@pytest.mark.slow
def test_a_wheel_built_from_the_sdist_has_every_file(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="BUILD ABSENT: pip install build")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    has_operator = sys.platform == "linux" and platform.machine() == "x86_64" and shutil.which("g++") is not None
    assert f"-{fairmot_dla34.__version__}-py3-none-{'linux_x86_64' if has_operator else 'any'}" in wheel.name
    shipped = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "fairmot_dla34"
    tracked = subprocess.run(
        ["git", "ls-files", "fairmot_dla34"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert tracked or package.is_dir()
    assert set(tracked) <= shipped
    assert has_operator == ("fairmot_dla34/backends/openvino/deformable/libfairmot_deformable.so" in shipped)
    for name in ("weights/weights.json", "weights/sample.npz", "weights/sample.md", "requirements.txt", "py.typed"):
        assert f"fairmot_dla34/{name}" in shipped
    assert not any(name.startswith(("tests", "benchmarks")) for name in shipped)


def _has_setuptools(minimum: int) -> bool:
    try:
        return int(metadata.version("setuptools").partition(".")[0]) >= minimum
    except metadata.PackageNotFoundError:  # a new environment has no setuptools from Python 3.12 on
        return False


@pytest.mark.parametrize("missing", ["a compiler", "a compiler that works", "openvino"])
def test_the_package_builds_without_what_the_compiled_operator_needs(missing: str, tmp_path: Path) -> None:
    """A user without a compiler gets a working package and one line that names what is missing."""
    if not _has_setuptools(77):
        pytest.skip("OLD SETUPTOOLS: pip install 'setuptools>=77'")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("NO OPERATOR for this platform: nothing to build")
    hidden = "openvino" if missing == "openvino" else ""
    compiler = {"a compiler": str(tmp_path / "none"), "a compiler that works": "false"}.get(missing, "g++")
    code = (
        f"import importlib.util, runpy, sys; sys.argv = ['setup.py', 'build_ext', '--build-lib', {str(tmp_path)!r}, "
        f"'--build-temp', {str(tmp_path)!r}]; find = importlib.util.find_spec; "
        f"importlib.util.find_spec = lambda name, *rest: None if name == {hidden!r} else find(name, *rest); "
        "runpy.run_path('setup.py')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=os.environ | {"CC": compiler, "CXX": compiler},
        check=True,
        capture_output=True,
        text=True,
    )
    warnings = [line for line in (done.stdout + done.stderr).splitlines() if "was not built" in line]
    assert len(warnings) == 1
    assert "the package works without it, more slowly" in warnings[0]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.so"))


def _requirements(declared: list[str]) -> dict[str, str]:
    """Split requirements into names and version ranges, without environment markers."""
    split = (re.match(r"([\w-]+)([^;]*)", line) for line in declared)
    return {match[1]: match[2].strip() for match in split if match}


def test_the_operator_is_built_with_the_openvino_that_is_installed() -> None:
    """pip takes the newest for both: headers when the package is built, the library when it is installed."""
    built_with = _requirements(PYPROJECT["build-system"]["requires"])
    assert built_with["openvino"] == _requirements(PROJECT["dependencies"])["openvino"]


def test_hub_install_requires_what_the_package_requires() -> None:
    lines = (ROOT / "fairmot_dla34/requirements.txt").read_text("utf-8").splitlines()
    for_hub = _requirements([line for line in lines if not line.startswith("#")])
    core = set(_requirements(PROJECT["dependencies"]))
    assert len(core) == len(PROJECT["dependencies"])
    assert core <= set(for_hub)


def test_the_extras_for_paddle_share_their_pins() -> None:
    extras = PROJECT["optional-dependencies"]
    pins = extras["paddle"][1:]
    assert extras["paddle-gpu"][1:] == pins
    assert extras["hub"][: len(pins) + 1] == extras["paddle"]


@pytest.mark.parametrize(
    "english",
    [ROOT / "README.md", *(page for page in sorted((ROOT / "docs").glob("*.md")) if ".zh" not in page.suffixes)],
    ids=lambda page: page.name,
)
def test_chinese_pages_have_the_same_sections_and_commands(english: Path) -> None:
    chinese = english.with_name(english.stem + ".zh.md")
    pages = [page.read_text("utf-8") for page in (english, chinese)]
    for pattern in (r"^#+", r"^```\w*$"):
        assert [len(mark) for mark in re.findall(pattern, pages[0], re.MULTILINE)] == [
            len(mark) for mark in re.findall(pattern, pages[1], re.MULTILINE)
        ]
    commands = [re.findall(r"^(?:pip|fairmot_dla34|hub|python|nox|\.venv)\b.*$", page, re.MULTILINE) for page in pages]
    assert commands[0] == commands[1]
    figures = [sorted(re.findall(r"\d+\.\d+|\d{2,}", page)) for page in pages]
    assert figures[0] == figures[1]
