"""Cache of decoded images with a limit on its size, shared by threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.errors import DatasetError

CACHE_BYTES = 300_000_000


class ImageCache:
    """Decoded images, the most recently used ones.

    Args:
        folder: Folder of the image files.
        limit: Size of all cached images in bytes.
    """

    def __init__(self, folder: Path, limit: int = CACHE_BYTES) -> None:
        self._folder, self._limit = folder, limit
        self._images: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(
        self, file: str, mode: int, prepare: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
    ) -> NDArray[np.uint8]:
        """Return an image; callers must not change it.

        Args:
            file: Path relative to the folder.
            mode: Flag of `cv2.imdecode`: `cv2.IMREAD_UNCHANGED` for BGRA.
            prepare: Function that is applied before the image is cached.

        Raises:
            DatasetError: The file is missing or is no such image.
        """
        with self._lock:
            image = self._images.get(file)
            if image is not None:
                self._images.move_to_end(file)
                return image
        image = self._decoded(file, mode)
        image = prepare(image) if prepare else image
        with self._lock:
            if file not in self._images:
                self._images[file] = image
                self._bytes += image.nbytes
            while self._bytes > self._limit and len(self._images) > 1:
                self._bytes -= self._images.popitem(last=False)[1].nbytes
        return image

    def _decoded(self, file: str, mode: int) -> NDArray[np.uint8]:
        path = self._folder / file
        try:
            image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), mode)
        except (OSError, cv2.error) as error:
            raise DatasetError(f"{path} cannot be read: {error}. Build the library again with cutouts.py.") from error
        channels = 4 if mode == cv2.IMREAD_UNCHANGED else 3
        if image is None or image.ndim != 3 or image.shape[2] != channels:
            found = "no image" if image is None else f"an image of shape {image.shape}"
            raise DatasetError(f"{path} is {found}; expected {channels} channels. Build the library with cutouts.py.")
        return np.asarray(image, np.uint8)
