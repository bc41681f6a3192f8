"""Writes tables of an analytics file as TOML 1.0 text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..config import is_number, shown
from ..errors import InvalidInputError


def to_toml(tables: Mapping[str, Any]) -> str:
    """Return TOML text that reads back as the same tables.

    Args:
        tables: Tables and lists of tables by name, in the order of the text. Values are texts, booleans, finite
            numbers and lists of them. None is left out.

    Raises:
        InvalidInputError: A value has another type.
    """
    parts = []
    for name, table in tables.items():
        rows = table if isinstance(table, (list, tuple)) else [table]
        header = f"[[{name}]]" if rows is table else f"[{name}]"
        for row in rows:
            lines = [f"{key} = {_value(value)}\n" for key, value in row.items() if value is not None]
            parts.append(f"{header}\n{''.join(lines)}")
    return "\n".join(parts)


def _value(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's escapes include those of JSON
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    raise InvalidInputError(f"A value is {shown(value)}; expected a text, a number, true, false or a list of them.")
