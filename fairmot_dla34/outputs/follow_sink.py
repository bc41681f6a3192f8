"""Writes the video that follows one person: a crop of fixed size whose place and zoom are smoothed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..closing import ClosedOnExit
from ..config import check_frame_rate, is_whole, shown
from ..errors import InvalidInputError, StateError
from .follow_camera import FollowCamera
from .mp4 import H264Encoder
from .paths import create_file
from .sink import VIDEO_FOLDER, SinkContext, SinkKind
from .timeline import Timeline
from .video_sink import finish_video

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..values import Frame, FrameResult

MAX_ID = 2**31 - 1
HOLD_S = 2.0  # the lost buffer of the default method
_MAX_HEIGHT_PX = 720
_ASPECT = 3 / 4
_SHORTEST_STEP_S = 1e-4
_AREA_BELOW = 0.7  # bilinear interpolation would leave out pixels


def check_follow(value: object) -> int | None:
    """Return ``value`` as the id of a track, or None.

    Raises:
        InvalidInputError: It is neither None nor a whole number from 1.
    """
    if value is not None and not is_whole(value, 1, MAX_ID):
        raise InvalidInputError(f"follow is {shown(value)}; expected the id of a track, a whole number >= 1, or None.")
    return value


def follow_kind(track_id: int) -> SinkKind:
    """Return the kind of output that follows a track."""
    return SinkKind(
        name=f"follow{track_id}",
        folder=VIDEO_FOLDER,
        suffix=f"_follow{track_id}.mp4",
        needs_images=True,
        open=lambda path, context: FollowSink(path, track_id, context),
    )


class FollowSink(ClosedOnExit):
    """Writes the frames in which a person is tracked, cropped around the person, as an H.264 mp4.

    While the person is lost the crop stays where it is, for two seconds. Then frames are left out until the person is
    found again, and the video continues after one frame period. The height is that of the source, at most 720 px, and
    the width is three quarters of it.

    Attributes:
        path: The mp4.
    """

    def __init__(self, path: Path, track_id: int, context: SinkContext) -> None:
        """Create or empty the file; the encoder starts with the first frame that shows the person.

        Args:
            path: The mp4.
            track_id: The track to follow.
            context: Settings of the run: the frame rate.

        Raises:
            OutputError: The file cannot be created.
        """
        self.path = path
        self._track_id = track_id
        self._frame_rate = check_frame_rate(context.frame_rate)
        self._timeline = Timeline(path, context.frame_rate)
        self._camera: FollowCamera | None = None
        self._encoder: H264Encoder | None = None
        self._size = (0, 0)
        self._view = (0.0, 0.0, 0.0)
        self._last_s = self._seen_s = -math.inf
        self._left_out_s = 0.0  # time of the source that the video does not have
        self._closed = False
        self._file = create_file(path)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Crop and encode one frame, unless the person is not there.

        Raises:
            OutputError: The disk is full or gone, or PyAV lacks libx264.
            StateError: The sink is closed.
        """
        if self._closed:
            raise StateError(f"{self.path} is closed; write every result before close().")
        box = next((track.box for track in result.tracks if track.track_id == self._track_id), None)
        if box is not None and all(map(math.isfinite, box)):
            self._look_at(box, frame)
        elif self._encoder is None or frame.time_s > self._seen_s + HOLD_S:
            return  # before the person appears, or after they left
        if self._encoder is not None:
            self._last_s = frame.time_s
            crop = crop_image(frame.image, self._view, self._size)
            self._encoder.write(crop, self._timeline.seconds(frame.time_s - self._left_out_s))

    def close(self) -> None:
        """Finish the file; it is removed if the person never appeared, because no player opens an empty mp4.

        Raises:
            OutputError: The end of the file cannot be written, or the file was deleted, moved, replaced or truncated.
        """
        if self._closed:
            return
        self._closed = True
        finish_video(self._encoder, self._file, self.path)

    def _look_at(self, box: tuple[float, float, float, float], frame: Frame) -> None:
        if self._camera is None:
            height = max(2, min(_MAX_HEIGHT_PX, frame.image.shape[0]) // 2 * 2)
            width = max(2, round(height * _ASPECT / 2) * 2)
            self._size = width, height
            self._camera = FollowCamera(self._size)
            self._encoder = H264Encoder(self.path, width=width, height=height, frame_rate=self._frame_rate, quick=True)
            self._left_out_s = frame.time_s
        elif frame.time_s > self._seen_s + HOLD_S:
            self._camera.restart()
            self._left_out_s += frame.time_s - self._last_s - 1 / self._frame_rate
        self._view = self._camera.look_at(box, max(frame.time_s - self._seen_s, _SHORTEST_STEP_S))
        self._seen_s = frame.time_s


def crop_image(image: NDArray[np.uint8], view: tuple[float, float, float], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return part of an image, scaled to a size.

    Args:
        image: ``(H, W, 3)`` uint8.
        view: Centre x, centre y and height of the part in px. It is moved into the image as far as it fits.
        size: Width and height of the result in px.

    Returns:
        ``(height, width, 3)`` uint8; black outside the image.
    """
    import cv2

    (width, height), (image_height, image_width) = size, image.shape[:2]
    scale = height / view[2]
    centre_x = _inside(view[0], width / scale, image_width)
    centre_y = _inside(view[1], height / scale, image_height)
    left, top = centre_x - width / scale / 2, centre_y - height / scale / 2
    if scale < _AREA_BELOW:  # averaged; what is lost in the place is less than a pixel of the result
        first = max(0, math.floor(left)), max(0, math.floor(top))
        last = math.ceil(left + width / scale), math.ceil(top + height / scale)
        part = image[first[1] : last[1], first[0] : last[0]]
        inner = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        image = np.asarray(cv2.resize(part, inner, interpolation=cv2.INTER_AREA), np.uint8)
        left, top, scale = (left - first[0]) * scale, (top - first[1]) * scale, 1.0
    matrix = np.array([[scale, 0.0, -left * scale], [0.0, scale, -top * scale]])
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)


def _inside(centre: float, length: float, image_length: int) -> float:
    """Move a part of an image into it; one that is longer than the image is centred on it."""
    half = length / 2
    return image_length / 2 if length > image_length else min(max(centre, half), image_length - half)
