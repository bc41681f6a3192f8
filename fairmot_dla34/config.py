"""Settings. Every default cites where it comes from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from .errors import InvalidInputError

TRACKER_METHODS = ("jde", "byte", "steady")
_LOST_BUFFER_S = {"jde": 1.0, "byte": 1.0, "steady": 2.0}
BACKENDS = ("auto", "openvino", "paddledet", "onnxruntime")
PRECISIONS = ("auto", "fp32", "bf16", "int8")
EXPORT_FORMATS = ("onnx", "openvino")
OUTPUT_FORMATS = ("mot", "jsonl", "csv", "kitti")
SCENE_CAMERAS = ("still", "pan", "shake")
SCENE_BACKGROUNDS = ("street", "plaza", "park", "car_park", "hall")
SCENE_PRESETS = ("calm", "crowded", "packed", "distant", "eye_level", "pan", "shake")
DEFAULT_WEIGHTS = "fairmot_dla34_30e_1088x608"
DEMO_DIR = "fairmot_dla34_demo"
DEFAULT_FRAME_RATE = 30.0  # frames/s where the source does not say; PaddleDetection's --frame_rate fallback


@dataclass(frozen=True)
class InputSize:
    """Size of the network input in px.

    Attributes:
        width: Multiple of 32. Default 1088: fairmot_dla34_30e_1088x608.yml.
        height: Multiple of 32. Default 608: the same file.

    Raises:
        InvalidInputError: A side is not a positive multiple of 32 (the backbone's largest stride).
    """

    width: int = 1088
    height: int = 608

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            side = getattr(self, name)
            if isinstance(side, bool) or not isinstance(side, int) or side <= 0 or side % 32:
                raise InvalidInputError(
                    f"Input {name} is {side!r}; expected a positive multiple of 32, as in 1088x608 or 576x320."
                )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, value: InputSize | str | tuple[int, int]) -> InputSize:
        """Read ``"1088x608"``, ``(1088, 608)`` or an ``InputSize`` (width first).

        Raises:
            InvalidInputError: The value has another form, or a side is not a positive multiple of 32.
        """
        if isinstance(value, InputSize):
            return value
        if isinstance(value, str):
            sides = read_size(value)
            if sides:
                return cls(*sides)
        elif isinstance(value, tuple) and len(value) == 2:
            return cls(*value)
        raise InvalidInputError(f"Input size is {value!r}; expected WIDTHxHEIGHT, such as 1088x608.")


@dataclass(frozen=True)
class TrackerConfig:
    """Settings of the association.

    Defaults: PaddleDetection 2.6, ``configs/mot/fairmot/_base_/fairmot_dla34.yml`` for what it sets,
    ``ppdet/modeling/mot/tracker/jde_tracker.py`` for the rest.

    Attributes:
        method: ``jde`` (embeddings, then IoU), ``byte`` (a second pass over low scores; works without embeddings) or
            ``steady`` (as ``byte``, with motion in real time and the camera's motion taken out; works without too).
        conf_thres: Detections above it take part in the first pass. 0.4, fairmot_dla34.yml.
        low_conf_thres: ``byte``, ``steady``: detections between it and ``conf_thres`` take part in the second pass.
            0.2, fairmot_dla34_30e_1088x608_bytetracker.yml.
        det_thresh: ``jde``: score a new track needs. 0.3, JDETracker. The others use ``conf_thres`` + 0.1, as there.
        tracked_thresh: Largest cosine distance of a match by embedding (with motion, but for ``steady``). 0.4,
            fairmot_dla34.yml.
        match_thres: Largest distance of boxes in the first pass, ``byte`` without embeddings and ``steady``. 0.8,
            bytetracker.yml.
        r_tracked_thresh: ``jde``: largest IoU distance in the second pass. 0.5, JDETracker.
        unconfirmed_thresh: Largest IoU distance for tracks seen once. 0.7, JDETracker.
        lost_buffer_s: Seconds a lost track is kept. None: 1.0 for ``jde`` and ``byte``, track_buffer 30 at 30 frames/s
            of JDETracker; 2.0 for ``steady``, see docs/association.md.
        min_box_area: Tracks of at most so many px^2 are not reported. 200, fairmot_dla34.yml.
        vertical_ratio: Tracks with width / height above it are not reported; 0 reports all. 1.6, fairmot_dla34.yml.

    Raises:
        InvalidInputError: The method is unknown, or a number is NaN or out of its range.
    """

    method: str = "jde"
    conf_thres: float = 0.4
    low_conf_thres: float = 0.2
    det_thresh: float = 0.3
    tracked_thresh: float = 0.4
    match_thres: float = 0.8
    r_tracked_thresh: float = 0.5
    unconfirmed_thresh: float = 0.7
    lost_buffer_s: float | None = None
    min_box_area: float = 200.0
    vertical_ratio: float = 1.6

    def __post_init__(self) -> None:
        check_choice("Tracker method", self.method, TRACKER_METHODS)
        for field in fields(self):
            if field.name.endswith(("thres", "thresh")):
                check_fraction(field.name, getattr(self, field.name))
        amounts = {"min_box_area": self.min_box_area, "vertical_ratio": self.vertical_ratio}
        for name, value in {"lost_buffer_s": self.buffer_s, **amounts}.items():
            if not _is_number(value) or value < 0:
                raise InvalidInputError(f"{name} is {value!r}; expected a number >= 0.")

    @property
    def buffer_s(self) -> float:
        """Seconds a lost track is kept: ``lost_buffer_s``, or the method's own."""
        return _LOST_BUFFER_S[self.method] if self.lost_buffer_s is None else self.lost_buffer_s


def read_size(text: str) -> tuple[int, int] | None:
    """Read ``"960x540"``, width first; None where it is written in another way."""
    match = re.fullmatch(r"\s*(\d+)\s*[xX*]\s*(\d+)\s*", text)
    return (int(match[1]), int(match[2])) if match else None


def check_fraction(name: str, value: object) -> float:
    """Return ``value`` as a float in [0, 1].

    Raises:
        InvalidInputError: It is not a number, NaN, or outside [0, 1].
    """
    if not _is_number(value) or not 0.0 <= float(value) <= 1.0:  # type: ignore[arg-type]
        raise InvalidInputError(f"{name} is {value!r}; expected a number from 0 to 1.")
    return float(value)  # type: ignore[arg-type]


def check_frame_rate(value: object) -> float:
    """Return ``value`` as frames per second.

    Raises:
        InvalidInputError: It is not a number from 0.001 to 100000.
    """
    if not _is_number(value) or not 1e-3 <= float(value) <= 1e5:  # type: ignore[arg-type]
        raise InvalidInputError(f"frame_rate is {value!r}; expected frames per second, a number from 0.001 to 100000.")
    return float(value)  # type: ignore[arg-type]


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    """Check that ``value`` is one of ``choices``.

    Raises:
        InvalidInputError: It is not.
    """
    if value not in choices:
        raise InvalidInputError(f"{what} is {value!r}; expected one of {', '.join(choices)}.")


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return False
