"""Python started inside a source tree: the installed package's operator runs if it fits, else the reason is true."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import openvino
import pytest

import fairmot_dla34
from fairmot_dla34.backends.openvino.deformable import load_operator

PACKAGE = Path(fairmot_dla34.__file__).parent
OPERATOR = "backends/openvino/deformable/libfairmot_deformable.so"
CODE = """
import openvino
from fairmot_dla34.backends.openvino.deformable import load_operator
operator = load_operator(openvino.Core())
print(operator.library)
print(operator.status)
"""

pytestmark = pytest.mark.skipif(
    load_operator(openvino.Core()).library is None, reason="COMPILED OPERATOR ABSENT: there is nothing to find"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a source tree in which the operator was not built."""
    folder = tmp_path / "clone"
    copy_package(folder)
    (folder / "fairmot_dla34" / OPERATOR).unlink()
    (folder / "setup.py").touch()
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with an installed package and its metadata."""
    folder = tmp_path / "site"
    copy_package(folder)
    metadata = folder / f"fairmot_dla34-{fairmot_dla34.__version__}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: fairmot_dla34\nVersion: {fairmot_dla34.__version__}\n"
    )
    files = [path.relative_to(folder).as_posix() for path in (folder / "fairmot_dla34").rglob("*") if path.is_file()]
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    return folder


def test_the_operator_of_the_installed_package_is_used(clone: Path, site: Path) -> None:
    assert load_in(clone, site) == [str(site / "fairmot_dla34" / OPERATOR), "compiled operator"]


def test_without_an_installed_operator_the_reason_names_the_source_tree(clone: Path, site: Path) -> None:
    (site / "fairmot_dla34" / OPERATOR).unlink()
    library, status = load_in(clone, site)
    assert library == "None"
    assert f"Python runs the source tree {clone}, which has no compiled operator" in status
    assert "pip install" in status


@pytest.mark.parametrize("name", ["kernel.hpp", "operator.cpp"])
def test_an_operator_of_other_sources_never_runs(name: str, clone: Path, site: Path) -> None:
    with (clone / "fairmot_dla34" / "backends" / "openvino" / "deformable" / name).open("a") as source:
        source.write("// changed\n")
    library, status = load_in(clone, site)
    assert library == "None"
    assert "was built from other sources" in status


def copy_package(folder: Path) -> None:
    folder.mkdir()
    shutil.copytree(PACKAGE, folder / "fairmot_dla34", ignore=shutil.ignore_patterns("__pycache__"))
    library = load_operator(openvino.Core()).library
    assert library
    if not (folder / "fairmot_dla34" / OPERATOR).is_file():
        shutil.copy(library, folder / "fairmot_dla34" / OPERATOR)


def load_in(clone: Path, site: Path) -> list[str]:
    """Load the operator in a process started in the source tree; only the package in ``site`` is installed."""
    setup = f"""
import sys, importlib.metadata as metadata
sys.path.insert(1, {str(site)!r})
found = metadata.distributions
metadata.distributions = lambda **names: (one for one in found(**names) if str(one.locate_file("")) == {str(site)!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", setup + CODE],
        check=True,
        capture_output=True,
        text=True,
        cwd=clone,
    )
    return done.stdout.splitlines()
