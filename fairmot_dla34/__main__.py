"""Runs the command line for ``python -m fairmot_dla34``."""

import sys

from .commands.main import main

sys.exit(main())
