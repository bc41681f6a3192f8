"""``python -m fairmot_dla34``."""

import sys

from .commands.cli import main

sys.exit(main())
