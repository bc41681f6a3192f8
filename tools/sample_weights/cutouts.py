"""Builds the library of people, hard negatives and backgrounds that `pasting.py` pastes into training crops."""

from __future__ import annotations

import argparse
from pathlib import Path

import rendered
from cutout_files import LibraryWriter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the library")
    arguments = parser.parse_args()
    writer = LibraryWriter(arguments.output_dir)
    rendered.add_people(writer)
    rendered.add_props(writer)
    for name, image in rendered.streets():
        writer.add_background(image, rendered.PLACE, name)
    for (kind, place), count in sorted(writer.finish().items()):
        print(f"{kind:12} {place:18} {count}")


if __name__ == "__main__":
    main()
