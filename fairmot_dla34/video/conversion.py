"""Converts decoded images to BGR arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray


class BgrConverter:
    """FFmpeg's colour conversion, set up once for all images of a video.

    `av.VideoFrame.to_ndarray` sets it up for each image, since PyAV 17 with one thread per core.
    """

    def __init__(self) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        # The network needs the cores. Earlier releases have no such option.
        self._options = {"threads": 1} if int(av.__version__.partition(".")[0]) >= 17 else {}

    def convert(self, image: av.VideoFrame) -> NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8, BGR, in writable memory of its own."""
        converted = self._reformatter.reformat(image, format="bgr24", **self._options)
        if converted is image:  # stored as BGR: the decoder may still read this memory
            return np.array(converted.to_ndarray(), np.uint8)
        return np.asarray(converted.to_ndarray(), np.uint8)
