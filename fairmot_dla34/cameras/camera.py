"""Names a camera of `Watch`: its source, its weight and its highest frame rate."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..config import is_number, shown
from ..errors import InvalidInputError
from ..file_names import check_file_name
from ..video.locations import check_location, redact

_MAX_WEIGHT = 1000.0
_MAX_FPS = 1000.0


@dataclass(frozen=True, repr=False)
class Camera:
    """A camera, a network stream or a video file that `Watch` tracks. Its URL is shown without user and password only.

    Attributes:
        name: Name in messages and metrics, and the first part of its file names.
        source: URL; index of a camera of this machine, 0 for the first; or path of a video file, which is read at its
            own frame rate and not started again after its end.
        weight: Share of the network beside other cameras if it is busy; above 0, at most 1000.
        max_fps: Highest frame rate to track; above 0, at most 1000. None: all frames.

    Raises:
        InvalidInputError: A value is not one of these, or the URL's scheme is unknown.
        SourceNotFoundError: The source is the path of a file that does not exist.
    """

    name: str
    source: str | os.PathLike[str] | int
    weight: float = 1.0
    max_fps: float | None = None

    def __post_init__(self) -> None:
        check_file_name(self.name)
        check_location(self.source)
        _check_in_range(f"weight of camera {self.name}", self.weight, _MAX_WEIGHT)
        if self.max_fps is not None:
            _check_in_range(f"max_fps of camera {self.name}", self.max_fps, _MAX_FPS)

    def __repr__(self) -> str:
        return f"Camera({self.name!r}, {self.redacted!r}, weight={self.weight!r}, max_fps={self.max_fps!r})"

    @property
    def redacted(self) -> str:
        """The source in messages: a URL without user, password, query and fragment."""
        return redact(self.source)


def _check_in_range(what: str, value: object, largest: float) -> None:
    if not is_number(value) or not 0 < float(value) <= largest:
        raise InvalidInputError(f"{what} is {shown(value)}; expected a number above 0, at most {largest:g}.")
