"""The report on a converted checkpoint, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config import InputSize

_UNITS = {"kB": 1e3, "MB": 1e6}


@dataclass(frozen=True)
class Conversion:
    """A checkpoint that was written in another format.

    Attributes:
        source: File that was read.
        path: File that was written.
        architecture: Name of the architecture.
        names: Name of the project whose array names the file has, such as ``ifzhang``.
        arrays: Number of arrays written that the network uses.
        bytes: Length of the file.
        input_size: Network input that the file states; None if it is not known.
        float16: Whether convolutions were rounded to float16.
        left_out: Names of the arrays that were read and not written.
        notes: Sentences on everything else that the file does not keep.
    """

    source: Path
    path: Path
    architecture: str
    names: str
    arrays: int
    bytes: int
    input_size: InputSize | None
    float16: bool
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def conversion_text(found: Conversion) -> str:
    """Return the report as text for a person."""
    size = f"input {found.input_size}" if found.input_size else "input size not known"
    kind = ", convolutions in float16" if found.float16 else ""
    facts = f"{found.architecture}, {found.arrays} arrays{kind}, {_length(found.bytes)}, {size}, names of {found.names}"
    lines = [f"{found.source} -> {found.path}", f"  {facts}"]
    if found.left_out:
        count, first = len(found.left_out), found.left_out[0]
        lines.append(f"  left out: {f'{count} arrays, such as {first}' if count > 1 else first}")
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)])


def conversion_fields(found: Conversion) -> dict[str, Any]:
    """Return the report as values that JSON has."""
    fields = asdict(found) | {"input_size": str(found.input_size) if found.input_size else None}
    loaded: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return loaded


def _length(count: int) -> str:
    unit = "MB" if count >= _UNITS["MB"] else "kB"
    return f"{count / _UNITS[unit]:.1f} {unit}"
