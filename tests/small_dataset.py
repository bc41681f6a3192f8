"""Small prepared datasets for tests: rendered scenes with known truth, through the same code as real ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fairmot_dla34.datasets.preparation.prepare import prepare
from fairmot_dla34.synth import Scene, SceneConfig, truth_lines


def make_small_dataset(
    folder: Path,
    *,
    sequences: int = 2,
    frames: int = 8,
    size: tuple[int, int] = (320, 192),
    people: int = 4,
    seed: int = 0,
    val: float | None = None,
) -> Path:
    """Render scenes of walking people and prepare them.

    Args:
        folder: Parent of the dataset and of its source; it may have other files.
        sequences: Number of scenes.
        frames: Images of each scene.
        size: Width and height in px.
        people: People in view at one time, about.
        seed: Seed of the first scene; the others follow.
        val: Share of the images in the validation part; None: no such part.

    Returns:
        The folder of the prepared dataset, ``<folder>/prepared``.
    """
    source = make_small_source(
        folder / "source", sequences=sequences, frames=frames, size=size, people=people, seed=seed
    )
    prepare("mot", source, folder / "prepared", val=val, progress=False)
    return folder / "prepared"


def make_small_source(
    folder: Path,
    *,
    sequences: int = 2,
    frames: int = 8,
    size: tuple[int, int] = (320, 192),
    people: int = 4,
    seed: int = 0,
) -> Path:
    """Render scenes into folders of MOTChallenge's layout; see `make_small_dataset`. Return ``folder``."""
    width, height = size
    for number in range(sequences):
        config = SceneConfig(
            people=people,
            width=width,
            height=height,
            frames=10 * frames,
            frame_rate=25.0,
            seed=seed + number,
            occluders=0,
            person_height=(0.3, 0.7),
        )
        scene = Scene(config)
        home = folder / f"scene-{number + 1}"
        (home / "img1").mkdir(parents=True)
        (home / "gt").mkdir()
        lines = []
        for position in range(frames):  # every tenth frame, so that people move visibly
            frame = scene.frame(10 * position)
            image = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            (home / "img1" / f"{position + 1:06d}.jpg").write_bytes(np.asarray(image).tobytes())
            rows = truth_lines(frame).splitlines()
            lines += [f"{position + 1},{row.split(',', 1)[1]}\n" for row in rows]
        (home / "gt" / "gt.txt").write_text("".join(lines))
        (home / "seqinfo.ini").write_text(
            f"[Sequence]\nname=scene-{number + 1}\nimDir=img1\nframeRate=2.5\nseqLength={frames}\n"
            f"imWidth={width}\nimHeight={height}\nimExt=.jpg\n"
        )
    return folder
