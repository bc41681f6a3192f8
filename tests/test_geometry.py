"""Conversions of boxes and the letterbox: an error here moves every box that a user gets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fairmot_dla34 import geometry
from fairmot_dla34.config import InputSize
from fairmot_dla34.geometry import Letterbox

SIZES = st.integers(1, 12).map(lambda count: count * 32)


@st.composite
def boxes(draw: st.DrawFn, count: st.SearchStrategy[int] = st.integers(0, 6)) -> NDArray[np.float64]:
    """``(N, 4)`` float64 xyxy with sides from 1 to 500 px."""
    rows = draw(count)
    corner = draw(arrays(np.float64, (rows, 2), elements=st.floats(-1000, 4000, width=32)))
    sides = draw(arrays(np.float64, (rows, 2), elements=st.floats(1, 500, width=32)))
    return np.hstack([corner, corner + sides])


@given(boxes())
def test_conversion_to_tlwh_is_reversible(xyxy: NDArray[np.float64]) -> None:
    tlwh = geometry.xyxy_to_tlwh(xyxy)
    np.testing.assert_allclose(tlwh[:, 2:], xyxy[:, 2:] - xyxy[:, :2])
    np.testing.assert_allclose(geometry.tlwh_to_xyxy(tlwh), xyxy, atol=1e-9)


@given(boxes())
def test_conversion_to_xyah_is_reversible(xyxy: NDArray[np.float64]) -> None:
    xyah = geometry.xyxy_to_xyah(xyxy)
    np.testing.assert_allclose(xyah[:, :2], (xyxy[:, :2] + xyxy[:, 2:]) / 2, atol=1e-9)
    np.testing.assert_allclose(geometry.xyah_to_xyxy(xyah), xyxy, atol=1e-8)


@pytest.mark.parametrize("convert", ["xyxy_to_tlwh", "tlwh_to_xyxy", "xyxy_to_xyah", "xyah_to_xyxy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_conversions_keep_the_dtype_and_do_not_change_the_argument(convert: str, dtype: type[np.floating]) -> None:
    given_boxes = np.array([[1, 2, 30, 40]], dtype)
    before = given_boxes.copy()
    assert getattr(geometry, convert)(given_boxes).dtype == dtype
    np.testing.assert_array_equal(given_boxes, before)


@given(boxes(), boxes())
def test_iou_is_symmetric_and_between_zero_and_one(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    share = geometry.iou(a, b)
    assert share.shape == (len(a), len(b))
    assert (share >= 0).all()
    assert (share <= 1 + 1e-12).all()
    np.testing.assert_allclose(share, geometry.iou(b, a).T)


@given(boxes())
def test_iou_of_a_box_with_itself_is_one(xyxy: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(np.diag(geometry.iou(xyxy, xyxy)), 1)


@given(boxes(), boxes())
def test_iou_equals_the_plain_formula(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    share = geometry.iou(a, b)
    for i, (left, top, right, bottom) in enumerate(a):
        for j, other in enumerate(b):
            width = max(min(right, other[2]) - max(left, other[0]) + 1, 0)
            height = max(min(bottom, other[3]) - max(top, other[1]) + 1, 0)
            areas = (right - left + 1) * (bottom - top + 1) + (other[2] - other[0] + 1) * (other[3] - other[1] + 1)
            assert share[i, j] == pytest.approx(width * height / (areas - width * height))


def test_iou_counts_pixels_inclusively() -> None:
    """Two boxes side by side share a column of pixels, as PaddleDetection counts."""
    a, b = np.array([[0.0, 0, 9, 9]]), np.array([[9.0, 0, 18, 9]])
    assert geometry.iou(a, b)[0, 0] == pytest.approx(10 / 190)


def test_iou_of_boxes_without_pixels_is_zero() -> None:
    inverted = np.array([[5.0, 5, 4, 4]])
    assert geometry.iou(inverted, inverted)[0, 0] == 0


@given(st.integers(1, 3000), st.integers(1, 3000), SIZES, SIZES, boxes())
def test_boxes_return_to_their_place_from_network_px(
    width: int, height: int, input_width: int, input_height: int, xyxy: NDArray[np.float64]
) -> None:
    letterbox = Letterbox(width, height, InputSize(input_width, input_height))
    network_px = letterbox.to_network_px(xyxy.astype(np.float32))
    scale = np.abs(xyxy).max(initial=1) + input_width / letterbox.ratio
    np.testing.assert_allclose(letterbox.to_image_px(network_px), xyxy, atol=1e-5 * scale)


@given(st.integers(1, 400), st.integers(1, 400), SIZES, SIZES)
def test_letterbox_keeps_the_image_inside(width: int, height: int, input_width: int, input_height: int) -> None:
    letterbox = Letterbox(width, height, InputSize(input_width, input_height))
    inner_width, inner_height = letterbox.resized
    assert 1 <= inner_width <= input_width
    assert 1 <= inner_height <= input_height
    assert inner_width == input_width or inner_height == input_height
    assert min(letterbox.padding) >= 0


def test_letterbox_pads_with_grey_around_the_image() -> None:
    pytest.importorskip("cv2")
    letterbox = Letterbox(100, 50, InputSize(64, 64))
    out = letterbox.apply(np.full((50, 100, 3), 7, np.uint8))
    assert out.shape == (64, 64, 3)
    assert (out[16:48] == 7).all()
    assert (out[:16] == geometry.LETTERBOX_GREY).all()
    assert (out[48:] == geometry.LETTERBOX_GREY).all()


def test_letterbox_writes_the_whole_of_a_reused_buffer() -> None:
    """Otherwise the borders of the previous frame would show in a stream whose size changes."""
    pytest.importorskip("cv2")
    buffer = np.full((64, 64, 3), 255, np.uint8)
    letterbox = Letterbox(50, 100, InputSize(64, 64))
    image = np.full((100, 50, 3), 7, np.uint8)
    assert letterbox.apply(image, out=buffer) is buffer
    np.testing.assert_array_equal(buffer, letterbox.apply(image))
