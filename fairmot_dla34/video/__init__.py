"""Video in: every kind of source as one iterator of frames, and the H.264 encoder for video out.

Importing this package loads neither PyAV nor OpenCV; opening a source does.
"""

from __future__ import annotations

from .opening import open_source
from .source import Source

__all__ = ["Source", "open_source"]
