"""Source of arrays that are in memory or made on demand."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from ..origin import ORIGIN_OF_ARRAYS, Origin
from ..values import Frame, check_image
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable


class ArraySource(Source):
    """Any iterable of BGR images, read one at a time.

    The iterable belongs to the caller. It may reuse one array, need the thread that created it, or wait for an image's
    result before it makes the next image. So an image is read only when it is asked for.
    """

    reads_ahead = False

    def __init__(self, images: Iterable[Any], *, frame_rate: float | None = None, frame_stride: int = 1) -> None:
        """Keep the iterable without starting it.

        Args:
            images: ``(H, W, 3)`` uint8 BGR arrays; sizes may differ.
            frame_rate: Frames per second of the images.
            frame_stride: Use every n-th image.

        Raises:
            InvalidInputError: The frame rate or the stride is out of its range.
        """
        count = len(images) if isinstance(images, Sized) else None
        super().__init__(
            ORIGIN_OF_ARRAYS.name,
            native_rate=None,
            native_count=count,
            frame_rate=frame_rate,
            frame_stride=frame_stride,
        )
        self._images = images

    @property
    def origin(self) -> Origin:
        """Identity, the same for all arrays."""
        return ORIGIN_OF_ARRAYS

    def _describe(self) -> str:
        """Return the name used in messages."""
        return "The iterable of images"

    def _read_frames(self) -> Generator[Frame]:
        """Yield the selected images of the iterable.

        Raises:
            InvalidInputError: An item is not a BGR image.
        """
        for index, image in enumerate(self._images):
            check_image(image, f"image {index}")
            if self._is_selected(index):
                yield Frame(index, index / self.native_rate, image)

    def _release(self) -> None:
        """Drop the iterable."""
        self._images = ()
