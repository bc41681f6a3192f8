"""Import rules: the packages that an import loads, the order of the folders, and no cycles."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import pytest

import fairmot_dla34

PACKAGE = Path(fairmot_dla34.__file__).parent
HEAVY = ("paddle", "openvino", "nncf", "cv2", "onnx", "onnxruntime", "av", "numpy", "requests", "scipy", "torch")

# A folder may import the folders of earlier lines, and those of its own line if no cycle results
# (docs/architecture.md). The modules in the package's root are the vocabulary, except the two entry points.
LAYERS = (
    ("vocabulary",),
    ("console",),
    ("architectures", "association", "datasets", "interop", "outputs", "video", "weights"),
    ("backends",),
    ("tracking",),
    ("analytics", "detections", "evaluation", "interchange", "quantization", "reporting", "synth", "zone_page"),
    ("batch", "cameras", "training"),
    ("cluster",),
    ("arguments",),
    ("hub", "module"),
    ("commands",),
    ("__init__", "__main__"),
)


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = f"import sys, fairmot_dla34; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python(code) == "[]"


def test_the_openvino_backend_loads_no_training_framework() -> None:
    code = (
        "import sys, fairmot_dla34.backends.selfcheck as s; s.run_selfcheck('openvino');"
        "print([name for name in ('paddle', 'ppdet', 'paddlehub', 'torch', 'nncf') if name in sys.modules])"
    )
    assert python(code) == "[]"


def test_public_names_are_few_and_exist() -> None:
    assert len(fairmot_dla34.__all__) <= 15
    for name in fairmot_dla34.__all__:
        assert getattr(fairmot_dla34, name) is not None
    assert sorted(fairmot_dla34.__all__) == fairmot_dla34.__all__
    with pytest.raises(AttributeError, match="FairMot"):
        _ = fairmot_dla34.FairMot


def test_the_module_states_the_version_of_the_package() -> None:
    """PaddleHub reads the literal from the source, so it cannot be computed."""
    tree = ast.parse((PACKAGE / "module.py").read_text("utf-8"))
    (info,) = (node.decorator_list[0] for node in tree.body if isinstance(node, ast.ClassDef))
    assert isinstance(info, ast.Call)
    values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in info.keywords}
    assert all(isinstance(keyword.value, ast.Constant) for keyword in info.keywords)
    assert all(isinstance(value, str) for value in values.values())
    assert values["version"] == fairmot_dla34.__version__
    assert values["name"] == "fairmot_dla34"


def test_every_folder_has_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders <= {folder for layer in LAYERS for folder in layer}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_module_imports_a_later_layer(file: Path) -> None:
    folder = folder_of(file.relative_to(PACKAGE).with_suffix("").parts)
    for target in imports_of(file):
        assert layer_of(folder_of(target)) <= layer_of(folder), f"{folder} imports {'.'.join(target)}"


def test_no_import_cycle() -> None:
    """Neither between modules nor between folders. Imports for type checking only do not count."""
    graph = {module_of(file): imports_of(file, at_run_time=True) for file in PACKAGE.rglob("*.py")}
    folders: dict[str, set[str]] = {}
    for module, targets in graph.items():
        folders.setdefault(folder_of(module), set()).update(map(folder_of, targets))
    assert not cycle(graph)
    assert not cycle({folder: targets - {folder} for folder, targets in folders.items()})


Node = TypeVar("Node")


def cycle(edges: dict[Node, set[Node]]) -> set[Node]:
    """Return the nodes that are on a cycle or lead to one."""
    while leaves := {node for node, targets in edges.items() if not targets & edges.keys()}:
        edges = {node: targets for node, targets in edges.items() if node not in leaves}
    return set(edges)


Module = tuple[str, ...]  # ("backends", "openvino", "graph"); a package without its __init__


def module_of(file: Path) -> Module:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def imports_of(file: Path, *, at_run_time: bool = False) -> set[Module]:
    """Return the modules of the package that a file imports; ``from .x import y`` counts as x.y and as x."""
    tree = ast.parse(file.read_text("utf-8"))
    skipped = set()
    if at_run_time:  # the bodies of functions run later, those under TYPE_CHECKING never
        for node in ast.walk(tree):
            checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            if checking or isinstance(node, ast.FunctionDef):
                skipped |= set(ast.walk(node))
    found = set()
    folder = file.relative_to(PACKAGE).parent.parts
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node in skipped:
            continue
        assert not (node.module or "").startswith("fairmot_dla34"), "PaddleHub copies the folder: imports are relative"
        if node.level:
            base = folder[: len(folder) - node.level + 1] + tuple((node.module or "").split(".") if node.module else ())
            found |= {(*base, alias.name) if is_module((*base, alias.name)) else base for alias in node.names}
    return {module for module in found if module}


def is_module(module: Module) -> bool:
    path = PACKAGE.joinpath(*module)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def folder_of(module: Module) -> str:
    name = module[0] if module else "__init__"
    return name if any(name in layer for layer in LAYERS) else "vocabulary"


def layer_of(folder: str) -> int:
    return next(level for level, folders in enumerate(LAYERS) if folder in folders)


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
