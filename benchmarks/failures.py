"""Draws typical errors of the sample weights: the worst frame of four rendered scenes, for their model card.

    python benchmarks/failures.py docs/sample-failures.webp [--weights sample]

A person who is found has a thin blue box, a missed one a thick orange one, and a false alarm a thick magenta one, at
the default threshold. People of whom less than 0.1 is visible are not drawn. Real images are not drawn, because the
licences of the data do not allow them here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from parts import ScenePart, scene_parts

from fairmot_dla34 import FairMOT
from fairmot_dla34.association.config import DEFAULT_CONF_THRES
from fairmot_dla34.evaluation.average_precision import MIN_IOU, overlap
from fairmot_dla34.synth import Scene
from fairmot_dla34.synth.ground_truth import MIN_SCORED_VISIBILITY

SCENES = ("calm, seed 2", "crowded, seed 4", "pan, seed 7", "shake, seed 8")
EVERY = 10  # frames
PANEL = (720, 405)  # width and height in px
BLUE, ORANGE, MAGENTA = (178, 114, 0), (0, 127, 255), (200, 0, 200)  # BGR
QUALITY = 70

Image = NDArray[np.uint8]


def draw_errors(model: FairMOT, image: Image, people: NDArray[np.float32]) -> tuple[int, Image]:
    """Return the number of errors in an image, and the image with boxes.

    Args:
        model: Loaded model.
        image: ``(H, W, 3)`` BGR.
        people: ``(N, 4)`` people, xyxy, image px.
    """
    boxes = model.detect(image, min_score=DEFAULT_CONF_THRES).boxes  # best score first
    overlaps, missed, errors, drawn = overlap(boxes, people), set(range(len(people))), 0, image.copy()
    for box, row in zip(boxes, overlaps, strict=True):
        free = [person for person in missed if row[person] >= MIN_IOU]
        if free:
            missed.remove(max(free, key=lambda person: row[person]))
        else:
            errors += 1
        draw_box(drawn, box, BLUE if free else MAGENTA, 1 if free else 3)
    for person in missed:
        draw_box(drawn, people[person], ORANGE, 3)
    return errors + len(missed), drawn


def draw_box(image: Image, box: NDArray[np.float32], colour: tuple[int, int, int], width: int) -> None:
    """Draw a box, xyxy in px, on an image."""
    left, top, right, bottom = (round(float(side)) for side in box)
    cv2.rectangle(image, (left, top), (right, bottom), colour, width, cv2.LINE_AA)


def worst_frame(model: FairMOT, part: ScenePart) -> Image:
    """Return the frame of a scene with most errors, with boxes."""
    scene = Scene(part.scene)
    panels = []
    for index in range(0, len(scene), EVERY):
        frame = scene.frame(index)
        panels.append(draw_errors(model, frame.image, frame.boxes[frame.visibility >= MIN_SCORED_VISIBILITY]))
    errors, drawn = max(panels, key=lambda panel: panel[0])
    print(f"{part.name}: {errors} errors")
    return np.asarray(cv2.resize(drawn, PANEL, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    arguments = parser.parse_args()
    parts = {part.name: part for part in scene_parts()}
    with FairMOT(arguments.weights) as model:
        panels = [worst_frame(model, parts[name]) for name in SCENES]
    image = cv2.vconcat([cv2.hconcat(panels[:2]), cv2.hconcat(panels[2:])])
    ok, content = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not ok:
        raise SystemExit(f"{arguments.target} cannot be encoded as WebP.")
    arguments.target.write_bytes(content.tobytes())


if __name__ == "__main__":
    main()
