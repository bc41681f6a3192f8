"""Make the moving image of the README from the demo's video.

    python tools/demo_webp.py fairmot_dla34_demo/mot_outputs/demo_vis.mp4 docs/demo.webp

The video is what ``fairmot_dla34 demo`` leaves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av

WIDTH, HEIGHT = 720, 405
FRAMES = 88
QUALITY = 50  # of libwebp: about 0.8 MB


def convert(video: Path, target: Path) -> None:
    """Write the first frames of a video as an animated WebP that repeats for ever.

    Args:
        video: Video to read.
        target: File to write.
    """
    with av.open(str(video)) as source, av.open(str(target), "w", format="webp", options={"loop": "0"}) as out:
        stream = out.add_stream("libwebp_anim", rate=source.streams.video[0].average_rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"quality": str(QUALITY), "compression_level": "6"}
        for index, frame in enumerate(source.decode(video=0)):
            if index == FRAMES:
                break
            out.mux(stream.encode(frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="AREA")))
        out.mux(stream.encode(None))


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
