"""Sources made by tests: image files, and sequences of them as a reader returns them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairmot_dla34.datasets import NO_IDENTITY, ImageLabels, SourceImage, SourceSequence
from fairmot_dla34.datasets.formats.registry import READERS

SIZE = (64, 48)  # width and height in px
Row = tuple[float, float, float, float, int]  # xyxy in px and identity


def write_image(path: Path, value: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """Write an image whose content depends on ``value``, in the format of the suffix."""
    width, height = size
    pixels = np.random.default_rng(value).integers(0, 255, (height, width, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), pixels)[1].tobytes())
    return path


def labels(rows: Iterable[Row] = (), ignored: Iterable[tuple[float, float, float, float]] = ()) -> ImageLabels:
    table = np.array(list(rows), np.float64).reshape(-1, 5)
    return ImageLabels(
        table[:, :4].astype(np.float32),
        table[:, 4].astype(np.int64),
        np.zeros(len(table), np.int64),
        np.array(list(ignored), np.float32).reshape(-1, 4),
    )


def image(path: Path, *rows: Row, value: int | None = None, size: tuple[int, int] = SIZE) -> SourceImage:
    """Return an image with boxes; its file is written unless it exists."""
    if not path.exists():
        write_image(path, zlib.crc32(path.name.encode() + path.parent.name.encode()) if value is None else value, size)
    return SourceImage(path, *size, labels(rows))


def video(folder: Path, name: str, frames: int = 4, ids: tuple[int, ...] = (7, 900)) -> SourceSequence:
    """Return a video of people who walk to the right, with sparse identities."""
    images = [
        image(
            folder / name / f"{frame + 1:06d}.jpg",
            *(
                (8.0 + 3 * frame + 20 * place, 6.0, 20.0 + 3 * frame + 20 * place, 40.0, i)
                for place, i in enumerate(ids)
            ),
        )
        for frame in range(frames)
    ]
    return SourceSequence(name, images, is_video=True, frame_rate=10.0)


def stills(folder: Path, name: str = "photos", count: int = 10) -> SourceSequence:
    images = [image(folder / name / f"p{place}.jpg", (5, 5, 20, 40, NO_IDENTITY)) for place in range(count)]
    return SourceSequence(name, images, is_video=False)


def register(monkeypatch: pytest.MonkeyPatch, *sequences: SourceSequence) -> str:
    """Make the sequences what the format ``made`` reads; return its name."""
    monkeypatch.setitem(READERS, "made", lambda *_: list(sequences))
    return "made"
