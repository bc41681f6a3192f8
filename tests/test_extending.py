"""The worked examples of docs/extending.md are the code that tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "tests").glob("*/test_own_*.py"))


def test_every_kind_of_part_has_an_example() -> None:
    kinds = {path.stem.removeprefix("test_own_") for path in EXAMPLES}
    assert kinds == {"architecture", "backend", "source", "sink", "method", "teacher"}


@pytest.mark.parametrize("page", ["extending.md", "extending.zh.md"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_on_the_page_word_for_word(path: Path, page: str) -> None:
    code = path.read_text("utf-8").partition("# example: start\n")[2].partition("# example: end")[0].strip()
    assert code
    assert len(code.splitlines()) <= 60
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    assert code in blocks
