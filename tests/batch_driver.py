"""Runs the command with the backends ``fake`` and ``slow``, also in the worker processes, which import this script."""

from __future__ import annotations

import sys

from clips import SlowBackend

from fairmot_dla34.backends import BackendKind, register_backend
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main

register_backend(BackendKind("fake", lambda network, _: FakeBackend(network.input_size)))
register_backend(BackendKind("slow", lambda _, __: SlowBackend(0.05)))

if __name__ == "__main__":
    sys.exit(main())
