"""The option ``--json``: JSON that every reader accepts, also for hostile names and numbers that JSON does not have."""

from __future__ import annotations

import json
import sys

from .options import Switch


def json_switch(printed: str) -> Switch:
    """Return the option that makes a verb print JSON.

    Args:
        printed: The part of the output that is printed so, such as ``the report``.
    """
    return Switch("json", {"json": (True, f"print {printed} as JSON; default: as text")}, "print JSON")


def printable_json(text: str) -> str:
    r"""Return JSON text that stdout can encode and a terminal shows as it is.

    NaN and infinite numbers become null. Text in which a character cannot be encoded, or is a control character,
    becomes ASCII with escapes such as ``\u4e2d``.

    Args:
        text: JSON as `json.dumps` returns it.
    """
    value = json.loads(text, parse_constant=lambda _: None)
    shown = json.dumps(value, indent=2, ensure_ascii=False)
    return shown if _can_print(shown) else json.dumps(value, indent=2)


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return all(character.isprintable() or character == "\n" for character in text)
