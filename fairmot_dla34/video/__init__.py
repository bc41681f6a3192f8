"""Video sources: files, folders of images, cameras, network streams and arrays, each as one iterator of frames.

Importing this package loads neither PyAV nor OpenCV; opening a source does.
"""

from __future__ import annotations

from .opening import open_source
from .source import Source

__all__ = ["Source", "open_source"]
