"""What is shipped: a wheel from the sdist has all that it needs, and the two READMEs say the same."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fairmot_dla34

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_wheel_built_from_the_sdist_has_every_file(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="BUILD ABSENT: pip install build")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert f"-{fairmot_dla34.__version__}-py3-none-any" in wheel.name
    shipped = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "fairmot_dla34"
    tracked = subprocess.run(
        ["git", "ls-files", "fairmot_dla34"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert tracked or package.is_dir()
    assert set(tracked) <= shipped
    for name in ("weights/weights.json", "weights/sample.npz", "weights/sample.md", "requirements.txt", "py.typed"):
        assert f"fairmot_dla34/{name}" in shipped
    assert not any(name.startswith(("tests", "benchmarks")) for name in shipped)


def test_hub_install_asks_for_what_the_package_asks_for() -> None:
    setup = (ROOT / "setup.py").read_text("utf-8")
    core = set(re.findall(r'"([a-z-]+)>=', setup[setup.index("CORE") : setup.index("PADDLE_PINS")]))
    hub = set(
        re.findall(r"^([a-z-]+)[=<>]", (ROOT / "fairmot_dla34/requirements.txt").read_text("utf-8"), re.MULTILINE)
    )
    assert core <= hub


@pytest.mark.parametrize(
    "english", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*[!h].md")]), ids=lambda p: p.name
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
