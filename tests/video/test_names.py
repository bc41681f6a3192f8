"""Names of sources: a folder of images has the name of its scene, not that of its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairmot_dla34.video.names import file_name, folder_name, glob_name, url_identity, url_name


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("MOT17-02/img1", "MOT17-02"),
        ("PETS-S3/img", "PETS-S3"),
        ("A/frames", "A"),
        ("A/Frames_01", "A"),
        ("drive_0001/image_02/data", "drive_0001"),
        ("A/rgb/jpg", "A"),
        ("A/images", "A"),
        ("street", "street"),
        ("A/frames/street", "street"),
        ("A/imagery", "imagery"),
        ("A/database", "database"),
        ("A/front", "front"),
    ],
)
def test_a_folder_is_named_after_its_scene(folder: str, name: str) -> None:
    assert folder_name(Path("/x") / folder) == name
    assert glob_name(f"/x/{folder}/*.jpg") == name
    assert glob_name(f"/x/{folder}/f?[0-9].png") == name


def test_folders_without_a_scene_keep_their_own_name() -> None:
    assert folder_name(Path("/data/images")) == "images"
    assert folder_name(Path("/")) == "images"


def test_the_name_of_a_file_is_made_safe() -> None:
    assert file_name(Path("a/street 3.v2.mp4")) == "street 3.v2"
    assert file_name(Path("a/con.avi")) == "con_"
    assert file_name(Path("a/x\ny\udcff.avi")) == "x_y_"


def test_cameras_of_one_server_differ_by_their_identity() -> None:
    first, second = (f"rtsp://user:secret@nvr:554/live?channel={channel}" for channel in (1, 2))
    assert url_name(first) == url_name(second) == "nvr_live"
    assert url_identity(first) != url_identity(second)
    assert "secret" not in url_identity(first)
    assert url_identity(first) == url_identity("RTSP://other:pw@nvr:554/live?channel=1")
