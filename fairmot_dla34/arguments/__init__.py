"""Definitions of command-line options, shared by the verbs of ``fairmot_dla34`` and by ``hub run``.

Each option of a tracking run is defined once. The two commands differ only in the spelling: ``--frame-stride`` and
``--no-visualization`` in the verbs, ``--frame_stride`` and ``--visualization False`` in PaddleHub.
"""

from __future__ import annotations

from .options import Option, Switch, add_options
from .parser import Parser, run_action

__all__ = ["Option", "Parser", "Switch", "add_options", "run_action"]
