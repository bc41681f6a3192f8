"""OpenVINO and NNCF report every import to their makers unless kept from it; here nothing leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import logging, sys
connections = []
opening = {"socket.connect", "socket.getaddrinfo"}
sys.addaudithook(lambda event, _: connections.append(event) if event in opening else None)
from fairmot_dla34.backends.selfcheck import run_selfcheck
run_selfcheck("openvino")
"""
WITH_NNCF = """
from fairmot_dla34.quantization.post_training import _import_nncf
nncf = _import_nncf()
assert type(nncf.telemetry.decorator.telemetry).__name__ == "MagicMock"
assert logging.getLoggerClass() is logging.Logger
"""
THERE_IS_NOTHING = """
assert not connections, connections
assert sys.modules.get("openvino_telemetry", "") is not None  # others find it as before
"""


def run(code: str, home: Path) -> None:
    named = ("CI", "TF_BUILD", "JENKINS_URL", "NNCF_CI", "NNCF_DEV")  # where telemetry is off anyway
    environment = {name: value for name, value in os.environ.items() if name not in named} | {"HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not list(home.iterdir())


def test_openvino_runs_without_a_word_to_its_maker(tmp_path: Path) -> None:
    run(CODE + THERE_IS_NOTHING, tmp_path)


def test_nor_does_nncf_send_any(tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="NNCF ABSENT: pip install 'fairmot_dla34[quantize]'")
    run(CODE + WITH_NNCF + THERE_IS_NOTHING, tmp_path)
