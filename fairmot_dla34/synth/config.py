"""What a scene is made of, as its user says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config import SCENE_BACKGROUNDS, SCENE_CAMERAS, check_choice
from ..errors import InvalidInputError


@dataclass(frozen=True)
class SceneConfig:
    """A scene; what is not given is drawn from the seed.

    Attributes:
        people: People in the scene at one time, about; whoever leaves is followed by someone new. 1 to 300.
        width: Of the picture, in px, 32 to 7680.
        height: Of the picture, in px, 32 to 7680.
        frame_rate: Frames per second, 1 to 240. Speeds are in m/s: it only says how often the scene is looked at.
        frames: Length of the scene, in frames.
        seed: Same seed, same pixels.
        camera: ``still``, ``pan`` (sweeps to and fro) or ``shake`` (held in the hand).
        background: ``street``, ``plaza``, ``park``, ``car_park`` or ``hall``; None: drawn.
        person_height: Share of the picture's height that a person takes at the far and the near end, such as
            ``(0.1, 0.2)`` for distant people or ``(0.3, 0.8)`` for near ones; None: drawn.
        occluders: Number of things people walk behind (poles, trees, cars, ...); None: drawn.
        degradation: 0 for a clean picture, 1 for the noise, blur and compression of a plain camera, 2 for a bad one.

    Raises:
        InvalidInputError: A value is of the wrong kind or out of its range; the message names the field.
    """

    people: int = 12
    width: int = 960
    height: int = 540
    frame_rate: float = 25.0
    frames: int = 250
    seed: int = 0
    camera: str = "still"
    background: str | None = None
    person_height: tuple[float, float] | None = None
    occluders: int | None = None
    degradation: float = 1.0

    def __post_init__(self) -> None:
        _check_whole("people", self.people, 1, 300)
        _check_whole("width", self.width, 32, 7680)
        _check_whole("height", self.height, 32, 7680)
        _check_whole("frames", self.frames, 1, 1_000_000)
        _check_whole("seed", self.seed, 0, 2**63 - 1)
        _check_number("frame_rate", self.frame_rate, 1, 240)
        _check_number("degradation", self.degradation, 0, 2)
        check_choice("camera", self.camera, SCENE_CAMERAS)
        if self.background is not None:
            check_choice("background", self.background, SCENE_BACKGROUNDS)
        if self.occluders is not None:
            _check_whole("occluders", self.occluders, 0, 50)
        if self.person_height is not None:
            _check_person_height(self.person_height)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> SceneConfig:
        """Return one of the ready scenes, with changes: ``SceneConfig.preset("crowded", seed=3)``.

        Raises:
            InvalidInputError: There is no such preset, or a change is out of its range.
        """
        check_choice("preset", name, tuple(PRESETS))
        return cls(**(PRESETS[name] | changes))

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self.frames / self.frame_rate


# What differs from the defaults. Scores of the sample weights on some of them are committed: change none of these.
PRESETS: dict[str, dict[str, Any]] = {
    "calm": {"people": 8, "person_height": (0.14, 0.4), "occluders": 0},
    "crowded": {"people": 60, "person_height": (0.12, 0.34), "occluders": 6},
    "packed": {"people": 300, "width": 1920, "height": 1080, "person_height": (0.04, 0.14), "occluders": 10},
    "distant": {"people": 20, "person_height": (0.08, 0.18), "occluders": 4},
    "eye_level": {"people": 10, "person_height": (0.3, 0.8), "occluders": 3},
    "pan": {"people": 15, "camera": "pan"},
    "shake": {"people": 15, "camera": "shake"},
}


def _check_person_height(value: object) -> None:
    expected = "(far, near), two shares of the picture's height with 0.02 <= far < near <= 1.5"
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidInputError(f"person_height is {value!r}; expected {expected}.")
    for share in value:
        _check_number("person_height", share, 0.02, 1.5)
    if value[0] >= value[1]:
        raise InvalidInputError(f"person_height is {value!r}; expected {expected}.")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInputError(f"{name} is {value!r}; expected a whole number from {low} to {high}.")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:  # NaN is not
        raise InvalidInputError(f"{name} is {value!r}; expected a number from {low} to {high}.")
