"""Reader of CityPersons: the published JSON files with Cityscapes' images, or JDE's labels_with_ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import SourceImage, SourceSequence
from .building import HIDDEN, MARKED, Boxes, labelled_image
from .image_header import read_header
from .json_reading import area_share, box, objects, read_json
from .labels_with_ids import LABEL_FOLDER, read_labels_with_ids
from .reading import DropReport, ReadOptions, entries_of, require_folder

_LAYOUT = "gtBboxCityPersons/{train,val}/<city>/*_gtBboxCityPersons.json and leftImg8bit/{train,val}/<city>/*.png"
_LABEL_SUFFIX, _IMAGE_SUFFIX = "_gtbboxcitypersons.json", "_leftImg8bit"
_NAMES = ("pedestrian", "rider", "sitting person", "person (other)", "person group")
_IGNORE = "ignore"
OTHER_POSTURE = "riders, sitting people and groups, now ignored areas"
MISSING = "labelled images that are missing"


def read_citypersons(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read CityPersons: the full boxes of pedestrians, one sequence of single images per published part.

    As in the benchmark, the areas labelled ``ignore`` and the classes that are not read (rider, sitting person,
    person (other), person group) become ignored areas, and so do people less visible than the minimum. Nobody has an
    identity: images are of different streets. JDE's version of the dataset, a folder ``labels_with_ids``, is read by
    `read_labels_with_ids`.

    Args:
        root: Folder with the labels and the images.
        options: What to read.
        report: Receives what is left out.

    Raises:
        DatasetError: The folder is not of this layout, or a file is damaged.
    """
    require_folder(root, _LAYOUT)
    if _find_folder(root, {LABEL_FOLDER}) is not None:
        return read_labels_with_ids(root, options, report)
    labels = _find_folder(root, {"gtbboxcitypersons", "gtbbox_citypersons"})
    images = _find_folder(root, {"leftimg8bit"})
    if labels is None or images is None:
        raise DatasetError(
            f"{root} has no folder {'gtBboxCityPersons' if labels is None else 'leftImg8bit'}; expected {_LAYOUT}, or"
            " JDE's images and labels_with_ids."
        )
    choice = choose_classes(dict(enumerate(_NAMES)), options.classes or ("pedestrian",), labels)
    if options.classes is None:
        choice = ClassChoice(("person",), choice.numbers)
    found = []
    for part in ("train", "val"):
        listed = list(_images(labels / part, images / part, choice, options, report))
        found.append(SourceSequence(part, listed, is_video=False, classes=choice.names, part=part))
    return [sequence for sequence in found if sequence.images]


def _find_folder(root: Path, names: set[str]) -> Path | None:
    """Return the innermost folder of one of the names, at most two levels below the root."""
    found, level = None, [root]
    for _ in range(3):
        level = [path for folder in level for path in entries_of(folder) if path.is_dir()]
        found = next((path for path in level if path.name.casefold() in names), found)
    return found


def _images(
    labels: Path, images: Path, choice: ClassChoice, options: ReadOptions, report: DropReport
) -> Iterator[SourceImage]:
    """Yield the images of a part, city by city."""
    files = (
        [path for city in entries_of(labels) if city.is_dir() for path in entries_of(city)] if labels.is_dir() else []
    )
    files = [path for path in files if path.name.casefold().endswith(_LABEL_SUFFIX)]
    missing = 0
    for path in files:
        image = images / path.parent.name / f"{path.name[: -len(_LABEL_SUFFIX)]}{_IMAGE_SUFFIX}.png"
        if not image.is_file():
            missing += 1
            report.add(MISSING, 1, image)
            continue
        yield labelled_image(image, read_header(image), _boxes(path, choice, options, report), report, path)
    if missing and missing == len(files):
        raise DatasetError(f"{labels} labels {missing} images, and none is in {images}; expected {_LAYOUT}.")


def _boxes(path: Path, choice: ClassChoice, options: ReadOptions, report: DropReport) -> Boxes:
    found = Boxes()
    for item in objects(read_json(path, "an object with the list objects").get("objects"), path, ", objects"):
        name = item.get("label")
        if name != _IGNORE and name not in _NAMES:
            raise DatasetError(f"{path}: label {name!r}; expected {', '.join(_NAMES)} or {_IGNORE}.")
        full = box(item.get("bbox"), path, ", objects")
        seen = box(item["bboxVis"], path, ", objects") if "bboxVis" in item else full
        number = None if name == _IGNORE else choice.numbers.get(_NAMES.index(name))
        if number is not None and area_share(seen, full) >= options.min_visibility:
            found.add(full, number)
            continue
        found.ignored.append(full)
        report.add(MARKED if name == _IGNORE else OTHER_POSTURE if number is None else HIDDEN, 1, path)
    return found
