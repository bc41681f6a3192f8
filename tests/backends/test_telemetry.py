"""No telemetry: OpenVINO and NNCF report every import to their makers unless the package prevents it."""

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
NO_TELEMETRY = """
assert not connections, connections
assert sys.modules.get("openvino_telemetry", "") is not None  # other packages can still import it
"""


def run(code: str, home: Path) -> None:
    telemetry_off = ("CI", "TF_BUILD", "JENKINS_URL", "NNCF_CI", "NNCF_DEV")  # any of them would hide a failure
    kept = {name: value for name, value in os.environ.items() if name not in telemetry_off}
    environment = kept | {"HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not list(home.iterdir())


def test_openvino_sends_no_telemetry(tmp_path: Path) -> None:
    run(CODE + NO_TELEMETRY, tmp_path)


def test_nncf_sends_no_telemetry(tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="NNCF ABSENT: pip install '.[quantize]'")
    run(CODE + WITH_NNCF + NO_TELEMETRY, tmp_path)
