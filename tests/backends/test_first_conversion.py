"""The first use of OpenVINO by several threads at the same time: they hung in about one of three runs."""

from __future__ import annotations

import subprocess
import sys

# The interpreter is told to change threads often; the binding's lock is then held in the worst moment. The main thread
# hangs too, so that only another process can end the trial.
CODE = """
import sys, threading
from fairmot_dla34.backends.openvino.runtime import start_runtime
start_runtime()
import openvino
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
def convert():
    together.wait()
    openvino.Type.u8.to_dtype()
threads = [threading.Thread(target=convert, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


def test_threads_that_use_openvino_first_do_not_wait_for_each_other_for_ever() -> None:
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
        assert run.stdout.strip() == "done"
