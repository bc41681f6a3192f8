"""Executes the notebook of the documentation, and copies code and outputs to its translation.

`docs/notebooks/fairmot.ipynb` is the source of all code. `docs/notebooks/fairmot.zh.ipynb` has the same cells with
translated text. Run it in an environment with the extras `train` and `eval`, nbclient, ipykernel and matplotlib::

    python tools/notebook.py            execute, and write both notebooks
    python tools/notebook.py --check    execute only, as the nox session `notebook` does
    python tools/notebook.py --copy     only copy code and outputs to the translation

``FAIRMOT_NOTEBOOK_MINUTES`` sets the minutes of training, by default 5. Neither times nor versions nor paths of the
machine are written, except those that a cell prints.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
ENGLISH, CHINESE = FOLDER / "fairmot.ipynb", FOLDER / "fairmot.zh.ipynb"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_LIMIT_S = 1200  # a cell that takes longer hangs

Notebook = dict[str, Any]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="execute only; write nothing")
    group.add_argument("--copy", action="store_true", help="copy code and outputs to the translation only")
    arguments = parser.parse_args()
    english, chinese = read(ENGLISH), read(CHINESE)
    if arguments.check and with_code_of(english, chinese) != chinese:
        print(f"{CHINESE.name} has other code than {ENGLISH.name}: run tools/notebook.py --copy.")
        return 1
    if not arguments.copy:
        english = executed(english)
    if arguments.check:
        return 0
    translated = with_code_of(english, chinese)
    for path, notebook in ((ENGLISH, english), (CHINESE, translated)):
        path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
        print(f"wrote {path.name}, {path.stat().st_size / 1000:.0f} kB")
    return 0


def read(path: Path) -> Notebook:
    """Return the content of a notebook."""
    notebook: Notebook = json.loads(path.read_text("utf-8"))
    return notebook


def executed(notebook: Notebook) -> Notebook:
    """Return the notebook with fresh outputs; they are printed while it runs, and the first error ends it."""
    import nbformat
    from nbclient import NotebookClient

    start = time.monotonic()

    def report(cell: Any, cell_index: int) -> None:
        if cell["cell_type"] == "code":
            print(f"cell {cell_index + 1}, at {time.monotonic() - start:.0f} s", flush=True)
            for output in cell["outputs"]:
                print(output.get("text", "") or f"[{', '.join(output.get('data', {}))}]", flush=True)

    document = nbformat.reads(json.dumps(notebook), as_version=4)
    with tempfile.TemporaryDirectory(prefix="fairmot_notebook_") as folder:
        os.environ["IPYTHONDIR"] = folder  # no history of this run in the user's home
        client = NotebookClient(
            document,
            timeout=CELL_LIMIT_S,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            on_cell_executed=lambda cell, cell_index, execute_reply: report(cell, cell_index),  # noqa: ARG005
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    return clean(json.loads(nbformat.writes(document)))


def clean(notebook: Notebook) -> Notebook:
    """Return a notebook without what differs between machines."""
    cells = []
    for cell in notebook["cells"]:
        kept = {name: cell[name] for name in ("cell_type", "id", "source")} | {"metadata": {}}
        if cell["cell_type"] == "code":
            kept |= {"execution_count": cell["execution_count"], "outputs": cell["outputs"]}
        cells.append(kept)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def with_code_of(english: Notebook, translation: Notebook) -> Notebook:
    """Return the translation with the code and the outputs of the English notebook.

    Raises:
        SystemExit: The two do not have the same kinds of cells in the same order.
    """
    if [cell["id"] for cell in english["cells"]] != [cell["id"] for cell in translation["cells"]]:
        raise SystemExit(f"{CHINESE.name} and {ENGLISH.name} have other cells: give both the same ids, in one order.")
    cells = [
        own if own["cell_type"] == "markdown" else other
        for own, other in zip(translation["cells"], english["cells"], strict=True)
    ]
    return {**english, "cells": cells}


if __name__ == "__main__":
    sys.exit(main())
