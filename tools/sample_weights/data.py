"""Prepares the labelled images that the sample weights are trained on: one dataset for each place.

    python tools/sample_weights/data.py --data DATA --output-dir prepared [--places PETS09-S2L1 pennfudan]

Each folder in ``prepared`` is a dataset for ``train --data``, so that any place can be left out. Images that scores are
reported on are in none of them: PETS09-S2L1 from frame 561, TUD-Campus from frame 51, the last frame of each sequence
of MOT17-mini, and of each set of stills every fifth image; in WILDTRACK also the whole camera C7.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from wildtrack import TrustedGround

from fairmot_dla34.datasets import PrepareOptions, ReadOptions, SourceImage, SourceSequence, prepare_sequences
from fairmot_dla34.datasets.formats.building import Boxes, from_corner, labelled_image
from fairmot_dla34.datasets.formats.image_header import read_header
from fairmot_dla34.datasets.formats.mot import read_mot
from fairmot_dla34.datasets.formats.mot_rows import read_truth
from fairmot_dla34.datasets.formats.mot_video import read_video_size
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.datasets.preparation.identities import with_box_identities

MIN_VISIBILITY = 0.25  # people less visible are ignored areas
PETS_FRAMES, TUD_FRAMES = 560, 50
TUD_FRAME_RATE = 25.0
REPORT_EVERY = 5  # stills: positions in the sorted list that scores are reported on
REPORT_CAMERA = "C7"
MOST_BOXES = 10  # in an image of COCO: larger crowds are labelled in part
HELD_OUT = "images that scores are reported on"


def read_pets(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read the training frames of PETS09-S2L1; they are the first ones of a video."""
    video, rows = root / "vtest_480x360.avi", read_truth(root / "gt_480x360.txt")
    size, count = read_video_size(video, None)
    found = [Boxes() for _ in range(PETS_FRAMES)]
    for frame, identity, box in zip(rows.frames.tolist(), rows.ids.tolist(), rows.boxes.tolist(), strict=True):
        if frame <= PETS_FRAMES:
            found[frame - 1].add(box, 0, identity)
    report.add(HELD_OUT, count - PETS_FRAMES, video)
    images = [
        labelled_image(root / f"{number:06d}.jpg", size, boxes, report, rows.path)
        for number, boxes in enumerate(found, 1)
    ]
    return [SourceSequence("PETS09-S2L1", images, frame_rate=10.0, video=video)]


def read_tud(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read the training frames of TUD-Campus."""
    (sequence,) = read_mot(root, ReadOptions(MIN_VISIBILITY), report)
    report.add(HELD_OUT, len(sequence.images) - TUD_FRAMES, sequence.images[TUD_FRAMES].path)
    return [replace(sequence, images=sequence.images[:TUD_FRAMES], frame_rate=TUD_FRAME_RATE)]


def read_mot17_mini(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read all frames but the last one of each sequence of MOT17-mini."""
    sequences = read_mot(root, ReadOptions(MIN_VISIBILITY), report)
    report.add(HELD_OUT, len(sequences), sequences[0].images[-1].path)
    return [replace(sequence, images=sequence.images[:-1]) for sequence in sequences]


def read_stills(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read the training images of a set of stills: boxes without identities."""
    boxes: dict[str, Boxes] = defaultdict(Boxes)
    labels = root / "labels.csv"
    with labels.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            corner = [float(row[name]) for name in ("left", "top", "width", "height")]
            boxes[row["file"]].add(from_corner(corner), 0, int(row["id"]))
    paths = sorted((root / "images").iterdir())
    trained = [path for position, path in enumerate(paths) if position % REPORT_EVERY]
    report.add(HELD_OUT, len(paths) - len(trained), paths[0])
    images = [labelled_image(path, read_header(path), boxes[path.name], report, labels) for path in trained]
    return [SourceSequence(root.name, images, is_video=False)]


def read_coco(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read the training images of people of COCO, without crowds."""
    (sequence,) = read_stills(root, report)
    crowds = [image for image in sequence.images if len(image.labels) > MOST_BOXES]
    report.add("images of crowds, which are labelled in part", len(crowds), crowds[0].path if crowds else root)
    images = [image for image in sequence.images if len(image.labels) <= MOST_BOXES]
    return [replace(sequence, images=images)]


def read_wildtrack(root: Path, report: DropReport) -> list[SourceSequence]:
    """Read the training images of WILDTRACK; people beyond the trusted ground are in ignored areas."""
    (sequence,) = read_stills(root, report)
    cameras: dict[str, list[SourceImage]] = defaultdict(list)
    for image in sequence.images:
        cameras[image.path.name.partition("_")[0]].append(image)
    report.add(HELD_OUT, len(cameras.get(REPORT_CAMERA, ())), root / "images")
    sequences = []
    for camera, images in cameras.items():
        if camera == REPORT_CAMERA:
            continue
        ground = TrustedGround.read(root / "trusted_foot_grid.json", camera)
        areas = ground.untrusted_centres(np.concatenate([image.labels.boxes for image in images]))
        labelled = [replace(image, labels=replace(image.labels, ignored=areas)) for image in images]
        sequences.append(replace(sequence, name=f"{sequence.name}-{camera}", images=labelled))
    return sequences


PLACES: dict[str, tuple[str, Callable[[Path, DropReport], list[SourceSequence]]]] = {
    "PETS09-S2L1": ("PETS09-S2L1", read_pets),
    "TUD-Campus": ("TUD-Campus", read_tud),
    "MOT17-mini": ("MOT17-mini", read_mot17_mini),
    "pennfudan": ("stills/pennfudan", read_stills),
    "wildtrack": ("stills/wildtrack", read_wildtrack),
    "coco256_person": ("stills/coco256_person", read_coco),
    "coco256_negative": ("stills/coco256_negative", read_stills),
    "voc_mini": ("stills/voc_mini", read_stills),
    "cafe": ("stills/cafe", read_stills),
}


def prepare_place(data: Path, name: str, output_dir: Path, *, preview: int = 0) -> None:
    """Prepare one place in ``output_dir / name``, instead of an earlier dataset of it.

    In stills, each box has an identity of its own: two variations of an image show one person.
    """
    folder, read = PLACES[name]
    report = DropReport()
    sequences = with_box_identities(read(data / folder, report))
    options = PrepareOptions(preview=preview, overwrite=True)
    prepared = prepare_sequences(
        sequences, data / folder, output_dir / name, name=name, report=report, options=options, progress=False
    )
    entries = prepared.manifest.sequences
    images, boxes = sum(entry.images for entry in entries), sum(entry.boxes for entry in entries)
    print(f"{prepared.path}: {images} images, {boxes} boxes, {prepared.manifest.num_identities} identities", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and the others")
    parser.add_argument("--output-dir", type=Path, required=True, help="folder for one dataset a place")
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES), metavar="PLACE", help="of "
                        + ", ".join(PLACES) + "; default: all")  # fmt: skip
    parser.add_argument("--preview", type=int, default=0, metavar="N", help="images to draw with their labels")
    parser.add_argument("--missing", action="store_true", help="leave the datasets as they are that exist")
    arguments = parser.parse_args()
    for name in arguments.places:
        if arguments.missing and (arguments.output_dir / name / "dataset.json").is_file():
            continue
        prepare_place(arguments.data, name, arguments.output_dir, preview=arguments.preview)


if __name__ == "__main__":
    main()
