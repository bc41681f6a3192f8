"""Scorers of the places of still images: AP50, recall and false alarms from the detections of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from aims import Aim, Figure, at_least, at_most
from numpy.typing import NDArray
from still_matching import DEFAULT_THRESHOLD, ap50, false_alarms, precision_of, threshold_figures
from stills_reading import (
    REPORT_CAMERA,
    REPORT_EVERY,
    Still,
    TrustedGround,
    camera,
    on_trusted_ground,
    only_upright,
    read_last_frames,
    read_set,
    read_wildtrack,
    reported,
    without_crowds,
)

from fairmot_dla34 import Detections


class StillPlace:
    """A set of still images. AP50 has an aim if ``aim`` is given, else it is for information.

    Args:
        name: Name in the table.
        stills: Images that are scored.
        aim: AP50 to reach, in percent.
    """

    lowest_score = 0.0  # AP50 needs all peaks

    def __init__(self, name: str, stills: Sequence[Still], aim: float | None = None) -> None:
        self.name = name
        self.stills = stills
        self._aim = aim

    def loaders(self) -> Iterator[Callable[[], NDArray[np.uint8]]]:
        """Yield a function for each image that reads it."""
        for still in self.stills:
            yield still.read

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of the detections in the images, in the order of `loaders`."""
        precision = precision_of(self.stills, found)
        value = ap50(precision)
        figure = Figure(self.name, "AP50", value) if self._aim is None else at_least(
            self.name, "AP50", value, self._aim
        )  # fmt: skip
        return [figure, *threshold_figures(self.name, precision)]


class Wildtrack(StillPlace):
    """WILDTRACK inside its grid: detections with their feet off the trusted ground are left out.

    Args:
        name: Name in the table.
        folder: Folder of the set.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, read_wildtrack(folder))
        cameras = {camera(still) for still in self.stills}
        self._grounds = {name: TrustedGround.read(folder / "trusted_foot_grid.json", name) for name in cameras}

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of all cameras, and AP50 of the camera that is never trained on."""
        inside = []
        for still, detections in zip(self.stills, found, strict=True):
            stands = on_trusted_ground(detections.boxes, self._grounds[camera(still)])
            inside.append(Detections(detections.boxes[stands], detections.scores[stands]))
        precision = precision_of(self.stills, inside)
        unseen = [index for index, still in enumerate(self.stills) if camera(still) == REPORT_CAMERA]
        alone = precision_of([self.stills[index] for index in unseen], [inside[index] for index in unseen])
        return [
            at_least(self.name, "AP50 in the grid", ap50(precision), 65),
            Figure(self.name, f"AP50 in the grid, {REPORT_CAMERA} alone", ap50(alone)),
            *threshold_figures(self.name, precision),
        ]


class CocoPeople(StillPlace):
    """COCO's people: upright ones, and all of them, without the images of crowds.

    Args:
        name: Name in the table.
        stills: Images of the set that are scored, with crowds.
    """

    def __init__(self, name: str, stills: Sequence[Still]) -> None:
        super().__init__(name, without_crowds(stills))
        self._upright = [only_upright(still) for still in self.stills]

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of upright people, and AP50 of all boxes."""
        upright = precision_of(self._upright, found)
        return [
            at_least(self.name, "AP50, upright", ap50(upright), 35),
            *threshold_figures(self.name, upright),
            Figure(self.name, "AP50, all boxes", ap50(precision_of(self.stills, found))),
        ]


class CocoNegatives(StillPlace):
    """Images without people, in which every detection is a false alarm; see `StillPlace`."""

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the false alarms per image in the reported images, and in all images."""
        count, total = (
            false_alarms(self.stills[::step], found[::step]) / len(self.stills[::step]) for step in (REPORT_EVERY, 1)
        )
        reported_name = f"false alarms per image, {len(self.stills[::REPORT_EVERY])} images"
        every_name = f"false alarms per image, all {len(self.stills)}; the others may be trained on"
        return [
            at_most(self.name, reported_name, count, 0.1, share=count, digits=2),
            Figure(self.name, every_name, total, digits=2),
        ]


class LastFrames(StillPlace):
    """The last frame of each sequence of MOT17-mini.

    Args:
        name: Name in the table.
        stills: Images in which people above visibility 0.5 count, and the others are ignored areas.
        everyone: Equal images, in which people of any visibility count.
    """

    def __init__(self, name: str, stills: Sequence[Still], everyone: Sequence[Still]) -> None:
        super().__init__(name, stills)
        self._everyone = everyone

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return recall and false alarms at the default threshold, and AP50."""
        precision, alarms = precision_of(self.stills, found), false_alarms(self.stills, found)
        recall, _ = precision.recall_and_precision(DEFAULT_THRESHOLD)
        recall_of_all, _ = precision_of(self._everyone, found).recall_and_precision(DEFAULT_THRESHOLD)
        alarms_of_all = false_alarms(self._everyone, found)
        return [
            at_least(self.name, "recall", recall, 85),
            at_most(self.name, "false alarms", alarms, 12, share=alarms / max(precision.people, 1), digits=0),
            Figure(self.name, "AP50", ap50(precision)),
            Figure(self.name, "recall, any visibility", recall_of_all, Aim(85)),
            Figure(self.name, "false alarms, any visibility", alarms_of_all, Aim(12, at_most=True), digits=0),
        ]


def still_places(data: Path) -> dict[str, Callable[[], StillPlace]]:
    """Return functions that read the places below ``data``, by name."""
    stills, mot17 = data / "stills", data / "MOT17-mini"

    def every_fifth(name: str, aim: float | None = None) -> Callable[[], StillPlace]:
        return lambda: StillPlace(name, reported(read_set(stills / name)), aim)

    return {
        "pennfudan": every_fifth("pennfudan", 80),
        "wildtrack": lambda: Wildtrack("wildtrack", stills / "wildtrack"),
        "coco256_person": lambda: CocoPeople("coco256_person", reported(read_set(stills / "coco256_person"))),
        "coco256_negative": lambda: CocoNegatives("coco256_negative", read_set(stills / "coco256_negative")),
        "voc_mini": every_fifth("voc_mini"),
        "cafe": every_fifth("cafe"),
        "MOT17-mini": lambda: LastFrames("MOT17-mini", read_last_frames(mot17), read_last_frames(mot17, None)),
    }
