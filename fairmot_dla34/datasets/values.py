"""Values of the training data: the labels of an image, images with their source, and sequences of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config import DEFAULT_FRAME_RATE

NO_IDENTITY = -1  # id of a box whose identity is unknown, as in FairMOT's labels_with_ids


@dataclass(frozen=True, eq=False)
class ImageLabels:
    """Boxes of one image.

    Attributes:
        boxes: ``(N, 4)`` float32 xyxy, px of the image as OpenCV decodes it (EXIF rotation applied); they may reach
            beyond the image.
        ids: ``(N,)`` int64 identities, `NO_IDENTITY` for a box without one.
        class_ids: ``(N,)`` int64 classes, from 0.
        ignored: ``(M, 4)`` float32 xyxy areas, same frame, in which a detection is neither right nor wrong: crowds,
            reflections, people too hidden to train on.
    """

    boxes: NDArray[np.float32]
    ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    ignored: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> ImageLabels:
        """Return the labels of an image without people."""
        boxes, numbers = np.empty((0, 4), np.float32), np.empty(0, np.int64)
        return cls(boxes, numbers, numbers, boxes)


@dataclass(frozen=True, eq=False)
class SourceImage:
    """An image of a source dataset.

    Attributes:
        path: Image file.
        width: Width in px, as OpenCV decodes the image (EXIF rotation applied).
        height: Height in px, likewise.
        labels: Boxes; identities are those of the source, unique within the sequence only.
    """

    path: Path
    width: int
    height: int
    labels: ImageLabels


@dataclass(frozen=True, eq=False)
class SourceSequence:
    """Images of a source dataset that belong together.

    Attributes:
        name: Name, unique in its dataset; the folder of its images.
        images: Images; in the order of time if it is a video.
        is_video: Whether the images are consecutive frames, so that identities hold from one to the next.
        frame_rate: Frames per second of a video.
        classes: Names of the classes that ``class_ids`` count, equal in all sequences of a dataset.
        part: ``train`` or ``val`` if the publisher of the dataset split it, None if not. It holds unless the caller
            splits the dataset another way.
        clip_boxes: Whether training clips boxes to the image after augmentation: FairMOT does so for MOT20
            (``random_affine`` in its ``jde.py``) and for no other dataset.
        video: Video file that holds the images, None if they are files. Then ``images[i]`` is frame ``i`` of the video
            (``Frame.index``) and its ``path`` does not exist: only the stem counts, as the stem of the file to write.
    """

    name: str
    images: list[SourceImage] = field(default_factory=list)
    is_video: bool = True
    frame_rate: float = DEFAULT_FRAME_RATE
    classes: tuple[str, ...] = ("person",)
    part: str | None = None
    clip_boxes: bool = False
    video: Path | None = None
