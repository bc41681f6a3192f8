"""Small ground truth and results, written as people have them on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PLAIN = "1,-1,-1,-1"
PERSON = "1,1,1"  # counts, class 1, fully visible: MOT17


def row(frame: int, identity: int, left: float, *, tail: str = PLAIN) -> str:
    """A box of 40 x 100 px."""
    return f"{frame},{identity},{left},50,40,100,{tail}"


def walkers(frames: int = 4, ids: Iterable[int] = (1, 2), *, tail: str = PLAIN) -> list[str]:
    """People far apart who walk to the right."""
    return [
        row(frame, i, 200 * place + frame, tail=tail) for frame in range(1, frames + 1) for place, i in enumerate(ids)
    ]


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def seqinfo(path: Path, frames: int | str) -> Path:
    return write(path, ["[Sequence]", "name=any", "frameRate=30", f"seqLength={frames}"])
