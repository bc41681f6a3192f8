"""A source defined outside the package: the worked example of docs/extending.md."""
# ruff: noqa: ERA001 (the markers of the example)

from __future__ import annotations

import pytest
from videos import walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError

# isort: split
# example: start
from collections.abc import Generator
from pathlib import Path

import numpy as np

from fairmot_dla34 import Frame
from fairmot_dla34.video import Source


class NpySource(Source):
    """A folder of ``.npy`` files, each a ``(H, W, 3)`` uint8 BGR image."""

    def __init__(self, folder: Path, *, frame_rate: float, frame_stride: int = 1) -> None:
        self._files = sorted(folder.glob("*.npy"))
        super().__init__(
            folder.name,
            native_rate=frame_rate,
            native_count=len(self._files),
            frame_stride=frame_stride,
        )

    def _describe(self) -> str:
        return f"Folder {self.name}"

    def _read_frames(self) -> Generator[Frame]:
        for index, file in enumerate(self._files):
            if self._is_selected(index):
                try:
                    yield Frame(index, index / self.native_rate, np.load(file))
                except (OSError, ValueError) as error:  # not an array, or not an image
                    self._skip_frame(index, error)


# example: end


def test_own_source(tmp_path: Path) -> None:
    for index, image in enumerate(walking_boxes(6)):
        np.save(tmp_path / f"{index:04}.npy", image)
    (tmp_path / "0002.npy").write_bytes(b"not an array")
    model = FairMOT.from_backend(FakeBackend())
    source = NpySource(tmp_path, frame_rate=10, frame_stride=2)
    assert [result.index for result in model.track(source)] == [0, 4]
    assert (source.frames_skipped, source.closed) == (1, True)
    with pytest.raises(InvalidInputError, match="beside a NpySource; expected neither"):
        next(model.track(NpySource(tmp_path, frame_rate=10), frame_stride=2))
