"""Environment variables in the sources of a settings file, and passwords that are written out in it."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ..errors import InvalidInputError

_log = logging.getLogger(__name__)

_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_KEYS = re.compile(r"pass|pwd|secret|token|auth|key|sig", re.IGNORECASE)


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """Return a text with the values of environment variables in place of ``${NAME}``.

    Args:
        text: Text, such as the source of a camera.
        environment: Variables by name.

    Raises:
        InvalidInputError: A variable is not set or is empty, or a ``${`` has no name and closing brace.
    """
    rest = _NAMED.sub("", text)
    if "${" in rest:
        raise InvalidInputError(
            "source has '${' without the name of an environment variable; expected letters, digits and underscores in "
            "braces, such as ${DOOR_PASSWORD}."
        )
    for name in _NAMED.findall(text):
        if not environment.get(name):
            fault = "is empty" if name in environment else "is not set"
            raise InvalidInputError(
                f"source names the environment variable {name}, which {fault}; set it before the start, or write the "
                "source without it."
            )
    return _NAMED.sub(lambda match: environment[match[1]], text)


def warn_of_passwords(path: str | os.PathLike[str], sources: Iterable[str]) -> None:
    """Log a warning if a settings file contains a password and every user of the system can read it.

    Args:
        path: Path of the file.
        sources: Sources as the file has them, before `with_variables`.
    """
    if os.name == "nt" or not any(map(_has_password, sources)):
        return
    if Path(path).stat().st_mode & stat.S_IROTH:
        _log.warning(
            "Settings file %s contains a password, and every user of this system can read it: chmod o-r, or write "
            "${NAME} in its place and set the environment variable NAME.",
            os.fspath(path),
        )


def _has_password(source: str) -> bool:
    """Return whether a URL has a password, or a query such as ``token=...``, that is not a variable."""
    if "://" not in source:
        return False
    literal = _NAMED.sub("", source)
    try:
        parts = urlsplit(literal)
        return bool(parts.password) or any(_SECRET_KEYS.search(key) for key, _ in parse_qsl(parts.query))
    except ValueError:  # not a valid URL, which is reported elsewhere
        return True
