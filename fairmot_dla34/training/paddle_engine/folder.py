"""Names of the files in the folder of a run with PaddleDetection."""

from __future__ import annotations

from ..folder import RunFiles
from .configuration import CONFIG_FILE
from .snapshots import SETTINGS_FILE, SNAPSHOTS

DATA_FOLDER, START_FILE = "data", "start.pdparams"
RUN_FILES = RunFiles(SNAPSHOTS, marks=(SETTINGS_FILE,), others=(CONFIG_FILE, START_FILE, DATA_FOLDER))
