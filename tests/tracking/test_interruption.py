"""Ctrl-C at any moment ends a run: no lock is left held, no thread is left, and the model can be closed.

A real Ctrl-C strikes where the interpreter looks for signals: when a Python function starts, and after a call of a C
function. The script interrupts a run at the first such moment, then another run at the second one, and so on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from clips import write_clip

SCRIPT = """
import faulthandler, sys, tempfile, threading
from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.tracking.job import track_to_files
from fairmot_dla34.tracking.options import OutputOptions
from videos import walking_boxes

WATCHED = ("fairmot_dla34", "contextlib.py", "threading.py")
source, step = sys.argv[1], int(sys.argv[2])


def run(moment, folder):
    passed = 0

    def interrupt(frame, event, _):
        nonlocal passed
        if event in ("call", "c_return") and any(name in frame.f_code.co_filename for name in WATCHED):
            passed += 1
            if passed == moment:
                raise KeyboardInterrupt

    model = FairMOT.from_backend(FakeBackend())
    faulthandler.dump_traceback_later(30, exit=True)  # a run takes a few milliseconds
    sys.setprofile(interrupt)
    try:
        track_to_files(
            lambda: model,
            walking_boxes(2) if source == "iterable" else source,
            output_options=OutputOptions(folder, visualization=False),
            progress=False,
        )
    except KeyboardInterrupt:
        pass
    except RuntimeError as error:  # of Python's own threading, if Ctrl-C strikes while it restores a lock
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
    finally:
        sys.setprofile(None)
    model.backend.close()
    for thread in threading.enumerate():  # one whose start was interrupted ends by itself
        if thread.name.startswith("fairmot_dla34") and thread.ident is not None:
            thread.join()
    faulthandler.cancel_dump_traceback_later()
    return passed >= moment


with tempfile.TemporaryDirectory() as folder:
    moment = 1
    while run(moment, folder):
        moment += step
print(moment)
"""


@pytest.mark.serial
@pytest.mark.parametrize(("kind", "step"), [("iterable", 1), ("file", 7)])
def test_a_run_that_is_interrupted_at_any_moment_ends(kind: str, step: int, tmp_path: Path) -> None:
    """A source once waited for ever for a lock that an interrupted context manager had left held."""
    source = "iterable" if kind == "iterable" else str(write_clip(tmp_path / "a.mp4", 3))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, source, str(step)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 300
