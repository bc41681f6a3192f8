"""Writing of a library of cut-outs: images, and the index at the end."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.errors import OutputError

from .index import INDEX_FILE, Background, Cutout, Index

MARGIN = 2  # px around the mask
SMALLEST = 20  # px: smaller cut-outs are of no use


class LibraryWriter:
    """Writes cut-outs and backgrounds into a folder, instead of an earlier library there.

    Args:
        folder: Folder of the library.

    Raises:
        OutputError: The folder has files but is no library.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists():
            if any(folder.iterdir()) and not (folder / INDEX_FILE).is_file():
                raise OutputError(f"{folder} is not empty and not a library of cut-outs. Choose another folder.")
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        self._folder = folder
        self._cutouts: list[Cutout] = []
        self._backgrounds: list[Background] = []
        Index((), ()).write(folder)  # an interrupted library can be built again

    def add(
        self,
        image: NDArray[np.uint8],
        kind: str,
        place: str,
        name: str,
        *,
        identity: str = "",
        box: tuple[float, float, float, float] | None = None,
        cut: tuple[str, ...] = (),
    ) -> bool:
        """Add a cut-out and return whether it is large enough.

        Args:
            image: ``(H, W, 4)`` BGRA, not premultiplied.
            kind: Kind, see `Cutout`.
            place: Name of the place.
            name: Name of the file without suffix, unique at its place.
            identity: Key of the person.
            box: xyxy of the label, px of ``image``; None: that of the mask.
            cut: Sides that the image border cuts off.
        """
        left, top, width, height = cv2.boundingRect((image[..., 3] > 127).astype(np.uint8))
        if height < SMALLEST:
            return False
        box = box or (left, top, left + width, top + height)
        x, y = max(left - MARGIN, 0), max(top - MARGIN, 0)
        image = np.ascontiguousarray(image[y : top + height + MARGIN, x : left + width + MARGIN])
        file = f"{kind}/{place}/{name.replace(' ', '-')}.png"
        self._write(file, image, [cv2.IMWRITE_PNG_COMPRESSION, 6])
        moved = (float(box[0] - x), float(box[1] - y), float(box[2] - x), float(box[3] - y))
        self._cutouts.append(Cutout(file, kind, place, identity, moved, cut))
        return True

    def add_background(self, image: NDArray[np.uint8], place: str, name: str) -> None:
        """Add a ``(H, W, 3)`` BGR image without people."""
        file = f"background/{place}/{name}.jpg"
        self._write(file, image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        self._backgrounds.append(Background(file, place))

    def finish(self) -> Counter[tuple[str, str]]:
        """Write the index; return the number of images of each kind and place."""
        Index(tuple(self._cutouts), tuple(self._backgrounds)).write(self._folder)
        counts = Counter((cutout.kind, cutout.place) for cutout in self._cutouts)
        counts.update(("background", background.place) for background in self._backgrounds)
        return counts

    def _write(self, file: str, image: NDArray[np.uint8], parameters: list[int]) -> None:
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise OutputError(f"{path} exists already. Names of cut-outs must be unique.")
        done, encoded = cv2.imencode(path.suffix, image, parameters)
        if not done:
            raise OutputError(f"{path} cannot be encoded.")
        path.write_bytes(encoded.tobytes())
