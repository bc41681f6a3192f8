"""Make the moving image of the README from the demo's video.

    pip install pillow
    python tools/demo_webp.py fairmot_dla34_demo/mot_outputs/demo_vis.mp4 docs/demo.webp

The video is what ``fairmot_dla34 demo`` leaves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
from PIL import Image

WIDTH, HEIGHT = 720, 405
FRAMES = 88
QUALITY = 50  # of libwebp: about 0.6 MB
KEY_FRAMES = 4, 9  # least and most frames from one whole image to the next; without it blocks of old frames pile up


def convert(video: Path, target: Path) -> None:
    """Write the first frames of a video as an animated WebP that repeats for ever.

    Args:
        video: Video to read.
        target: File to write.
    """
    images: list[Image.Image] = []
    with av.open(str(video)) as source:
        stream = source.streams.video[0]
        interval_ms = round(1000 / float(stream.average_rate or 10))
        for frame in source.decode(stream):
            if len(images) == FRAMES:
                break
            images.append(Image.fromarray(frame.reformat(WIDTH, HEIGHT, "rgb24", interpolation="AREA").to_ndarray()))
    first, *others = images
    first.save(
        target,
        save_all=True,
        append_images=others,
        duration=interval_ms,
        loop=0,
        quality=QUALITY,
        method=6,
        kmin=KEY_FRAMES[0],
        kmax=KEY_FRAMES[1],
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    convert(arguments.video, arguments.target)
    print(f"{arguments.target}: {arguments.target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
