"""What importing costs, and who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fairmot_dla34

PACKAGE = Path(fairmot_dla34.__file__).parent
HEAVY = ("paddle", "openvino", "nncf", "cv2", "onnx", "onnxruntime", "av", "numpy", "requests", "scipy")

# Each may import those on its own line and on the lines above it (DESIGN: import direction).
LAYERS = [
    {
        *("errors", "config", "values", "geometry", "writing", "progress", "console"),
        *("hub_compat", "hub_run", "ahead", "telemetry"),
    },
    {"association", "video", "outputs", "weights", "network"},
    {"backends", "evaluation", "synth"},
    {"session", "selfcheck", "delayed"},
    {"pipeline"},
    {"model"},
    {"run", "export", "info", "quantization"},
    {"stream"},
    {"module"},
    {"demo"},
    {"cli"},
    {"__main__", "__init__"},
]
# Between neighbours: the reader checks a checkpoint against the arrays the network needs, and the drawn video is
# encoded beside where videos are decoded.
SIDEWAYS = {("weights", "network"), ("outputs", "video")}


def test_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, fairmot_dla34; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python(code) == "[]"


def test_the_openvino_path_imports_no_paddle() -> None:
    code = (
        "import sys, fairmot_dla34.backends.selfcheck as s; s.run_selfcheck('openvino');"
        "print([name for name in ('paddle', 'ppdet', 'paddlehub', 'torch', 'nncf') if name in sys.modules])"
    )
    assert python(code) == "[]"


def test_there_are_few_public_names_and_all_exist() -> None:
    assert len(fairmot_dla34.__all__) <= 15
    for name in fairmot_dla34.__all__:
        assert getattr(fairmot_dla34, name) is not None
    assert sorted(fairmot_dla34.__all__) == fairmot_dla34.__all__
    with pytest.raises(AttributeError, match="FairMot"):
        _ = fairmot_dla34.FairMot


def test_the_modules_version_is_the_packages() -> None:
    """PaddleHub reads the literal from the source, so it cannot be computed."""
    tree = ast.parse((PACKAGE / "module.py").read_text("utf-8"))
    (info,) = (node.decorator_list[0] for node in tree.body if isinstance(node, ast.ClassDef))
    assert isinstance(info, ast.Call)
    values = {keyword.arg: keyword.value for keyword in info.keywords}
    assert all(isinstance(value, ast.Constant) and isinstance(value.value, str) for value in values.values())
    assert values["version"].value == fairmot_dla34.__version__
    assert values["name"].value == "fairmot_dla34"


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file: Path) -> None:
    unit = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    level = level_of(unit)
    for target in imported_units(file):
        allowed = target == unit or level_of(target) < level or (unit, target) in SIDEWAYS
        assert allowed or level == level_of(target) == 0, f"{unit} imports {target}"


def imported_units(file: Path) -> set[str]:
    """Return which parts of the package a file imports, relative imports only."""
    depth = len(file.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fairmot_dla34"))
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {name.split(".")[0] for name in names if name != "__version__"}
    return found


def level_of(unit: str) -> int:
    return next(level for level, units in enumerate(LAYERS) if unit in units)


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
