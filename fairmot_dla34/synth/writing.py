"""Writing of a scene to files in MOTChallenge's layout, with a video instead of single images."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..console.progress import progress_bar
from ..errors import InvalidInputError
from ..files import append_whole, output_error, write_whole
from ..outputs.fitting import video_size
from ..outputs.mp4 import H264Encoder
from ..outputs.paths import create_file
from .config import SceneConfig
from .ground_truth import truth_lines
from .scene import Scene


@dataclass(frozen=True)
class WrittenScene:
    """Paths of the files of one scene.

    Attributes:
        video: ``<name>.mp4``.
        truth: ``gt/gt.txt``: frame from 1, id, left, top, width, height, scored, class 1, visibility.
        seqinfo: ``seqinfo.ini``: name, frame rate, number of frames, image size.
    """

    video: Path
    truth: Path
    seqinfo: Path


def write_scene(
    config: SceneConfig, output_dir: str | Path, *, name: str | None = None, progress: bool = True
) -> WrittenScene:
    """Draw a scene and write it to ``<output_dir>/<name>/``; existing files of that scene are replaced.

    An interruption leaves a shorter, valid sequence: a video that plays, and the ground truth of the frames in it;
    before the first frame, no video.

    Args:
        config: Settings of the scene.
        output_dir: Output directory, created if it does not exist.
        name: Name of the sequence. None takes the number of people and the seed, as in ``synth-12p-s0``.
        progress: Whether to show a progress bar on stderr.

    Returns:
        The paths of the files.

    Raises:
        OutputError: A folder or file cannot be written.
        InvalidInputError: The name is not a valid folder name, or the image is too large for a video.
    """
    name = f"synth-{config.people}p-s{config.seed}" if name is None else name
    _check(config, name)
    folder = Path(output_dir) / name
    written = WrittenScene(folder / f"{name}.mp4", folder / "gt" / "gt.txt", folder / "seqinfo.ini")
    _write_seqinfo(written.seqinfo, config, name, frames=config.frames)
    create_file(written.video).close()
    done = 0
    try:
        with create_file(written.truth) as truth, progress_bar(name, config.frames, enabled=progress) as bar:
            scene = Scene(config)
            width, height, rate = config.width, config.height, config.frame_rate
            with contextlib.closing(H264Encoder(written.video, width=width, height=height, frame_rate=rate)) as encoder:
                for frame in scene:
                    encoder.write(frame.image, frame.time_s)
                    done = frame.index + 1  # set before the truth is written, so that gt.txt never exceeds seqLength
                    _append(truth, written.truth, truth_lines(frame))
                    bar.update()
    finally:
        if done < config.frames:
            _write_seqinfo(written.seqinfo, config, name, frames=done)
            with contextlib.suppress(OSError):
                if written.video.stat().st_size == 0:  # no player opens an empty mp4
                    written.video.unlink()
    return written


def _check(config: SceneConfig, name: str) -> None:
    if not name or name in {".", ".."} or any(character in name for character in "/\\\0\n\r"):
        raise InvalidInputError(f"name is {name!r}; expected the name of one folder, such as street-1.")
    width, height = video_size(config.width, config.height)
    if width < config.width or height < config.height:
        raise InvalidInputError(
            f"Image size is {config.width}x{config.height}; expected a size that a video can hold, such as 3840x2160. "
            "For larger images, take the frames from fairmot_dla34.synth.Scene."
        )


def _write_seqinfo(path: Path, config: SceneConfig, name: str, *, frames: int) -> None:
    """Write ``seqinfo.ini``; the images are in the video in the same folder, so ``imDir`` is that folder."""
    text = (
        f"[Sequence]\nname={name}\nimDir=.\nframeRate={config.frame_rate:g}\nseqLength={frames}\n"
        f"imWidth={config.width}\nimHeight={config.height}\nimExt=.mp4\n"
    )
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise output_error(path, error) from error


def _append(file: FileIO, path: Path, text: str) -> None:
    try:
        append_whole(file, text)
    except OSError as error:
        raise output_error(path, error) from error
