"""Import of exported tracks by the tools themselves: Datumaro, Label Studio's SDK and FiftyOne.

The nox session ``interop`` installs them. Their own dependencies raise warnings.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from track_files import FRAMES, HEIGHT, OUTSIDE, TRUTH, WIDTH, Box, clipped, video, write_results

from fairmot_dla34.interchange import export_tracks

pytestmark = pytest.mark.filterwarnings("ignore")
SHOWN = {key: clipped(box) for key, box in TRUTH.items() if key not in OUTSIDE}


def required(name: str, package: str) -> Any:
    """Import the package of a tool."""
    return pytest.importorskip(
        name, reason=f"{package} ABSENT: nothing was imported by it; run the nox session interop"
    )


def export(folder: Path, name: str, target: str, **options: Any) -> Path:
    source, results = video(folder), write_results(folder, ".jsonl")
    return export_tracks(results, name, source=source, output=folder / target, **options).paths[0]


def check_boxes(found: dict[tuple[int, int], Any], expected: dict[tuple[int, int], Box], atol: float = 0.02) -> None:
    assert found.keys() == expected.keys()
    for key, box in expected.items():
        np.testing.assert_allclose(found[key], box, atol=atol, err_msg=str(key))


def write_frames(folder: Path, pattern: str, first: int) -> None:
    """Write an image for each frame; Datumaro looks for them."""
    folder.mkdir(parents=True)
    for number in range(FRAMES):
        cv2.imwrite(str(folder / pattern.format(number + first)), np.zeros((HEIGHT, WIDTH, 3), np.uint8))


def datumaro_boxes(folder: Path, name: str) -> dict[tuple[int, int], Any]:
    datumaro = required("datumaro", "DATUMARO")
    found = {}
    for item in datumaro.Dataset.import_from(str(folder), name):
        frame = item.attributes["frame"] + 1 if name == "cvat" else int(Path(item.id).name)
        for annotation in item.annotations:
            if annotation.attributes.get("outside"):
                continue
            assert not annotation.attributes.get("is_crowd")
            assert not annotation.attributes.get("ignored")
            x, y, width, height = annotation.get_bbox()
            found[frame, annotation.attributes["track_id"]] = (x, y, x + width, y + height)
    return found


class TestDatumaro:
    def test_cvat(self, tmp_path: Path) -> None:
        required("datumaro", "DATUMARO")
        write_frames(tmp_path / "a/images", "frame_{:06d}.PNG", 0)
        export(tmp_path, "cvat", "a/street.xml")
        check_boxes(datumaro_boxes(tmp_path / "a", "cvat"), TRUTH)

    def test_cvat_mot(self, tmp_path: Path) -> None:
        required("datumaro", "DATUMARO")
        write_frames(tmp_path / "a/img1", "{:06d}.jpg", 1)
        with zipfile.ZipFile(export(tmp_path, "cvat-mot", "a.zip")) as archive:
            archive.extractall(tmp_path / "a")
        check_boxes(datumaro_boxes(tmp_path / "a", "mot_seq"), TRUTH)

    def test_coco_video(self, tmp_path: Path) -> None:
        required("datumaro", "DATUMARO")
        write_frames(tmp_path / "a/images/train/street", "{:06d}.jpg", 1)
        export(tmp_path, "coco-video", "a/annotations/instances_train.json")
        check_boxes(datumaro_boxes(tmp_path / "a", "coco_instances"), TRUTH)


def test_label_studio(tmp_path: Path) -> None:
    """The SDK accepts configuration and predictions, and its interpolation gives the boxes."""
    interface = required("label_studio_sdk.label_interface", "LABEL STUDIO SDK").LabelInterface
    tools = required("label_studio_sdk._extensions.label_studio_tools.postprocessing.video", "LABEL STUDIO SDK")
    path = export(tmp_path, "labelstudio", "a.json", keyframe_tolerance=0)
    labelling = interface((tmp_path / "a.config.xml").read_text("utf-8"))
    labelling.validate()
    (task,) = json.loads(path.read_text("utf-8"))
    (prediction,) = task["predictions"]
    assert labelling.validate_prediction(prediction, return_errors=True) == []
    found = {}
    for region in tools.extract_key_frames(prediction["result"]):
        for key in region["value"]["sequence"]:
            corners = np.array([key["x"], key["y"], key["x"] + key["width"], key["y"] + key["height"]])
            found[key["frame"], int(region["id"].removeprefix("track-"))] = (
                corners * [WIDTH, HEIGHT, WIDTH, HEIGHT] / 100
            )
    check_boxes(found, SHOWN)


def test_fiftyone(tmp_path: Path) -> None:
    importers = required("fiftyone.utils.data.importers", "FIFTYONE")
    path = export(tmp_path, "fiftyone", "a")
    importer = importers.FiftyOneVideoLabelsDatasetImporter(dataset_dir=str(path))
    importer.setup()
    ((place, _, _, frames),) = list(importer)
    assert Path(place).read_bytes() == (tmp_path / "street.mp4").read_bytes()
    found = {}
    for number, labels in frames.items():
        for detection in labels["detections"].detections:
            x, y, width, height = detection.bounding_box
            corners = np.array([x, y, x + width, y + height]) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
            assert (detection.label, detection.confidence) == ("person", 0.5)
            found[number, detection.index] = corners
    check_boxes(found, SHOWN)
