"""Scene settings: `SceneConfig`, the registered cameras, backgrounds and presets, and scenes from command-line options.

Every name that a scene's user can choose is registered here and nowhere else. This module imports neither NumPy nor
OpenCV, so that the command line can list the names without loading them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..config import check_choice, is_whole, read_size
from ..errors import InvalidInputError

CAMERAS = ("still", "pan", "shake")


@dataclass(frozen=True)
class Background:
    """Description of one kind of place.

    Attributes:
        ground: Materials of the ground zones from near to far: ``paving``, ``asphalt`` or ``grass``.
        props: Relative frequency of each kind of prop; the kinds are the keys of `prop_shapes.PROPS`.
        markings: Lines painted on asphalt: ``lanes``, ``bays`` or None; without any, a few scenes still get lanes.
        open_air: Whether the sky can be seen above the wall.
    """

    ground: tuple[str, ...]
    props: Mapping[str, float]
    markings: str | None = None
    open_air: bool = True


# The order matters: scenes that name no background choose from it by index.
BACKGROUNDS: Mapping[str, Background] = {
    "street": Background(
        ground=("paving", "asphalt", "paving"),
        props={
            "pole": 3, "sign": 2, "car": 2, "bin": 1, "bollards": 1.5, "tree": 1.5, "kiosk": 1, "bench": 1, "board": 1,
        },
        markings="lanes",
    ),
    "plaza": Background(
        ground=("paving", "paving"),
        props={"pole": 2, "tree": 2, "bench": 2, "kiosk": 1.5, "bin": 1, "board": 1, "bush": 1},
    ),
    "park": Background(
        ground=("grass", "asphalt", "grass", "paving"),
        props={"tree": 4, "bush": 2, "bench": 2, "pole": 1, "bin": 1, "sign": 1},
    ),
    "car_park": Background(
        ground=("asphalt", "asphalt", "grass"),
        props={"car": 3, "pole": 2, "sign": 2, "fence": 1, "bollards": 1},
        markings="bays",
    ),
    "hall": Background(
        ground=("paving",),
        props={"kiosk": 2, "board": 2, "bin": 2, "fence": 1.5, "bench": 1, "sign": 1},
        open_air=False,
    ),
}  # fmt: skip

# Fields of `SceneConfig` that differ from their defaults. Committed scores depend on these values: do not change them.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "calm": {"people": 8, "person_height": (0.14, 0.4), "occluders": 0},
    "crowded": {"people": 60, "person_height": (0.12, 0.34), "occluders": 6},
    "packed": {"people": 300, "width": 1920, "height": 1080, "person_height": (0.04, 0.14), "occluders": 10},
    "distant": {"people": 20, "person_height": (0.08, 0.18), "occluders": 4},
    "eye_level": {"people": 10, "person_height": (0.3, 0.8), "occluders": 3},
    "pan": {"people": 15, "camera": "pan"},
    "shake": {"people": 15, "camera": "shake"},
}


@dataclass(frozen=True)
class SceneConfig:
    """Settings of a scene. Values that are None are drawn at random from the seed.

    Attributes:
        people: Approximate number of people in the scene at one time, 1 to 300. A person who leaves is replaced.
        width: Image width in px, 32 to 7680.
        height: Image height in px, 32 to 7680.
        frame_rate: Frames per second, 1 to 240. Speeds are in m/s, so the frame rate changes only the sampling times.
        frames: Length of the scene in frames.
        seed: Seed of every random draw. The same seed gives the same pixels.
        camera: ``still``, ``pan`` (sweeps from side to side) or ``shake`` (hand-held).
        background: One of `BACKGROUNDS`, or None.
        person_height: (far, near): height of the farthest and the nearest people as shares of the image height, such
            as ``(0.1, 0.2)`` for distant people or ``(0.3, 0.8)`` for near ones; or None.
        occluders: Number of props (poles, trees, cars, ...) that people walk behind, or None.
        degradation: Strength of noise, blur and compression: 0 none, 1 an ordinary camera, 2 a bad one.

    Raises:
        InvalidInputError: A value has the wrong type or is out of range; the message names the field.
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
        _check_integer("people", self.people, 1, 300)
        _check_integer("width", self.width, 32, 7680)
        _check_integer("height", self.height, 32, 7680)
        _check_integer("frames", self.frames, 1, 1_000_000)
        _check_integer("seed", self.seed, 0, 2**63 - 1)
        _check_number("frame_rate", self.frame_rate, 1, 240)
        _check_number("degradation", self.degradation, 0, 2)
        check_choice("camera", self.camera, CAMERAS)
        if self.background is not None:
            check_choice("background", self.background, tuple(BACKGROUNDS))
        if self.occluders is not None:
            _check_integer("occluders", self.occluders, 0, 50)
        if self.person_height is not None:
            _check_person_height(self.person_height)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> SceneConfig:
        """Return a preset with some fields changed, as in ``SceneConfig.preset("crowded", seed=3)``.

        Raises:
            InvalidInputError: The preset is unknown, or a changed value is out of range.
        """
        check_choice("preset", name, tuple(PRESETS))
        return cls(**{**PRESETS[name], **changes})

    @property
    def duration_s(self) -> float:
        """Seconds from the start of the first frame to the end of the last."""
        return self.frames / self.frame_rate


def parse_scene(options: Mapping[str, Any]) -> SceneConfig:
    """Build a `SceneConfig` from command-line options, as in ``parse_scene(vars(arguments))``.

    Args:
        options: Option values by name. The fields of `SceneConfig` are read, and ``preset`` (a name), ``size``
            (``"960x540"``, sets width and height) and ``person_height`` (``"0.1,0.4"``). An option that is missing or
            None keeps the value of the preset, or the default. Other names are ignored, so that a parser's whole
            namespace can be passed.

    Raises:
        InvalidInputError: A value cannot be read or is out of range.
    """
    names = [field.name for field in fields(SceneConfig)]
    changes = {name: options[name] for name in names if options.get(name) is not None}
    if options.get("size") is not None:
        changes["width"], changes["height"] = _parse_size(options["size"])
    if "person_height" in changes:
        changes["person_height"] = _parse_person_height(changes["person_height"])
    preset = options.get("preset")
    return SceneConfig(**changes) if preset is None else SceneConfig.preset(preset, **changes)


def _parse_size(text: str) -> tuple[int, int]:
    size = read_size(text)
    if size is None:
        raise InvalidInputError(f"size is {text!r}; expected WIDTHxHEIGHT in px, such as 960x540.")
    return size


def _parse_person_height(text: str) -> tuple[float, float]:
    try:
        far, near = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInputError(
            f"person_height is {text!r}; expected FAR,NEAR, shares of the image height such as 0.1,0.4."
        ) from None
    return far, near


def _check_person_height(value: object) -> None:
    expected = "(far, near), two shares of the image height with 0.02 <= far < near <= 1.5"
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidInputError(f"person_height is {value!r}; expected {expected}.")
    for share in value:
        _check_number("person_height", share, 0.02, 1.5)
    if value[0] >= value[1]:
        raise InvalidInputError(f"person_height is {value!r}; expected {expected}.")


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if not is_whole(value, low, high):
        raise InvalidInputError(f"{name} is {value!r}; expected an integer from {low} to {high}.")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    # A chained comparison is False for NaN, so NaN is refused too.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InvalidInputError(f"{name} is {value!r}; expected a number from {low} to {high}.")
