"""Small files of ground truth and results in MOT format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PLAIN = "1,-1,-1,-1"
PERSON = "1,1,1"  # confidence 1, class 1, fully visible, as in MOT17


def row(frame: int, track_id: int, left: float, *, tail: str = PLAIN) -> str:
    """Return the line of a box of 40x100 px."""
    return f"{frame},{track_id},{left},50,40,100,{tail}"


def walkers(frames: int = 4, ids: Iterable[int] = (1, 2), *, tail: str = PLAIN) -> list[str]:
    """Return the lines of people far apart who walk to the right."""
    return [
        row(frame, i, 200 * index + frame, tail=tail) for frame in range(1, frames + 1) for index, i in enumerate(ids)
    ]


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def seqinfo(path: Path, frames: int | str) -> Path:
    return write(path, ["[Sequence]", "name=any", "frameRate=30", f"seqLength={frames}"])
