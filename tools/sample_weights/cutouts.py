"""Builds the library of people, hard negatives and backgrounds that `pasting` pastes into training crops.

    python tools/sample_weights/cutouts.py --data DATA --output-dir prepared/cutouts [--places pennfudan rendered]
    python tools/sample_weights/cutouts.py --licence-free --output-dir prepared/cutouts-free

Images that scores are reported on are not used: `data.py` leaves them out. With ``--licence-free`` the library has
rendered people, things and streets only. `masks.py` says how people are cut out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cutout_library import photographed, rendered
from cutout_library.files import LibraryWriter

from fairmot_dla34.errors import FairMOTError

PLACES = (*photographed.STATIC, *photographed.STILLS, photographed.EMPTY, rendered.PLACE)


def add_place(writer: LibraryWriter, place: str, data: Path | None) -> None:
    """Add the cut-outs and backgrounds of one place."""
    if place == rendered.PLACE:
        rendered.add_people(writer)
        rendered.add_props(writer)
        rendered.add_streets(writer)
        return
    if data is None:
        raise SystemExit(f"cutouts.py: {place} needs photographs. Add --data, or use --licence-free.")
    if place in photographed.STATIC:
        photographed.add_static(writer, data, place)
    elif place in photographed.STILLS:
        photographed.add_stills(writer, data, place)
    else:
        photographed.add_empty(writer, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with PETS09-S2L1, TUD-Campus and the others")
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the library")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES), metavar="PLACE", help="of "
                        + ", ".join(PLACES) + "; default: all")  # fmt: skip
    chosen.add_argument("--licence-free", action="store_true", help="rendered cut-outs and backgrounds only")
    arguments = parser.parse_args()
    places = [rendered.PLACE] if arguments.licence_free else list(dict.fromkeys(arguments.places))
    if arguments.data is None and places != [rendered.PLACE]:
        parser.error("--data is missing. It is needed for all places but rendered.")
    try:
        writer = LibraryWriter(arguments.output_dir)
        for place in places:
            add_place(writer, place, arguments.data)
            print(f"{place} is done", flush=True)
        counts = writer.finish()
    except FairMOTError as error:
        raise SystemExit(f"cutouts.py: {error}") from error
    for (kind, place), count in sorted(counts.items()):
        print(f"{kind:12}{place:20}{count:6}")


if __name__ == "__main__":
    main()
