"""Stream mode: images arrive in calls; ids and outputs continue between the calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..config import check_frame_rate
from ..errors import InvalidInputError, StateError
from ..file_names import check_file_name
from ..not_picklable import NotPicklable
from ..origin import ORIGIN_OF_ARRAYS
from ..outputs import SinkSet
from ..values import Frame, FrameResult, check_image
from .model import FairMOT
from .options import OutputOptions
from .session import Session

if TYPE_CHECKING:
    from typing_extensions import Self


class ImageStream(NotPicklable):
    """An image stream; returned by `Module.stream_mode` and used in a ``with`` statement.

    Args:
        load_model: Function that returns the model; called when the stream is entered. The caller closes the model.
        options: Outputs and their folder; gaps are not filled.
        frame_rate: Frames per second of the images.
        name: File stem of the outputs, if ``options`` has none.

    Raises:
        InvalidInputError: The frame rate or the name cannot be used.
    """

    instead = "open one in each process with stream_mode"

    def __init__(
        self, load_model: Callable[[], FairMOT], options: OutputOptions, *, frame_rate: float, name: str
    ) -> None:
        self._load_model = load_model
        self._options = options
        self._frame_rate = check_frame_rate(frame_rate)
        self._origin = replace(ORIGIN_OF_ARRAYS, name=check_file_name(name))
        self._session: Session | None = None
        self._sinks: SinkSet | None = None
        self._open = ExitStack()  # the claim of the files, and the sinks
        self._next_index = 0

    def __enter__(self) -> Self:
        if self._session is not None:
            raise StateError("This stream was entered before; call stream_mode again for a new one.")
        with ExitStack() as stack:
            claim = stack.enter_context(self._options.claim(self._origin))
            self._session = self._load_model().session(self._frame_rate)
            self._sinks = stack.enter_context(self._options.open(claim, self._frame_rate))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sinks = None
        self._open.__exit__(kind, error, traceback)  # a failing sink never hides the error in progress

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[FrameResult]:
        """Track the next images; see `Module.predict`."""
        if self._session is None or self._sinks is None:
            raise StateError("predict was called outside stream_mode; call it inside `with module.stream_mode(...):`.")
        results = []
        for image in _checked(images):
            frame = Frame(self._next_index, self._next_index / self._frame_rate, image)
            result = self._session.process(frame)
            self._sinks.write(frame, result)
            self._next_index += 1
            results.append(result)
        return results


def _checked(images: object) -> list[NDArray[np.uint8]]:
    """Check every image before the first one is tracked, so that an error leaves the stream unchanged."""
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise InvalidInputError(f"images is one array of shape {images.shape}; expected a list: pass [image].")
    if not isinstance(images, Sequence | np.ndarray) or isinstance(images, str | bytes):
        raise InvalidInputError(f"images is a {type(images).__name__}; expected a list of BGR arrays: pass [image].")
    if len(images) == 0:
        raise InvalidInputError("images is an empty list; expected at least one BGR array: pass [image].")
    for position, image in enumerate(images):
        check_image(image, f"images[{position}]")
    return list(images)
