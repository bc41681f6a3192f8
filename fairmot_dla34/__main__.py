"""``python -m fairmot_dla34``."""

import sys

from .cli import main

sys.exit(main())
