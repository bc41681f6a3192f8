"""Small trees of published datasets: real image files, and labels in the published layout."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fairmot_dla34.datasets.formats.reading import DropReport, ReadOptions
from fairmot_dla34.datasets.formats.registry import read_format
from fairmot_dla34.datasets.values import SourceImage, SourceSequence

WIDTH, HEIGHT = 64, 48


def write_image(path: Path, width: int = WIDTH, height: int = HEIGHT, *, orientation: int | None = None) -> Path:
    """Write a grey image in the format of the suffix, with an EXIF orientation if one is given (JPEG)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix.lower(), np.full((height, width, 3), 127, np.uint8))
    assert ok
    content = data.tobytes()
    if orientation is not None:
        content = content[:2] + exif_segment(orientation) + content[2:]
    path.write_bytes(content)
    return path


def exif_segment(orientation: int, order: str = ">") -> bytes:
    tiff = {">": b"MM", "<": b"II"}[order] + struct.pack(f"{order}HI", 42, 8)
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff += struct.pack(f"{order}H", 1) + entry + struct.pack(f"{order}I", 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def write_text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def mot_sequence(folder: Path, *rows: str, frames: int = 3, rate: float | None = 14, names: Sequence[str] = ()) -> Path:
    """Write a sequence in MOTChallenge's layout."""
    for name in names or [f"{number:06d}.jpg" for number in range(1, frames + 1)]:
        write_image(folder / "img1" / name)
    if rate is not None:
        write_text(
            folder / "seqinfo.ini", "[Sequence]", f"name={folder.name}", "imDir=img1", f"frameRate={rate:g}",
            f"seqLength={frames}", f"imWidth={WIDTH}", f"imHeight={HEIGHT}", "imExt=.jpg",
        )  # fmt: skip
    write_text(folder / "gt" / "gt.txt", *rows)
    return folder


def read(name: str, root: Path, report: DropReport | None = None, **options: Any) -> list[SourceSequence]:
    return read_format(name, root, ReadOptions(**options), DropReport() if report is None else report)


def images_of(sequences: Sequence[SourceSequence]) -> list[SourceImage]:
    return [image for sequence in sequences for image in sequence.images]


def boxes_of(sequences: Sequence[SourceSequence]) -> list[list[list[float]]]:
    """Return the boxes of all images."""
    return [image.labels.boxes.tolist() for image in images_of(sequences)]


def counts(report: DropReport) -> Mapping[str, int]:
    return {reason: dropped.count for reason, dropped in report.reasons.items()}
