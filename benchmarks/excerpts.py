"""Reads excerpts of a video: packets, decoded images and letterboxed images."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.video import open_source


def copy_excerpt(video: Path, frames: int, target: Path) -> Path:
    """Copy the first frames of a video to ``target`` without re-encoding, so that the cost of decoding is unchanged."""
    with av.open(str(video)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = (packet for packet in source.demux(stream) if packet.dts is not None)
        for packet in itertools.islice(packets, frames):
            packet.stream = copy
            out.mux(packet)
    return target


def decode_images(video: Path, frames: int | None) -> Iterator[NDArray[np.uint8]]:
    """Decode the first frames of a video; None: all frames. Yields ``(H, W, 3)`` uint8, BGR."""
    with open_source(video) as source:
        for frame in itertools.islice(source, frames):
            yield frame.image


def decode_letterboxed(video: Path, frames: int | None, size: InputSize) -> list[NDArray[np.uint8]]:
    """Decode the first frames of a video and letterbox them to the network input; None: all frames."""
    return [Letterbox(image.shape[1], image.shape[0], size).apply(image) for image in decode_images(video, frames)]
