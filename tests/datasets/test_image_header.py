"""Sizes read from headers are those at which OpenCV decodes an image, and boxes follow its rotation."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from label_trees import exif_segment, write_image

from fairmot_dla34.datasets.formats.image_header import read_header
from fairmot_dla34.errors import DatasetError


def decoded_size(path: Path) -> tuple[int, int]:
    image = cv2.imread(str(path))
    assert image is not None
    return image.shape[1], image.shape[0]


def header_size(path: Path) -> tuple[int, int]:
    header = read_header(path)
    return header.width, header.height


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
@pytest.mark.parametrize("size", [(1, 1), (64, 48), (31, 1000)])
def test_size_of_every_format(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = write_image(tmp_path / f"a{suffix}", *size)
    assert header_size(path) == decoded_size(path) == size


@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535])
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation(tmp_path: Path, orientation: int, order: str) -> None:
    path = write_image(tmp_path / "a.jpg")
    data = path.read_bytes()
    path.write_bytes(data[:2] + exif_segment(orientation, order) + data[2:])
    assert header_size(path) == decoded_size(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_follow_the_rotation_that_opencv_applies(tmp_path: Path, orientation: int) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[8:24, 32:56] = 255
    data = cv2.imencode(".jpg", image)[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[:2] + exif_segment(orientation) + data[2:])
    shown = cv2.imread(str(path))
    assert shown is not None
    rows, columns = np.nonzero(shown[:, :, 0] > 127)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    (box,) = read_header(path).to_displayed(np.array([[32.0, 8.0, 56.0, 24.0]]))
    assert np.abs(box - found).max() <= 1


def test_metadata_longer_than_the_first_read(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.jpg", orientation=6)
    data = path.read_bytes()
    padding = b"\xff\xec\xff\xff" + bytes(65533)
    path.write_bytes(data[:2] + padding * 3 + data[2:])
    assert header_size(path) == decoded_size(path) == (48, 64)


def test_damaged_exif_and_two_of_them(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.jpg")
    data = path.read_bytes()
    for segments in (exif_segment(6)[:-9], exif_segment(6) + exif_segment(1), b"\xff\xe1\x00\x0bExif\0\0xyz"):
        length = (len(segments) - 2).to_bytes(2, "big") if segments.count(b"Exif") == 1 else segments[2:4]
        path.write_bytes(data[:2] + segments[:2] + length + segments[4:] + data[2:])
        assert header_size(path) == decoded_size(path)


def test_png_with_exif_is_decoded(tmp_path: Path) -> None:
    import zlib

    path = write_image(tmp_path / "a.png")
    data = path.read_bytes()
    content = b"eXIf" + exif_segment(6)[10:]
    chunk = (len(content) - 4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    assert header_size(path) == decoded_size(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8" + b"\xff" * 70_000, b"\x89PNG\r\n\x1a\n", b"BM", b"text"]
)
def test_what_is_not_an_image_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"a.jpg is not an image that can be read"):
        read_header(path)


def test_a_folder_a_missing_file_and_a_huge_image(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jpg"):
        with pytest.raises(DatasetError, match="can be read"):
            read_header(path)
    image = write_image(tmp_path / "a.bmp")
    data = bytearray(image.read_bytes())
    data[18:26] = (60_000).to_bytes(4, "little") * 2
    image.write_bytes(data)
    with pytest.raises(DatasetError, match="more than 67 million px"):
        read_header(image)
