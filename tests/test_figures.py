"""Figures in the documents: the same measurement has the same value on every page, in both languages."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest

from fairmot_dla34.weights import registered

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REAL = ("PETS09-S2L1 561–795", "TUD-Campus 51–71")


def tables(path: Path) -> list[dict[str, dict[str, str]]]:
    """Read the tables of a page: cells by the first cell of the row, then by the head of the column."""
    found: list[dict[str, dict[str, str]]] = []
    head: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells
            found.append({})
        elif not set(line) <= set("|-: "):
            found[-1][cells[0]] = dict(zip(head, cells, strict=True))
    return found


def scores(cell: str) -> tuple[float, ...]:
    """Return the numbers of a cell such as ``89.5 / 85.0 / 64.2``."""
    return tuple(float(number) for number in re.findall(r"\d+\.\d+", cell))


@pytest.fixture(scope="module")
def accuracy() -> dict[str, tuple[float, ...]]:
    """Scores of the sample weights by sequence, MOTA / IDF1 / HOTA, from the first table of docs/accuracy.md."""
    rows = tables(DOCS / "accuracy.md")[0]
    return {name: (float(row["MOTA"]), float(row["IDF1"]), float(row["HOTA"])) for name, row in rows.items()}


def test_the_tables_of_accuracy_agree(accuracy: dict[str, tuple[float, ...]]) -> None:
    _, methods, filled = tables(DOCS / "accuracy.md")[:3]
    assert {name: scores(row["`auto`"]) for name, row in methods.items()} == accuracy
    assert {name: scores(row["without"]) for name, row in filled.items()} == accuracy


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_readme_has_the_scores_of_docs_accuracy(page: str, accuracy: dict[str, tuple[float, ...]]) -> None:
    rows = {name: row for table in tables(ROOT / page) for name, row in table.items() if "sample" in name}
    for name in REAL:
        row = next(row for head, row in rows.items() if head.endswith(name))
        assert scores(" ".join(list(row.values())[1:])) == accuracy[name]


@pytest.mark.parametrize("page", ["speed.md", "speed.zh.md"])
def test_docs_speed_has_the_scores_of_docs_accuracy(page: str) -> None:
    """The scores are those of `jde`."""
    accuracy = {name: scores(row["`jde`"]) for name, row in tables(DOCS / "accuracy.md")[1].items()}
    text = (DOCS / page).read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| 864x480 | bf16 | 88 |"))
    scenes = [values for name, values in accuracy.items() if name not in REAL]
    means = [f"{statistics.mean(values[position] for values in scenes):.1f}" for position in (0, 1)]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[4:] == [*(f"{accuracy[name][0]} / {accuracy[name][1]}" for name in REAL), " / ".join(means)]


@pytest.mark.parametrize("page", ["association.md", "association.zh.md"])
def test_docs_association_has_the_scores_of_docs_accuracy(page: str, accuracy: dict[str, tuple[float, ...]]) -> None:
    """The column of every frame in the table of skipped frames repeats the scores of each method."""
    methods = tables(DOCS / "accuracy.md")[1][REAL[0]]
    lines = (DOCS / page).read_text("utf-8").splitlines()
    for method in ("auto", "jde", "byte"):
        rows = [line for line in lines if re.match(rf"\| `?{method}`? \|", line) and line.count("/") == 8]
        assert len(rows) == 2
        for row in rows:
            assert scores(row)[:3] == scores(methods[f"`{method}`"])


@pytest.mark.parametrize(("readme", "speed"), [("README.md", "speed.md"), ("README.zh.md", "speed.zh.md")])
def test_the_readme_has_the_speed_of_docs_speed(readme: str, speed: str) -> None:
    """Rows of the README are those of whole `track` runs with a drawn video at 1088x608."""
    text = (ROOT / readme).read_text("utf-8")
    source = (DOCS / speed).read_text("utf-8").splitlines()
    for precision in ("fp32", "bf16", "int8"):
        measured = [line for line in source if line.startswith(f"| openvino {precision} | 1088x608 |")]
        track = [cell.strip() for cell in measured[-1].strip("|").split("|")]
        row = next(line for line in text.splitlines() if line.startswith(f"| {precision}"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert scores(cells[1]) == scores(track[3])
        assert scores(cells[2]) == scores(track[4])[3:]


@pytest.mark.parametrize(("readme", "speed"), [("README.md", "speed.md"), ("README.zh.md", "speed.zh.md")])
def test_the_readme_has_the_range_of_docs_speed(readme: str, speed: str) -> None:
    """The introduction gives the smallest and the largest ratio to PaddleDetection, over processors and precisions."""
    rows = next(table for table in tables(DOCS / speed) if any("Zen 4" in name for name in table))
    cells = [cell for row in rows.values() for cell in list(row.values())[1:]]
    numbers = [int(number) for cell in cells for number in re.findall(r"\d+", re.split(r"[(（]", cell)[0])]
    introduction = (ROOT / readme).read_text("utf-8").partition("\n![")[0]
    assert re.search(rf"\b{min(numbers)} (to|到) {max(numbers)}\b", introduction)


@pytest.mark.parametrize("page", ["weights.md", "weights.zh.md"])
def test_docs_weights_name_all_training_data_of_the_registry(page: str) -> None:
    rows = tables(DOCS / page)[0]
    for entry in registered():
        row = next(row for name, row in rows.items() if f"`{entry.name}`" in name)
        values = list(row.values())
        assert values[1:3] == [f"`{entry.architecture}`", str(entry.input_size)]
        assert values[4] == ", ".join(entry.trained_on)


def test_the_suite_checks_the_published_scores(accuracy: dict[str, tuple[float, ...]]) -> None:
    """tests/test_accuracy.py compares a run with the figures; they are those of the page."""
    text = (ROOT / "tests/test_accuracy.py").read_text("utf-8")
    expected = tuple(float(number) for number in re.findall(r"pytest\.approx\((\d+\.\d+)", text))
    assert expected == accuracy[REAL[0]]
