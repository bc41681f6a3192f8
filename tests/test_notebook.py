"""The notebook of the documentation: executed, equal in both languages, small, and free of traces of a machine."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "notebooks"
NAMES = ("fairmot.ipynb", "fairmot.zh.ipynb")
LARGEST_BYTES = 1_200_000
LARGEST_OUTPUT_BYTES = 200_000
# Folders of a machine, drives of Windows, and hosts from which packages are installed.
TRACES = re.compile(
    r"""(?<![\w.:/])/(?:work|tmp|root|home|Users|var|opt|usr|private|mnt)/|[A-Z]:\\\\|site-packages|pypi|pythonhosted|conda"""
)
SECTIONS = {"markdown": {"cell_type", "id", "metadata", "source"}}
SECTIONS["code"] = SECTIONS["markdown"] | {"execution_count", "outputs"}

Notebook = dict[str, Any]


def read(name: str) -> Notebook:
    notebook: Notebook = json.loads((FOLDER / name).read_text("utf-8"))
    return notebook


def code_cells(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def problems(notebook: Notebook) -> list[str]:
    """List everything that a committed notebook must not have."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        if cell["execution_count"] != number:
            found.append(f"{cell['id']}: not executed in order")
        found += [f"{cell['id']}: {problem}" for output in cell["outputs"] for problem in output_problems(output)]
    for cell in notebook["cells"]:
        if set(cell) != SECTIONS[cell["cell_type"]] or cell["metadata"]:
            found.append(f"{cell['id']}: unexpected metadata")
        outputs = [{**output, "data": text_of(output)} for output in cell.get("outputs", [])]
        trace = TRACES.search("".join(cell["source"]) + json.dumps(outputs))
        if trace:
            found.append(f"{cell['id']}: {trace[0]}")
    if set(notebook["metadata"]) != {"kernelspec", "language_info"} or len(notebook["metadata"]["language_info"]) > 1:
        found.append("metadata of a machine")
    return found


def output_problems(output: dict[str, Any]) -> list[str]:
    found = ["ended with an error"] if output["output_type"] == "error" else []
    found += ["wrote to stderr"] if output.get("name") == "stderr" else []
    return [*found, "large output"] if len(json.dumps(output)) > LARGEST_OUTPUT_BYTES else found


def text_of(output: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an output without images, whose base64 may spell anything."""
    return {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}


@pytest.mark.parametrize("name", NAMES)
def test_it_was_executed_and_has_no_traces_of_a_machine(name: str) -> None:
    assert problems(read(name)) == []
    assert (FOLDER / name).stat().st_size < LARGEST_BYTES


def test_both_languages_have_the_same_code_and_outputs() -> None:
    english, chinese = map(read, NAMES)
    assert [cell["id"] for cell in english["cells"]] == [cell["id"] for cell in chinese["cells"]]
    assert code_cells(english) == code_cells(chinese)


def test_both_languages_have_the_same_sections_formulas_and_links() -> None:
    for english, chinese in zip(*(read(name)["cells"] for name in NAMES), strict=True):
        if english["cell_type"] == "code":
            continue
        texts = ["".join(cell["source"]) for cell in (english, chinese)]
        for pattern in (r"^#+ ", r"^\$\$.*\$\$$", r"\]\((https:[^)]*)\)", r"^[|-] ", r"`([^`\n]+)`"):
            marks = [sorted(re.findall(pattern, text, re.MULTILINE)) for text in texts]
            assert marks[0] == marks[1], english["id"]
        assert not re.search(r"[\u4e00-\u9fff]", texts[0].replace("中文", "")), english["id"]
        assert re.search(r"[\u4e00-\u9fff]", texts[1]), chinese["id"]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files(name: str) -> None:
    text = "\n".join("".join(cell["source"]) for cell in read(name)["cells"] if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", text)
    assert links
    assert [link for link in links if not (FOLDER / link).is_file()] == []
    if ".zh" in name:  # except the link to the other language
        assert [link for link in links if ".zh." not in link] == ["fairmot.ipynb"]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_in_the_text_are_not_results(name: str) -> None:
    """Cells print the results, so that the text cannot differ from them; a decimal number in the text would be one."""
    allowed = {"0.5", "0.1", "3.11"}  # thresholds, factors of the losses, the version of Python
    for cell in read(name)["cells"]:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"\[\d+\.\d+\]\([^)]*\)|\(https:[^)]*\)", "", "".join(cell["source"]))
            assert set(re.findall(r"\d+\.\d+", text)) <= allowed, cell["id"]


def spoil_error(notebook: Notebook) -> None:
    code_cells(notebook)[1]["outputs"].append({"output_type": "error", "ename": "E", "evalue": "", "traceback": []})


def spoil_order(notebook: Notebook) -> None:
    code_cells(notebook)[1]["execution_count"] = None


def spoil_path(notebook: Notebook) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["wrote /tmp/x/run\n"]}
    code_cells(notebook)[1]["outputs"].append(output)


def spoil_stderr(notebook: Notebook) -> None:
    output = {"output_type": "stream", "name": "stderr", "text": ["DeprecationWarning\n"]}
    code_cells(notebook)[1]["outputs"].append(output)


def spoil_source(notebook: Notebook) -> None:
    notebook["cells"][0]["source"].append("`cd /home/me/fairmot`")


def spoil_time(notebook: Notebook) -> None:
    code_cells(notebook)[0]["metadata"] = {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}}


def spoil_version(notebook: Notebook) -> None:
    notebook["metadata"]["language_info"]["version"] = "3.11.7"


def spoil_size(notebook: Notebook) -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * LARGEST_OUTPUT_BYTES}}
    code_cells(notebook)[1]["outputs"].append(output)


@pytest.mark.parametrize(
    "spoil",
    [spoil_error, spoil_order, spoil_path, spoil_stderr, spoil_source, spoil_time, spoil_version, spoil_size],
    ids=lambda spoil: spoil.__name__,
)
def test_the_checks_can_fail(spoil: Any) -> None:
    notebook = copy.deepcopy(read(NAMES[0]))
    before = problems(notebook)
    spoil(notebook)
    assert len(problems(notebook)) == len(before) + 1


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebook_tool", ROOT / "tools" / "notebook.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_translation_gets_code_and_outputs_and_keeps_its_text(tool: ModuleType) -> None:
    english, chinese = map(read, NAMES)
    changed = copy.deepcopy(english)
    code_cells(changed)[0]["source"] = ["print(1)"]
    copied = tool.with_code_of(changed, chinese)
    assert code_cells(copied) == code_cells(changed)
    text = [cell for cell in copied["cells"] if cell["cell_type"] == "markdown"]
    assert text == [cell for cell in chinese["cells"] if cell["cell_type"] == "markdown"]


def test_a_translation_with_other_cells_is_refused(tool: ModuleType) -> None:
    english, chinese = map(read, NAMES)
    del chinese["cells"][-1]
    with pytest.raises(SystemExit, match=r"fairmot\.zh\.ipynb"):
        tool.with_code_of(english, chinese)
