"""The measurable part of the style guide: docstrings that say something, and one term per thing."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("fairmot_dla34", "tests", "benchmarks", "tools", "docs")
RIDDLES = ("What", "How", "Who", "Whom", "Where", "Whether", "Which", "When")
FRAGMENTS = ("Of", "As", "The same", "Those", "Likewise", "From there")
BANNED = {  # word: term to use
    r"pictures?": "image, or frame of a video",
    r"of yours": "your, or nothing",
    r"is no (?:address|picture|checkpoint|video)": "is not a ...",
    r"begun": "started",
}


def files(*suffixes: str) -> list[Path]:
    """Return the files under version control, or all of them if there is no repository."""
    listed = subprocess.run(
        ["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    paths = [ROOT / name for name in listed] or [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return [path for path in paths if path.suffix in suffixes and path.is_file() and path != Path(__file__)]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files(".py"), ids=name)
def test_a_module_docstring_says_what_the_module_does(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    if path.name == "__init__.py" and not path.read_text("utf-8"):
        return
    assert docstring, "no module docstring"
    first = docstring.split("\n\n")[0]
    assert len(first.split()) >= 4, first
    assert not first.startswith(tuple(f"{word} " for word in RIDDLES)), first


@pytest.mark.parametrize("path", files(".py"), ids=name)
def test_an_argument_entry_is_a_description(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            for line in (ast.get_docstring(node) or "").splitlines():
                entry = re.match(r"    \w+: (.*)", line)
                assert not entry or not entry[1].startswith(tuple(f"{word} " for word in FRAGMENTS)), line


@pytest.mark.parametrize("path", files(".py", ".md", ".cpp", ".hpp", ".toml", ".ini"), ids=name)
def test_one_term_per_thing(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for word, term in BANNED.items():
            found = re.search(rf"\b(?:{word})\b", line, re.IGNORECASE)
            assert not found, f"line {number}: {found[0] if found else ''}: write {term}"
