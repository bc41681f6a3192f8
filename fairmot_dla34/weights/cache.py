"""Cache folder of downloaded weights, and the path of each registered file."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InvalidInputError
from .registry import WeightsEntry

HOME_VARIABLE = "FAIRMOT_DLA34_HOME"


def cache_dir() -> Path:
    """Return the cache folder: ``$FAIRMOT_DLA34_HOME`` if set, else the platform's. It may not exist yet.

    Raises:
        InvalidInputError: The variable names the home of an unknown user.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home:
        try:
            return Path(home).expanduser().absolute()
        except RuntimeError as error:
            raise InvalidInputError(
                f"${HOME_VARIABLE} is {home!r}, the home of an unknown user; set it to a folder, or unset it."
            ) from error
    import platformdirs

    return Path(platformdirs.user_cache_dir("fairmot_dla34", appauthor=False))


def kept_path(entry: WeightsEntry) -> Path:
    """Return the path of the file of ``entry``, in the cache or in this package. The file may not exist yet."""
    return entry.packaged_path or cache_dir() / f"{entry.name}.pdparams"
