"""Arrays in memory, or made as they are asked for."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from ..values import Frame, check_image
from .names import ARRAYS_NAME
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable


class ArraySource(Source):
    """Any iterable of BGR pictures; one is held at a time.

    It is the caller's: it may hand out one array again and again, belong to the thread that made it, or wait for a
    picture's result before it makes the next one. So nothing is read before it is asked for.
    """

    reads_ahead = False

    def __init__(self, images: Iterable[Any], *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Take an iterable without starting it.

        Args:
            images: ``(H, W, 3)`` uint8 BGR arrays, of any size each.
            frame_rate: Frames per second of the pictures.
            frame_stride: Hand out every n-th picture.
        """
        count = len(images) if isinstance(images, Sized) else None
        super().__init__(
            ARRAYS_NAME, native_rate=None, native_count=count, frame_rate=frame_rate, frame_stride=frame_stride
        )
        self._images = images

    def _describe(self) -> str:
        return "The iterable of images"

    def _frames(self) -> Generator[Frame]:
        for index, image in enumerate(self._images):
            check_image(image, f"image {index}")
            if self._wanted(index):
                yield Frame(index, index / self.native_rate, image)

    def _release(self) -> None:
        self._images = ()
