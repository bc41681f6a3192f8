"""Names of output files: checks one that a user chose, and makes safe one that was derived from a source."""

from __future__ import annotations

import os
import re

from .errors import InvalidInputError
from .messages import UNSAFE

MAX_NAME_CHARS = 120
MAX_NAME_BYTES = 200  # in UTF-8: file systems allow 255, and suffixes follow

_SEPARATORS = re.compile(r'[\\/:*?"<>|]' if os.name == "nt" else r"[\\/]")  # a backslash also for shared folders
# Windows opens a device for these, whatever the suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


def check_file_name(value: object) -> str:
    """Return ``value`` if it is the stem of a file on every system: no folder, no control character, not too long.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"name is a {type(value).__name__}; expected text, such as entrance.")
    if value and value == safe_file_name(value, ""):
        return value
    if len(value) > MAX_NAME_CHARS or len(value.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise InvalidInputError(
            f"name has {len(value)} characters; expected at most {MAX_NAME_CHARS}, and {MAX_NAME_BYTES} bytes in UTF-8."
        )
    raise InvalidInputError(
        f"name is {value!r}; expected a plain file name, such as entrance: no folder, no control character, no dot or"
        " space at its ends, not a device of Windows."
    )


def safe_file_name(text: str, fallback: str) -> str:
    """Return a text as the stem of a file on every system; a text without usable characters becomes ``fallback``."""
    name = _SEPARATORS.sub("_", UNSAFE.sub("_", text)).strip(". ")[:MAX_NAME_CHARS]
    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip(". ")
    device = _DEVICES.match(name)
    if device:
        name = f"{device[1]}_{name[device.end(1) :]}"[:MAX_NAME_CHARS]
    return name or fallback
