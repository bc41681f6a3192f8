"""Blocks of a detections file: the bytes of up to 256 frames, and the checks of what was read.

A block is a head of 28 bytes and two sections. All numbers are little-endian.

=========  ==================================================================================================
head       ``dets``; uint32: frames F, detections N, embedding size E, bytes of section 1, bytes of section 2,
           CRC-32 of both sections
section 1  compressed by zlib: int64 index (F), float64 time_s (F), uint32 width, height and number of detections
           (F each), float32 boxes (N, 4), float32 scores (N), uint32 class ids (N), and the highest byte of each
           number of the embeddings (N, E)
section 2  the other three bytes of the embeddings, (N, E) each, the lowest one first
=========  ==================================================================================================

Sign and exponent of an embedding's numbers share the highest byte, which compresses to less than half; the others are
noise, which does not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..values import MAX_IMAGE_PIXELS, Detections
from .header import damaged

MAX_FRAMES = 256
MAX_DETECTIONS = 1 << 18  # in a block that is read: one frame may be larger than a block that is written
FULL_DETECTIONS = 8192  # a block with more is written
MAX_EMBEDDING_SIZE = 1 << 14
MAX_BLOCK_BYTES = 1 << 29
HEAD = struct.Struct("<4s6I")
MARK = b"dets"
_LEVEL = 1  # of zlib: higher ones take longer for 3 %
_FRAME_BYTES = 8 + 8 + 3 * 4
_ROW_BYTES = 4 * 4 + 4 + 4


@dataclass(frozen=True, eq=False)
class DetectedFrame:
    """All detections of one frame.

    Attributes:
        index: Position of the frame in the source, 0-based.
        time_s: Time of the frame in seconds from the first frame.
        width: Width of the frame, px.
        height: Height of the frame, px.
        detections: Detections, best first, image px.
    """

    index: int
    time_s: float
    width: int
    height: int
    detections: Detections

    def canonical(self) -> tuple[bytes, ...]:
        """Return the bytes of which a digest is made: the same for equal frames."""
        found = self.detections
        head = struct.pack("<qdIII", self.index, self.time_s, self.width, self.height, len(found))
        embeddings = () if found.embeddings is None else (_bytes(found.embeddings, "<f4"),)
        return head, _bytes(found.boxes, "<f4"), _bytes(found.scores, "<f4"), _class_ids(found), *embeddings


@dataclass(frozen=True)
class BlockHead:
    """Sizes of a block.

    Attributes:
        frames: Number of frames.
        detections: Number of detections in all of them.
        embedding_size: Numbers per embedding; 0 without embeddings.
        packed: Bytes of the first section.
        plain: Bytes of the second section.
        crc: CRC-32 of both.
    """

    frames: int
    detections: int
    embedding_size: int
    packed: int
    plain: int
    crc: int

    @property
    def unpacked(self) -> int:
        """Bytes of the first section when it is decompressed."""
        return self.frames * _FRAME_BYTES + self.detections * (_ROW_BYTES + self.embedding_size)


def encoded_block(frames: Sequence[DetectedFrame], embedding_size: int) -> bytes:
    """Return the bytes of a block.

    Args:
        frames: At least one frame; all embeddings have ``embedding_size`` numbers.
        embedding_size: Numbers per embedding; 0 without embeddings.
    """
    rows = sum(len(frame.detections) for frame in frames)
    embeddings = np.zeros((rows, embedding_size), "<f4")
    if rows and embedding_size:
        np.concatenate([_embeddings(frame.detections, embedding_size) for frame in frames], out=embeddings)
    planes = embeddings.view(np.uint8).reshape(-1, 4).T
    columns = [
        np.array([frame.index for frame in frames], "<i8"),
        np.array([frame.time_s for frame in frames], "<f8"),
        np.array([[frame.width, frame.height, len(frame.detections)] for frame in frames], "<u4").T,
    ]
    parts = [column.tobytes() for column in columns]
    parts += [_bytes(frame.detections.boxes, "<f4") for frame in frames]
    parts += [_bytes(frame.detections.scores, "<f4") for frame in frames]
    parts += [_class_ids(frame.detections) for frame in frames]
    packed = zlib.compress(b"".join([*parts, planes[3].tobytes()]), _LEVEL)
    plain: bytes = planes[:3].tobytes()
    crc = zlib.crc32(plain, zlib.crc32(packed))
    head: bytes = HEAD.pack(MARK, len(frames), rows, embedding_size, len(packed), len(plain), crc)
    return head + packed + plain


def decoded_head(content: bytes, shown_file: str) -> BlockHead:
    """Return the head of a block.

    Args:
        content: The first `HEAD.size` bytes of the block.
        shown_file: File in messages.

    Raises:
        DetectionsFileError: They are not a head, or its numbers are out of range.
    """
    mark, *numbers = HEAD.unpack(content)
    head = BlockHead(*numbers)
    sound = (
        mark == MARK
        and 1 <= head.frames <= MAX_FRAMES
        and head.detections <= MAX_DETECTIONS
        and head.embedding_size <= MAX_EMBEDDING_SIZE
        and head.plain == 3 * head.detections * head.embedding_size
        and head.unpacked + head.plain <= MAX_BLOCK_BYTES
        and head.packed <= head.unpacked + head.unpacked // 1000 + 1024  # what zlib may add
    )
    if not sound:
        raise damaged(shown_file, "a block has an impossible head")
    return head


def decoded_block(head: BlockHead, packed: bytes, plain: bytes, shown_file: str) -> Iterator[DetectedFrame]:
    """Yield the frames of a block.

    Args:
        head: Its head.
        packed: Its first section.
        plain: Its second section.
        shown_file: File in messages.

    Raises:
        DetectionsFileError: The content is damaged.
    """
    if zlib.crc32(plain, zlib.crc32(packed)) != head.crc:
        raise damaged(shown_file, "a checksum differs: bytes have changed")
    content = _decompressed(packed, head.unpacked, shown_file)
    rest = memoryview(content)

    def take(dtype: str, *shape: int) -> NDArray[np.generic]:
        nonlocal rest
        array = np.frombuffer(rest, dtype, count=int(np.prod(shape))).reshape(shape)
        rest = rest[array.nbytes :]
        return array

    frames, rows, size = head.frames, head.detections, head.embedding_size
    index, times, sizes = take("<i8", frames), take("<f8", frames), take("<u4", 3, frames)
    boxes, scores, class_ids = take("<f4", rows, 4), take("<f4", rows), take("<u4", rows)
    planes = np.empty((rows * size, 4), np.uint8)
    planes[:, 3] = take("u1", rows * size)
    planes[:, :3] = np.frombuffer(plain, np.uint8).reshape(3, rows * size).T
    embeddings = planes.view("<f4").reshape(rows, size)
    _check(index, times, sizes, rows, shown_file)
    _check_rows(boxes, scores, class_ids, embeddings, shown_file)
    ends = np.cumsum(sizes[2].astype(np.int64))
    for number, end in enumerate(ends.tolist()):
        row = slice(end - int(sizes[2, number]), end)
        found = Detections(boxes[row], scores[row], embeddings[row] if size else None, class_ids[row].astype(np.int64))
        width, height = int(sizes[0, number]), int(sizes[1, number])
        yield DetectedFrame(int(index[number]), float(times[number]), width, height, found)


def _decompressed(packed: bytes, size: int, shown_file: str) -> bytes:
    """Return the first section; never more than the expected number of bytes, however far it would expand."""
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(packed, size + 1)
    except zlib.error as error:
        raise damaged(shown_file, "a block cannot be decompressed") from error
    if len(content) != size or not reader.eof or reader.unused_data:
        raise damaged(shown_file, "a block has another size than its head states")
    return content


def _check(
    index: NDArray[np.generic], times: NDArray[np.generic], sizes: NDArray[np.generic], rows: int, shown_file: str
) -> None:
    """Check the numbers of the frames."""
    whole = np.asarray(index, np.int64)
    if whole[0] < 0 or (whole[1:] <= whole[:-1]).any():
        raise damaged(shown_file, "the frames are not in order")
    if not np.isfinite(np.asarray(times, np.float64)).all():
        raise damaged(shown_file, "a time is not a finite number")
    width, height, counts = np.asarray(sizes, np.int64)
    if (width * height < 1).any() or (width * height > MAX_IMAGE_PIXELS).any():
        raise damaged(shown_file, "a frame has an impossible size")
    if counts.sum() != rows:
        raise damaged(shown_file, "the numbers of detections do not add up")


def _check_rows(
    boxes: NDArray[np.generic],
    scores: NDArray[np.generic],
    class_ids: NDArray[np.generic],
    embeddings: NDArray[np.generic],
    shown_file: str,
) -> None:
    """Check the numbers of the detections."""
    for name, values in (("box", boxes), ("score", scores), ("embedding", embeddings)):
        if not np.isfinite(np.asarray(values, np.float32)).all():
            raise damaged(shown_file, f"the numbers of a {name} are not finite")
    if (np.asarray(class_ids, np.int64) >= 2**31).any():
        raise damaged(shown_file, "a class id is out of range")


def _embeddings(detections: Detections, size: int) -> NDArray[np.float32]:
    return np.zeros((0, size), np.float32) if detections.embeddings is None else detections.embeddings.reshape(-1, size)


def _class_ids(detections: Detections) -> bytes:
    if detections.class_ids is None:
        return bytes(4 * len(detections))
    return _bytes(detections.class_ids, "<u4")


def _bytes(values: NDArray[np.generic], dtype: str) -> bytes:
    content: bytes = np.ascontiguousarray(values, dtype).tobytes()
    return content
