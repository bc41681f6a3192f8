"""The verb ``info``: versions, backends, devices, the cache, and a check with a known answer."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__
from ..arguments.json_output import printable_json
from ..backends import installed
from ..backends.openvino.deformable import load_operator
from ..backends.openvino.int8_file import list_int8
from ..backends.openvino.telemetry import no_telemetry
from ..backends.selfcheck import TOLERANCE, run_selfcheck
from ..errors import BackendError
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
    """Collect versions, backends, devices, the cache, and the check with a known answer."""
    backends = installed()
    return {
        "fairmot_dla34": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _CORE_PACKAGES + _EXTRA_PACKAGES},
        "backends": backends,
        "devices": _openvino_devices() if backends["openvino"] else {},
        "deformable_convolutions": _deformable_convolutions() if backends["openvino"] else "",
        "cache": str(cache_dir()),
        "weights_here": [entry.name for entry in registered() if kept_path(entry).is_file()],
        "int8_here": [asdict(facts) for facts in list_int8()],
        "selfcheck": _selfcheck(),
    }


def info_text(info: dict[str, Any]) -> str:
    """Return the information as text for a person."""
    packages = ", ".join(f"{name} {number}" for name, number in info["packages"].items() if number)
    found = ", ".join(name for name, is_installed in info["backends"].items() if is_installed) or "none"
    lines = [
        f"fairmot_dla34 {info['fairmot_dla34']}, Python {info['python']}, {info['platform']}",
        f"packages: {packages}",
        f"backends installed: {found}",
        *(f"device {name}: {text}" for name, text in info["devices"].items()),
        f"deformable convolutions: {info['deformable_convolutions'] or 'only with openvino'}",
        f"cache: {info['cache']}",
        f"weights here: {', '.join(info['weights_here']) or 'none'}",
        *(
            f"int8 here: {one['weights']} at {one['input_size']}, calibrated on {one['frames']} frames of "
            f"{one['calibration']}"
            for one in info["int8_here"]
        ),
        f"known answer: {info['selfcheck']}",
    ]
    return "\n".join(lines)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _openvino_devices() -> dict[str, str]:
    with no_telemetry():
        import openvino

    core = openvino.Core()
    return {
        name: f"{core.get_property(name, 'FULL_DEVICE_NAME')}, "
        f"{' '.join(sorted(core.get_property(name, 'OPTIMIZATION_CAPABILITIES')))}"
        for name in core.available_devices
    }


def _deformable_convolutions() -> str:
    with no_telemetry():
        import openvino

    return load_operator(openvino.Core()).status


def _selfcheck() -> str:
    try:
        difference = run_selfcheck()
    except BackendError as error:
        return f"not run: {error}"
    verdict = "ok" if difference <= TOLERANCE else "WRONG, please report it with this page"
    return f"{verdict}, off by {difference:.1e} (up to {TOLERANCE:.0e} is rounding)"
