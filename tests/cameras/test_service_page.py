"""The texts of docs/cameras.md that a reader copies: settings, systemd unit, container, Prometheus, Python."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import fairmot_dla34.cameras
from fairmot_dla34.cameras import WatchConfig
from fairmot_dla34.cameras.config import OUTPUT, SETTINGS
from fairmot_dla34.cameras.metrics import _FIELDS
from fairmot_dla34.commands.main import make_parser

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, CHINESE = ((DOCS / name).read_text("utf-8") for name in ("cameras.md", "cameras.zh.md"))


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


@pytest.mark.parametrize("language", ["", "toml", "ini", "dockerfile", "yaml", "json", "python"])
def test_both_languages_have_the_same_text_to_copy(language: str) -> None:
    assert blocks(PAGE, language) == blocks(CHINESE, language) != []


def test_the_settings_are_accepted(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "toml")
    (tmp_path / "cameras.toml").write_text(text)
    (tmp_path / "door.toml").write_text('[[line]]\nname = "in"\nstart = [0, 10]\nend = [50, 10]\n')
    config = WatchConfig.from_toml(tmp_path / "cameras.toml", {"DOOR_PASSWORD": "x"})
    assert [camera.name for camera in config.cameras] == ["door", "hall"]


def test_every_setting_option_and_metric_is_on_the_page() -> None:
    for page in (PAGE, CHINESE):
        for name in (*SETTINGS, *OUTPUT, "weight", "max_fps", "analytics"):
            assert f"`{name}`" in page, name
        for metric in _FIELDS:
            assert f"`fairmot_camera_{metric.name}`" in page
        parser = make_parser(["watch"]).parse(["watch", "0"]).parser
        for option in parser._option_string_actions:
            assert option in {"-h", "--help", "-v", "--verbose"} or f"`{option}" in page, option


def test_each_command_is_accepted() -> None:
    """Of the examples, the unit and the container."""
    lines = "\n".join((*blocks(PAGE, ""), *blocks(PAGE, "ini"))).replace("\\\n", " ").splitlines()
    commands = [found[1] for line in lines if (found := re.search(r"fairmot\w* (watch .*)", line))]
    assert len(commands) == 4
    for command in commands:
        make_parser(["watch"]).parse(shlex.split(command))


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("SYSTEMD-ANALYZE ABSENT")
    (unit,) = blocks(PAGE, "ini")
    path = tmp_path / "fairmot-watch.service"
    path.write_text(re.sub(r"ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=30, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if path.name in line]
    assert (done.returncode, complaints) == (0, [])


def test_the_python_examples_use_names_that_exist() -> None:
    for text in blocks(PAGE, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module == "fairmot_dla34.cameras":
                for name in node.names:
                    assert name.name in fairmot_dla34.cameras.__all__
                    assert getattr(fairmot_dla34.cameras, name.name) is not None
