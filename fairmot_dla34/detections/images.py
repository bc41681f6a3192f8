"""The images of a video whose detections are in a file: read again from the source, and compared with what is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..closing import ClosedOnExit
from ..errors import FairMOTError, InvalidInputError, SourceError
from ..tracking.prefetch import Prefetcher
from ..video import Source, open_source
from .recording import file_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..tracking.options import SourceSpec
    from ..values import Frame
    from .blocks import DetectedFrame
    from .header import Header

_DEPTH = 2
_READER_TIMEOUT_S = 0.5  # as in a `Pipeline`
_REMEDY = "name the video by --source, or write no images (--no-visualization)"


class RecordedImages(ClosedOnExit):
    """Yields the image of each frame of a detections file, in order.

    Args:
        header: Header of the file.
        source: Source to read the images from; None: the one that the header names.

    Raises:
        SourceError: The source cannot be opened, or is not the one that was detected.
        InvalidInputError: The source was live: its images are gone.
    """

    def __init__(self, header: Header, source: SourceSpec | None) -> None:
        facts = header.source
        if facts.is_live:
            raise InvalidInputError(
                f"The detections are of the live source {facts.shown}, whose images are gone; expected outputs without"
                " images: leave out the video (--no-visualization), and the source."
            )
        self.source = _reopened(header) if source is None else _opened(source, header.frame_stride)
        self._reader: Prefetcher[Frame] | None = None
        self._frames: Iterator[Frame] | None = None
        try:
            _check_unchanged(self.source, header, same_place=source is None)
        except BaseException:
            self.close()
            raise

    def image(self, wanted: DetectedFrame) -> NDArray[np.uint8]:
        """Return the image of a frame; call it in the order of the file.

        Raises:
            SourceError: The source has no such frame, or one of another size.
        """
        if self._frames is None:
            self._frames = self._start()
        for frame in self._frames:
            if frame.index < wanted.index:
                continue  # left out by --newest-frame
            height, width = frame.image.shape[:2]
            if frame.index > wanted.index or (width, height) != (wanted.width, wanted.height):
                break
            return frame.image
        raise SourceError(
            f"{self.source.origin.shown} has no frame {wanted.index + 1} of {wanted.width}x{wanted.height} px, which"
            f" was detected; expected the video that the detections were made from: {_REMEDY}."
        )

    def close(self) -> None:
        """Close the source; safe to call twice."""
        self.source.close()
        if self._reader is not None:
            self._reader.close(_READER_TIMEOUT_S)

    def _start(self) -> Iterator[Frame]:
        if not self.source.reads_ahead:
            return iter(self.source)
        frames = (frame for frame in self.source)
        self._reader = Prefetcher(frames, name="fairmot_dla34 images", depth=_DEPTH)
        return self._reader.start()


def _reopened(header: Header) -> Source:
    """Open the source that a header names.

    Raises:
        SourceError: The header names none, or it cannot be opened.
    """
    facts = header.source
    if facts.path is None:
        raise SourceError(f"The detections of {facts.shown} name no file with its images: {_REMEDY}.")
    try:
        return _opened(Path(facts.path), header.frame_stride)  # never a URL or a camera
    except FairMOTError as error:
        raise SourceError(
            f"The source of the detections, {facts.path}, cannot be opened, and its images are needed: {_REMEDY}."
        ) from error


def _check_unchanged(source: Source, header: Header, *, same_place: bool) -> None:
    """Check that the files of a source are those that were detected; copies may have other times.

    Raises:
        SourceError: They are not.
    """
    facts = header.source
    files, size, modified_ns = file_facts(source.origin.files)
    changed = (files, size) != (facts.files, facts.size) or (same_place and modified_ns != facts.modified_ns)
    if facts.files and changed:
        raise SourceError(
            f"{source.origin.shown} has changed since it was detected, or is another video ({size} bytes; expected"
            f" {facts.size} of {facts.shown}): {_REMEDY}."
        )


def _opened(source: SourceSpec, frame_stride: int) -> Source:
    return open_source(source) if isinstance(source, Source) else open_source(source, frame_stride=frame_stride)
