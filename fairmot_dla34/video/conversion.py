"""Decoded pictures as BGR arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray


class BgrConverter:
    """FFmpeg's colour conversion, set up once for all pictures of a video.

    `av.VideoFrame.to_ndarray` sets it up for each picture, since PyAV 17 with a thread for every core.
    """

    def __init__(self) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        # The cores have the network to run. Releases before know no threads here.
        self._options = {"threads": 1} if int(av.__version__.partition(".")[0]) >= 17 else {}

    def convert(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8, BGR: memory of its own, that may be written to."""
        converted = self._reformatter.reformat(picture, format="bgr24", **self._options)
        if converted is picture:  # it was stored so; the decoder may still look at it
            return np.array(converted.to_ndarray(), np.uint8)
        return np.asarray(converted.to_ndarray(), np.uint8)
