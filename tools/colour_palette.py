"""Print the palette of `fairmot_dla34/outputs/colours.py`: bright colours, each as unlike all before it as possible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.outputs.colour_difference import lab, seen_difference

COLOURS = 128
STEP = 17  # between the values of a channel: 0, 17, ..., 255
FIRST = (0, 221, 255)  # BGR
LIGHTNESS = 48, 96  # darker or lighter lines are lost in shadows or in the sky
LEAST_CHROMA = 38  # greyer lines look like parts of the street
LEAST_MAXIMUM = 170  # of the largest channel


def make_palette() -> NDArray[np.uint8]:
    """Return the palette, ``(COLOURS, 3)`` BGR: each colour is the candidate farthest from all chosen before."""
    levels = np.arange(0, 256, STEP, dtype=np.uint8)
    candidates = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    values = lab(candidates)
    lightness, chroma = values[:, 0], np.hypot(values[:, 1], values[:, 2])
    bright = (lightness >= LIGHTNESS[0]) & (lightness <= LIGHTNESS[1]) & (candidates.max(axis=1) >= LEAST_MAXIMUM)
    candidates = candidates[bright & (chroma >= LEAST_CHROMA)]
    chosen = [int((candidates == FIRST).all(axis=1).argmax())]
    distance = np.full(len(candidates), np.inf)
    while len(chosen) < COLOURS:
        distance = np.minimum(distance, seen_difference(candidates, candidates[chosen[-1]]))
        chosen.append(int(distance.argmax()))
    palette: NDArray[np.uint8] = candidates[chosen]
    return palette


def main() -> None:
    """Run from the command line."""
    palette = make_palette().tobytes().hex()
    for start in range(0, len(palette), 96):
        print(f'    "{palette[start : start + 96]}"')


if __name__ == "__main__":
    main()
