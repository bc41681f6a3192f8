"""Random traces of a camera's firmware and encoder: sharpening halos, JPEG and H.264.

Every function takes an ``(H, W, 3)`` uint8 BGR image and a generator, and returns a new image of the same shape.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_Packet: TypeAlias = "av.Packet[av.VideoStream]"
_MACROBLOCK = 16  # px; the grid of blocks starts at a random place, because a crop does
# cv2.IMWRITE_JPEG_SAMPLING_FACTOR and its values _420 and _444. OpenCV 4.5 has no names for them and ignores them.
_SAMPLING_FACTOR, _SAMPLINGS = 7, (0x221111, 0x111111)
_PRESETS = "ultrafast", "superfast", "veryfast"


def sharpen(image: Image, rng: np.random.Generator) -> Image:
    """Sharpen too much: halos along edges."""
    amount = rng.uniform(0.4, 1.5)
    blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.8))
    return np.asarray(cv2.addWeighted(image, 1 + amount, blurred, -amount, 0), np.uint8)


def compress_jpeg(image: Image, rng: np.random.Generator) -> Image:
    """Compress as JPEG of quality 15 to 90."""
    padded, top, left = _pad(image, rng)
    sampling = _SAMPLINGS[int(rng.random() < 0.3)]
    settings = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 91)), _SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", padded, settings)
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return _unpad(decoded, image, top, left)


def compress_h264(image: Image, rng: np.random.Generator) -> Image:
    """Compress as H.264 at a rate factor of 25 to 42: a key frame, or the frame after one of a moving camera."""
    padded, top, left = _pad(image, rng)
    frames = [padded]
    if rng.random() < 0.5:
        matrix = np.column_stack([np.eye(2), rng.uniform(-4, 4, 2)])
        size = (padded.shape[1], padded.shape[0])
        frames.insert(0, np.asarray(cv2.warpAffine(padded, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8))
    preset = _PRESETS[rng.choice(len(_PRESETS), p=(0.6, 0.25, 0.15))]
    decoded = _decode_last(_encode(frames, crf=int(rng.integers(25, 43)), preset=preset))
    return _unpad(decoded, image, top, left)


def _pad(image: Image, rng: np.random.Generator) -> tuple[Image, int, int]:
    """Repeat the border up to whole macroblocks, with a random start of the grid."""
    top, left = (int(start) for start in rng.integers(0, _MACROBLOCK, 2))
    bottom, right = -(image.shape[0] + top) % _MACROBLOCK, -(image.shape[1] + left) % _MACROBLOCK
    padded = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8), top, left


def _unpad(padded: Image, image: Image, top: int, left: int) -> Image:
    return np.ascontiguousarray(padded[top : top + image.shape[0], left : left + image.shape[1]])


def _encode(frames: list[Image], *, crf: int, preset: str) -> list[_Packet]:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - for the types
    encoder.height, encoder.width = frames[0].shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.thread_count = 1  # the result depends on the number of slices
    encoder.options = {"preset": preset, "tune": "zerolatency", "crf": str(crf)}
    packets: list[_Packet] = []
    for number, pixels in enumerate(frames):
        planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


def _decode_last(packets: list[_Packet]) -> Image:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - for the types
    decoder.thread_count = 1
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.asarray(cv2.cvtColor(frames[-1].to_ndarray(format="yuv420p"), cv2.COLOR_YUV2BGR_I420), np.uint8)
