"""Probes OpenVINO in a process of its own, so that a broken installation cannot end or block the caller."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ..errors import FairMOTError
from ..messages import plain_line
from .base import reason_of
from .selfcheck import TOLERANCE, run_selfcheck

if TYPE_CHECKING:
    import openvino

_TIMEOUT_S = 300
# The child gets the parent's search path: the first entry differs between `-c`, `-m` and the console script.
_CODE = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); importlib.import_module(sys.argv[2]).main()"
)


@dataclass(frozen=True)
class Probe:
    """Result of a test of OpenVINO on this machine.

    Attributes:
        problem: The reason why OpenVINO cannot be used, with a remedy; empty if it can.
        devices: Name and capabilities of each device.
        deformable_convolutions: The operator in use for deformable convolutions, and the reason.
        selfcheck: Verdict of the check with a known answer.
    """

    problem: str = ""
    devices: dict[str, str] = field(default_factory=dict)
    deformable_convolutions: str = ""
    selfcheck: str = ""


def probe_openvino() -> Probe:
    """Probe OpenVINO; nothing that it does raises an error here."""
    if not sys.executable:  # Python is embedded in another program
        return probe_here()
    command = [sys.executable, "-c", _CODE, json.dumps(sys.path), __name__]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probe(plain_line(f"it could not be probed ({error})"))
    try:
        return Probe(**json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        return Probe(_end_of(done))


def probe_here() -> Probe:
    """Probe OpenVINO in this process."""
    from .openvino.deformable import load_operator
    from .openvino.runtime import start_runtime

    try:
        core = start_runtime()
        return Probe("", _devices(core), load_operator(core).status, _selfcheck())
    except Exception as error:  # noqa: BLE001 (broken packages raise anything; the diagnosis goes on)
        return Probe(_reason(error), selfcheck="not run")


def main() -> None:
    """Print the probe as JSON, for the parent process."""
    print(json.dumps(asdict(probe_here())))  # noqa: T201


def _devices(core: openvino.Core) -> dict[str, str]:
    found = {}
    for name in core.available_devices:
        try:
            capabilities = " ".join(sorted(core.get_property(name, "OPTIMIZATION_CAPABILITIES")))
            found[name] = f"{core.get_property(name, 'FULL_DEVICE_NAME')}, {capabilities}"
        except RuntimeError as error:  # a driver that does not fit
            found[name] = f"not usable: {plain_line(reason_of(error))}"
    return found


def _selfcheck() -> str:
    try:
        difference = run_selfcheck()
    except Exception as error:  # noqa: BLE001 (as above)
        return f"not run: {_reason(error)}"
    verdict = "ok" if difference <= TOLERANCE else "WRONG, please report it with this page"
    return f"{verdict}, off by {difference:.1e} (up to {TOLERANCE:.0e} is rounding)"


def _reason(error: Exception) -> str:
    kind = "" if isinstance(error, FairMOTError) else f"{type(error).__name__}: "
    return plain_line(f"{kind}{reason_of(error)}")


def _end_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Describe the end of a process that printed no result."""
    if done.returncode < 0:
        try:
            name = signal.Signals(-done.returncode).name
        except ValueError:
            name = f"signal {-done.returncode}"
        return f"loading OpenVINO ends the process ({name}); install it again: pip install --force-reinstall openvino"
    lines = done.stderr.decode(errors="backslashreplace").splitlines()
    return plain_line(f"probing it failed ({lines[-1] if lines else f'exit code {done.returncode}'})")
