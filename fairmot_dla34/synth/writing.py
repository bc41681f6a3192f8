"""A scene as files: MOTChallenge's layout, with a video in place of single pictures."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..errors import InvalidInputError
from ..outputs.writer import create
from ..progress import progress_bar
from ..outputs.encoder import H264Encoder
from ..outputs.fitting import video_size
from ..files import output_error
from .config import SceneConfig
from .scene import Scene, SceneFrame

LEAST_SCORED = 0.1  # visibility; nobody can find who is seen less, so scorers are told to leave them out


@dataclass(frozen=True)
class WrittenScene:
    """The files of one scene.

    Attributes:
        video: ``<name>.mp4``.
        truth: ``gt/gt.txt``: frame from 1, id, left, top, width, height, 1 or 0 (not scored), 1, visibility.
        seqinfo: ``seqinfo.ini``: name, frame rate, frames, size.
    """

    video: Path
    truth: Path
    seqinfo: Path


def write_scene(
    config: SceneConfig, output_dir: str | Path, *, name: str | None = None, progress: bool = True
) -> WrittenScene:
    """Draw a scene and write it to ``<output_dir>/<name>/``; files of an earlier one are replaced.

    What is interrupted leaves a video that plays and the truth of the frames in it.

    Args:
        config: The scene.
        output_dir: Made where it does not exist.
        name: Of the sequence; None: people and seed, as in ``synth-12p-s0``.
        progress: Show a progress bar on stderr.

    Returns:
        The files.

    Raises:
        OutputError: A folder or file cannot be written.
        InvalidInputError: The name is not one of a folder, or the picture is too large for a video.
    """
    name = f"synth-{config.people}p-s{config.seed}" if name is None else name
    _check(config, name)
    folder = Path(output_dir) / name
    written = WrittenScene(folder / f"{name}.mp4", folder / "gt" / "gt.txt", folder / "seqinfo.ini")
    _write_seqinfo(written.seqinfo, config, name, frames=config.frames)
    create(written.video).close()
    done = 0
    try:
        with create(written.truth) as truth, progress_bar(name, config.frames, enabled=progress) as bar:
            scene = Scene(config)
            width, height, rate = config.width, config.height, config.frame_rate
            with contextlib.closing(H264Encoder(written.video, width=width, height=height, frame_rate=rate)) as encoder:
                for frame in scene:
                    encoder.write(frame.image, frame.time_s)
                    done = frame.index + 1  # before the truth: an interrupted one never goes beyond the sequence
                    _append(truth, written.truth, truth_lines(frame))
                    bar.update()
    finally:
        if done < config.frames:
            _write_seqinfo(written.seqinfo, config, name, frames=done)
    return written


def truth_lines(frame: SceneFrame) -> str:
    """Return a frame's ground truth in MOTChallenge's form, one line a person, by id.

    Column 7 is 0, "not scored", for who is seen less than `LEAST_SCORED`.
    """
    rows = sorted(zip(frame.ids.tolist(), frame.boxes.tolist(), frame.visibility.tolist(), strict=True))
    return "".join(
        f"{frame.index + 1},{number},{left:.2f},{top:.2f},{right - left:.2f},{low - top:.2f},"
        f"{int(seen >= LEAST_SCORED)},1,{seen:.2f}\n"
        for number, (left, top, right, low), seen in rows
    )


def _check(config: SceneConfig, name: str) -> None:
    if not name or name in {".", ".."} or any(sign in name for sign in "/\\\0\n\r"):
        raise InvalidInputError(f"name is {name!r}; expected the name of one folder, such as street-1.")
    width, height = video_size(config.width, config.height)
    if width < config.width or height < config.height:
        raise InvalidInputError(
            f"Picture size is {config.width}x{config.height}; expected one that a video holds, such as 3840x2160: "
            "take frames from Scene itself for larger ones."
        )


def _write_seqinfo(path: Path, config: SceneConfig, name: str, *, frames: int) -> None:
    """Write what MOTChallenge's tools read; the pictures are in the video beside it, so ``imDir`` is this folder."""
    text = (
        f"[Sequence]\nname={name}\nimDir=.\nframeRate={config.frame_rate:g}\nseqLength={frames}\n"
        f"imWidth={config.width}\nimHeight={config.height}\nimExt=.mp4\n"
    )
    with create(path) as file:
        _append(file, path, text)


def _append(file: FileIO, path: Path, text: str) -> None:
    """Add text in one unbuffered write; what a full disk cut off is taken back."""
    before, data = file.tell(), text.encode()
    try:
        count = file.write(data)
    except OSError as error:
        raise output_error(path, error) from error
    if count != len(data):
        file.truncate(before)
        raise output_error(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
