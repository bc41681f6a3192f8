"""Synthetic videos whose frames encode their own index, so that no codec can hide a lost or repeated one."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from fairmot_dla34.backends.fake import FakeBackend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fairmot_dla34.values import Peaks

NTSC = Fraction(30000, 1001)
BITS = 10


def numbered_image(index: int, width: int = 160, height: int = 96) -> NDArray[np.uint8]:
    """Return ten bars, dark or bright: the bits of ``index``, lowest at the left; the top quarter is brighter."""
    image = np.zeros((height, width, 3), np.uint8)
    for bit, columns in enumerate(np.array_split(np.arange(width), BITS)):
        image[:, columns] = 215 if index >> bit & 1 else 40
    image[: height // 4] += 20
    return image


def index_of(image: NDArray[np.uint8]) -> int:
    """Read the frame index that an image encodes."""
    bars = np.array_split(image[image.shape[0] // 3 :], BITS, axis=1)
    return sum(
        (float(bar[:, bar.shape[1] // 4 : -bar.shape[1] // 4 or None].mean()) > 127) << i for i, bar in enumerate(bars)
    )


def write_clip(
    path: Path,
    count: int,
    *,
    rate: Fraction = NTSC,
    codec: str = "libx264",
    size: tuple[int, int] = (160, 96),
    times_s: Sequence[float] | None = None,
    first: int = 0,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Encode ``count`` numbered images; with ``times_s`` at those times instead of a constant rate."""
    ticks = Fraction(1, 90000) if times_s else 1 / rate
    with av.open(str(path), "w", format=container, options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = ticks
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(numbered_image(first + i, *size), format="bgr24")
            frame.pts, frame.time_base = (round(times_s[i] / ticks) if times_s else i), ticks
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def corrupt(path: Path, packets: Sequence[int], seed: int = 3) -> Path:
    """Overwrite the inside of the given packets of a file with noise, as a failing disk would."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as source:
        found = [(bytes(p), p.pos or 0) for p in source.demux(video=0) if p.size]
    noise = np.random.default_rng(seed)
    for number in packets:
        start, length = data.index(*found[number]), len(found[number][0])
        low = start + 6 if length > 12 else start
        data[low : start + length] = noise.integers(0, 256, start + length - low, np.uint8).tobytes()
    path.write_bytes(data)
    return path


class SlowBackend(FakeBackend):
    """A backend that takes ``pass_s`` seconds per image, and records the index each image encodes."""

    def __init__(self, pass_s: float) -> None:
        super().__init__()
        self.pass_s = pass_s
        self.shown: list[int] = []

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        self.shown.append(index_of(image))
        time.sleep(self.pass_s)
        return super()._infer(image)
