"""Broken installations of OpenVINO: `info` prints its diagnosis and `track` one line, with the true reason."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from trials import Trials, expect_one_line_error, run_command

FAKES = {
    "raises ImportError": ("raise ImportError('libtbb.so.12: cannot open shared object file')", "libtbb.so.12"),
    "raises OSError": ("raise OSError('libopenvino.so: file too short')", "file too short"),
    "raises RuntimeError": ("raise RuntimeError('built for another NumPy')", "built for another NumPy"),
    "raises AttributeError": ("import numpy; numpy.nothing_like_this", "nothing_like_this"),
    "does not parse": ("def (", "invalid syntax"),
    "lacks a module": ("import openvino_parts_that_are_absent", "openvino_parts_that_are_absent"),
    "is empty": ("", "Core"),
    "lacks a plugin": (
        (
            "__version__ = '2026.1.0-1'\nclass Core:\n    def get_versions(self, name):\n"
            "        raise RuntimeError('Device with \"CPU\" name is not registered in the OpenVINO Runtime')"
        ),
        "is not registered",
    ),
    "is of an old version": ("__version__ = '2022.1'\nclass Core: pass", "get_versions"),
}
CRASHES = {
    "aborts": ("import os; os.abort()", "SIGABRT"),
    "segfaults": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    "exits": ("raise SystemExit(3)", "exit code 3"),
}


@pytest.mark.parametrize("name", [*FAKES, *CRASHES])
def test_info_gives_the_reason(name: str, tmp_path: Path, trials: Trials) -> None:
    code, reason = (FAKES | CRASHES)[name]
    with trials("OpenVINO broken: info", name):
        ended = run_command("info", env=fake(tmp_path, code))
        assert ended.code == 0, ended.stderr
        for part in ("fairmot_dla34", "Python", "PROBLEM with openvino: ", reason, "weights here: sample", "not run"):
            assert part in ended.stdout
        if name in FAKES:
            assert "pip install --force-reinstall openvino" in ended.stdout


@pytest.mark.parametrize("name", ["raises OSError", "raises RuntimeError", "is empty", "is of an old version"])
def test_other_verbs_give_the_reason_in_one_line(name: str, tmp_path: Path, trials: Trials) -> None:
    code, reason = FAKES[name]
    with trials("OpenVINO broken: export", name):
        arguments = ("--weights", "sample", "--format", "openvino", "--output-dir", tmp_path)
        expect_one_line_error(run_command("export", *arguments, env=fake(tmp_path, code)), reason, "--force-reinstall")


def test_an_environment_without_openvino(tmp_path: Path, trials: Trials) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nclass Hidden:\n    def find_spec(self, name, *rest):\n        if name == 'openvino':\n"
        "            raise ModuleNotFoundError(\"No module named 'openvino'\", name='openvino')\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    with trials("OpenVINO broken: info", "not installed"):
        ended = run_command("info", env={"PYTHONPATH": str(tmp_path)})
        assert ended.code == 0, ended.stderr
        assert "PROBLEM with openvino: " in ended.stdout
        assert "not installed: pip install openvino" in ended.stdout
    with trials("OpenVINO broken: export", "not installed"):
        arguments = ("--weights", "sample", "--format", "openvino", "--output-dir", tmp_path)
        ended = run_command("export", *arguments, env={"PYTHONPATH": str(tmp_path)})
        expect_one_line_error(ended, "not installed", "pip install openvino")


@pytest.mark.slow
def test_files_of_the_real_package_are_missing_or_damaged(tmp_path: Path, trials: Trials) -> None:
    source = Path(str(importlib.util.find_spec("openvino").origin)).parent  # type: ignore[union-attr]
    names = ("libopenvino_intel_cpu_plugin.so", "libopenvino.so.*", "libtbb.so.*", "libopenvino_onnx_frontend.so.*")
    for index, pattern in enumerate(names):
        for how in ("missing", "empty", "text", "cut short"):
            folder = tmp_path / f"{index} {how}"
            link_tree(source, folder / "openvino")
            damaged = next((folder / "openvino" / "libs").glob(pattern))
            content = damaged.read_bytes()
            damaged.unlink()
            if how != "missing":
                damaged.write_bytes({"empty": b"", "text": b"<html>", "cut short": content[: len(content) // 2]}[how])
            with trials("OpenVINO broken: info", f"{pattern} {how}"):
                ended = run_command("info", env={"PYTHONPATH": str(folder)})
                assert ended.code == 0
                assert "weights here: sample" in ended.stdout
                assert "PROBLEM with openvino" in ended.stdout or "known answer: not run" in ended.stdout, ended.stdout


def fake(folder: Path, code: str) -> dict[str, str]:
    """Write a package `openvino` and return the environment in which it is found first."""
    package = folder / "fake" / "openvino"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code)
    return {"PYTHONPATH": str(folder / "fake")}


def link_tree(source: Path, target: Path) -> None:
    """Copy a folder as hard links, or as copies if the file systems differ."""
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, copy)
        except OSError:
            copy.write_bytes(path.read_bytes())
