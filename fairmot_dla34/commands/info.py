"""The verb ``info``: versions, backends, devices, the cache, and a check with a known answer."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..arguments.json_output import printable_json
from ..backends import installed
from ..backends.openvino.int8_file import list_int8
from ..backends.probe import probe_openvino
from ..messages import plain_line
from ..weights import cache_dir, kept_path, registered

_CORE_PACKAGES = ("numpy", "opencv-python", "openvino", "onnx", "av")
_EXTRA_PACKAGES = ("paddlepaddle", "paddledet", "paddlehub", "onnxruntime", "nncf")

EXAMPLES = """\
examples:
  fairmot_dla34 info
  fairmot_dla34 info --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help="print JSON; default: text")


def run(arguments: argparse.Namespace) -> None:
    """Collect the information and print it."""
    info = collect_info()
    print(printable_json(json.dumps(info)) if arguments.json else info_text(info))


def collect_info() -> dict[str, Any]:
    """Collect versions, backends, devices, the cache, and the check with a known answer.

    A broken installation of OpenVINO is part of the information, as ``openvino_problem``.
    """
    probe = probe_openvino()
    return {
        "fairmot_dla34": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _CORE_PACKAGES + _EXTRA_PACKAGES},
        "backends": installed(),
        "openvino_problem": probe.problem,
        "devices": probe.devices,
        "deformable_convolutions": probe.deformable_convolutions,
        "cache": str(cache_dir()),
        "weights_here": [entry.name for entry in registered() if _is_file(kept_path(entry))],
        "int8_here": [asdict(facts) for facts in list_int8()],
        "selfcheck": probe.selfcheck,
    }


def info_text(info: dict[str, Any]) -> str:
    """Return the information as text for a person."""
    packages = ", ".join(f"{name} {number}" for name, number in info["packages"].items() if number)
    found = ", ".join(name for name, is_installed in info["backends"].items() if is_installed) or "none"
    lines = [
        f"fairmot_dla34 {info['fairmot_dla34']}, Python {info['python']}, {info['platform']}",
        f"packages: {packages}",
        f"backends installed: {found}",
        *([f"PROBLEM with openvino: {info['openvino_problem']}"] if info["openvino_problem"] else []),
        *(f"device {name}: {text}" for name, text in info["devices"].items()),
        f"deformable convolutions: {info['deformable_convolutions'] or 'only with openvino'}",
        f"cache: {info['cache']}",
        f"weights here: {', '.join(info['weights_here']) or 'none'}",
        *(
            f"int8 here: {one['weights']} at {one['input_size']}, calibrated on {one['frames']} frames of "
            f"{one['calibration']}"
            for one in info["int8_here"]
        ),
        f"known answer: {info['selfcheck'] or 'not run'}",
    ]
    return "\n".join(plain_line(line, limit=None) for line in lines)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except (PackageNotFoundError, KeyError, OSError, ValueError):  # absent, or its metadata is damaged
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder without permission
        return False
