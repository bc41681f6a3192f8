"""Values of a camera: what can never work is an error when the camera is made."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.errors import FairMOTError, InvalidInputError, SourceNotFoundError

SECRET = "hunter2"  # noqa: S105 (not a real one)


@pytest.mark.parametrize(
    ("source", "redacted"),
    [
        (0, "camera 0"),
        ("12", "camera 12"),
        (f"rtsp://admin:{SECRET}@host:554/live?key={SECRET}#{SECRET}", "rtsp://host:554/live"),
        ("HTTP://host/a.mjpg", "HTTP://host/a.mjpg"),
        ("srt://host:9000", "srt://host:9000"),
        (Path(__file__), __file__),
        (__file__, __file__),
    ],
)
def test_a_camera_shows_its_source_without_secrets(source: str | int, redacted: str) -> None:
    camera = Camera("door", source)
    assert camera.redacted == redacted
    assert SECRET not in f"{camera} {camera!r}"
    assert pickle.loads(pickle.dumps(camera)) == camera


@pytest.mark.parametrize(
    "source",
    [
        f"rtpp://admin:{SECRET}@host/live",
        f"admin:{SECRET}@host/live",
        f"rtsp:/admin:{SECRET}@host/live",
        f"rtsp://admin:{SECRET}@[::1",
        [f"rtsp://admin:{SECRET}@host"],
        f"rtsp://admin:{SECRET}@host".encode(),
        "",
        "a\0b",
        -1,
        2**40,
        "9" * 5000,
        True,
        None,
        1.5,
        "no such file.mp4",
        "x" * 5000,
        "no such folder/*.jpg",
        "~nosuchuser/a.mp4",
    ],
)
def test_a_source_that_can_never_work_is_an_error_at_once(source: object) -> None:
    with pytest.raises(FairMOTError, match="expected") as caught:
        Camera("door", source)  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidInputError | SourceNotFoundError)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "a/b"},
        {"name": ".."},
        {"name": 5},
        {"weight": 0},
        {"weight": float("nan")},
        {"weight": "2"},
        {"weight": True},
        {"max_fps": 0},
        {"max_fps": -5},
        {"max_fps": float("inf")},
    ],
)
def test_other_values_are_checked(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        Camera(**{"name": "door", "source": 0, **values})  # type: ignore[arg-type]
