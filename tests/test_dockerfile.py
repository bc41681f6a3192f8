"""The Dockerfile installs what the README names, not as root, from the files that it copies."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def steps() -> list[list[list[str]]]:
    """Return the instructions of each stage, split into words."""
    stages: list[list[list[str]]] = []
    for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "FROM":
            stages.append([])
        if words:
            stages[-1].append(words)
    return stages


def commands(stage: list[list[str]]) -> list[list[str]]:
    """Return the commands of a stage's RUN lines."""
    found: list[list[str]] = []
    for words in stage:
        if words[0] == "RUN":
            found += [shlex.split(part) for part in shlex.join(words[1:]).replace("'&&'", "\n").splitlines()]
    return found


def packages(stage: list[list[str]]) -> set[str]:
    """Return the packages that apt-get installs."""
    (installed,) = [words for words in commands(stage) if words[:2] == ["apt-get", "install"]]
    return {word for word in installed[2:] if not word.startswith("-")}


def test_the_packages_are_those_of_the_readme() -> None:
    build, final = steps()
    (named,) = re.findall(r"`apt install ([^`]+)`", README)
    assert packages(final) == set(named.split())
    assert packages(build) == {"g++"}
    assert "`g++`" in README


def test_the_install_command_is_that_of_the_readme() -> None:
    build, final = steps()
    made, installed = (words for words in commands(build) if words[0] != "apt-get" and words[0] != "rm")
    assert made == ["python", "-m", "venv", "/opt/fairmot_dla34"]
    words = [Path(installed[0]).name, *(word for word in installed[1:] if word != "--no-cache-dir")]
    assert f"`{shlex.join(words)}`" in README
    copied = [words for words in final if words[0] == "COPY"]
    assert copied == [["COPY", "--from=build", "/opt/fairmot_dla34", "/opt/fairmot_dla34"]]


def test_both_stages_have_one_python_that_is_supported() -> None:
    (image,) = {stage[0][1] for stage in steps()}
    version = re.fullmatch(r"python:(3\.\d+)-slim-\w+", image)
    assert version
    assert f"Python :: {version[1]}" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_image_does_not_run_as_root() -> None:
    words = {words[0]: words[1:] for words in steps()[-1]}
    assert words["USER"] == ["1000:1000"]
    assert words["ENTRYPOINT"] == ["[fairmot_dla34]"]
    cache = next(word.partition("=")[2] for word in words["ENV"] if word.startswith("FAIRMOT_DLA34_HOME="))
    assert ["mkdir", "-m", "1777", cache] in commands(steps()[-1])


@pytest.mark.slow
def test_the_copied_files_are_enough_to_install(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="BUILD ABSENT: pip install build")
    source = tmp_path / "source"
    source.mkdir()
    for line in IGNORED:
        if line.startswith("!"):
            path = ROOT / line[1:]
            if path.is_dir():
                shutil.copytree(path, source / path.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
            else:
                shutil.copy(path, source)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)],
        cwd=source,
        env={**os.environ, "CC": "false", "CXX": "false"},  # without the operator, which other tests compile
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("weights/sample.npz", "zone_page/page.html", "zone_page/page.js", "zone_page/page.css"):
        assert f"fairmot_dla34/{name}" in names
