"""Sources of ten frames that end in a given way."""

from __future__ import annotations

from collections.abc import Iterator

from videos import walking_boxes

from fairmot_dla34 import Frame
from fairmot_dla34.video import Source


class Camera(Source):
    """A live source of ten frames that ends in a given way."""

    is_live = True

    def __init__(self, ended: str = "end", error: BaseException | None = None) -> None:
        super().__init__("camera", native_rate=10.0, native_count=None)
        self.after, self.error = ended, error

    def _read_frames(self) -> Iterator[Frame]:  # type: ignore[override]
        for index, image in enumerate(walking_boxes(10)):
            yield Frame(index, index / 10, image)
        self.ended = self.after
        if self.error is not None:
            raise self.error

    def _describe(self) -> str:
        return "the camera"


class Recording(Camera):
    """A source that is not live."""

    is_live = False
