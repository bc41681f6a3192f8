"""``fairmot_dla34 train`` with a small network, in the processes that ``torchrun`` starts with this file.

A state is saved after every step. The environment variable ``KILLED`` names the rank of a process that kills itself
before step 5, and ``STOPPED`` that of a process that waits there; both before the first restart only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from small_training import WORDS, register_small

from fairmot_dla34.commands.main import main
from fairmot_dla34.training import loop, stepping

STEP = 5


class Stepper(stepping.Stepper):
    """The stepper of a process that does not always reach the end."""

    def step(self, *arguments: Any, step: int, **settings: Any) -> dict[str, float]:
        rank, is_first_start = os.environ.get("RANK", "0"), os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
        if step == STEP and is_first_start:
            if rank == os.environ.get("KILLED"):
                os.kill(os.getpid(), signal.SIGKILL)
            if rank == os.environ.get("STOPPED"):
                print("step 5", flush=True)
                time.sleep(1.0)
        return super().step(*arguments, step=step, **settings)


if __name__ == "__main__":
    from fairmot_dla34.training import run

    register_small()
    loop.SAVE_EVERY_S = 0.0
    setattr(run, "Stepper", Stepper)  # noqa: B010 (mypy: a class is not assigned to)
    sys.exit(main(["train", *WORDS, "--weights", "none", *sys.argv[1:]]))
