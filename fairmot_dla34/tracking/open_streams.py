"""The open image streams of one `Module`, and the choice of the one that ``predict`` uses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from .image_stream import ImageStream
from .model import FairMOT
from .options import OutputOptions

if TYPE_CHECKING:
    from typing_extensions import Self


class OpenStreams:
    """The streams that are open, in the order in which they were entered; any thread may use it."""

    def __init__(self) -> None:
        self._entered: tuple[tuple[int, ImageStream], ...] = ()  # with the thread's number; replaced as a whole
        self._changing = threading.Lock()

    def innermost(self) -> ImageStream | None:
        """Return the last stream that this thread entered; if it has none, the last of all; None if none is open."""
        entered = self._entered
        own = [stream for thread, stream in entered if thread == threading.get_ident()]
        streams = own or [stream for _, stream in entered]
        return streams[-1] if streams else None

    def add(self, stream: ImageStream) -> None:
        """Add a stream that was entered."""
        with self._changing:
            self._entered = (*self._entered, (threading.get_ident(), stream))

    def remove(self, stream: ImageStream) -> None:
        """Remove a stream that ends; do nothing if it was not entered."""
        with self._changing:
            self._entered = tuple(entry for entry in self._entered if entry[1] is not stream)


class ModuleStream(ImageStream):
    """An image stream that `Module.predict` finds while it is open.

    Args:
        streams: Open streams of the module.
        load_model: Function that returns the model; see `ImageStream`.
        options: Outputs and their folder.
        frame_rate: Frames per second of the images.
        name: File stem of the outputs, if ``options`` has none.
    """

    def __init__(
        self,
        streams: OpenStreams,
        load_model: Callable[[], FairMOT],
        options: OutputOptions,
        *,
        frame_rate: float,
        name: str,
    ) -> None:
        super().__init__(load_model, options, frame_rate=frame_rate, name=name)
        self._streams = streams

    def __enter__(self) -> Self:
        super().__enter__()
        self._streams.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._streams.remove(self)
        super().__exit__(kind, error, traceback)
