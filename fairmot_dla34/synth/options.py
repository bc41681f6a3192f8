"""Scenes as they are typed on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..config import read_size
from ..errors import InvalidInputError
from .config import SceneConfig


def parse_scene(given: Mapping[str, Any]) -> SceneConfig:
    """Make a scene from options.

    Args:
        given: The fields of `SceneConfig`, ``preset``, ``size`` as in ``"960x540"``, and ``person_height`` as in
            ``"0.1,0.4"``. What is missing or None keeps the preset's or the default value; the rest is ignored.

    Raises:
        InvalidInputError: A value cannot be read or is out of its range.
    """
    names = [field.name for field in fields(SceneConfig)]
    changes = {name: given[name] for name in names if given.get(name) is not None}
    if given.get("size") is not None:
        changes["width"], changes["height"] = _size(given["size"])
    if "person_height" in changes:
        changes["person_height"] = _shares(changes["person_height"])
    preset = given.get("preset")
    return SceneConfig(**changes) if preset is None else SceneConfig.preset(preset, **changes)


def _size(text: str) -> tuple[int, int]:
    sides = read_size(text)
    if sides is None:
        raise InvalidInputError(f"size is {text!r}; expected WIDTHxHEIGHT in px, such as 960x540.")
    return sides


def _shares(text: str) -> tuple[float, float]:
    try:
        far, near = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInputError(
            f"person_height is {text!r}; expected FAR,NEAR, shares of the picture's height such as 0.1,0.4."
        ) from None
    return far, near
