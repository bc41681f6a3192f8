"""Degradation of training images: people stay recognisable, and the same state gives the same image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from degradation import compression, light, optics
from degradation.chain import COUNTS, PARTS, Part, _draw, degrade
from numpy.typing import NDArray

SIZE = 96
# range of the mean absolute difference to the scene below, by part
DIFFERENCES = {
    "cast_shadows": (0.05, 45), "add_gradient": (3, 50), "change_exposure": (2, 80), "cast_colours": (0.5, 40),
    "make_grey": (2, 60), "make_infrared": (5, 110), "make_night": (15, 100), "add_haze": (2, 60),
    "blur_defocus": (0.3, 15), "blur_motion": (0.3, 15), "shrink": (0.3, 15), "shift_channels": (0.1, 10),
    "add_vignette": (4, 40), "add_noise": (0.8, 15), "add_dead_pixels": (0, 1), "interlace": (0.2, 12),
    "sharpen": (0.2, 15), "compress_jpeg": (0.2, 15), "compress_h264": (0.2, 15),
}  # fmt: skip


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """Return an image with a gradient, fine texture, and a figure of clear edges."""
    rng = np.random.default_rng(0)
    image = np.full((SIZE, SIZE, 3), (150, 160, 140), np.float32)
    image += np.linspace(-40, 40, SIZE, dtype=np.float32)[:, None, None]
    image += cv2.GaussianBlur(rng.normal(0, 25, image.shape).astype(np.float32), (0, 0), 1.2)
    cv2.circle(image, (48, 22), 8, (120, 150, 200), -1)
    cv2.rectangle(image, (38, 31), (58, 60), (160, 50, 30), -1)
    cv2.rectangle(image, (40, 61), (56, 88), (40, 40, 50), -1)
    return np.clip(image, 0, 255).astype(np.uint8)


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(cv2.absdiff(first, second).mean())


class TestDegrade:
    @pytest.mark.parametrize("shape", [(64, 64), (75, 75), (61, 90)])
    def test_shape_and_type_are_kept(self, scene: NDArray[np.uint8], shape: tuple[int, int]) -> None:
        image = np.ascontiguousarray(scene[: shape[0], : shape[1]])
        before = image.copy()
        for seed in range(20):
            degraded = degrade(image, np.random.default_rng(seed))
            assert degraded.shape == (*shape, 3)
            assert degraded.dtype == np.uint8
            assert degraded.flags.c_contiguous
        np.testing.assert_array_equal(image, before)

    def test_threads_do_not_change_the_result(self, scene: NDArray[np.uint8]) -> None:
        def run(seed: int) -> NDArray[np.uint8]:
            return degrade(scene, np.random.default_rng([1, seed]))

        expected = [run(seed) for seed in range(60)]
        with ThreadPoolExecutor(4) as threads:
            for alone, beside in zip(expected, threads.map(run, range(60)), strict=True):
                np.testing.assert_array_equal(alone, beside)

    def test_no_image_becomes_nearly_black_white_or_uniform(self, scene: NDArray[np.uint8]) -> None:
        for seed in range(150):
            grey = cv2.cvtColor(degrade(scene, np.random.default_rng([2, seed])), cv2.COLOR_BGR2GRAY)
            assert 20 < grey.mean() < 225
            assert grey.std() > 8

    def test_a_quarter_stays_nearly_untouched_and_a_quarter_is_strong(self) -> None:
        counts = np.array([len(_draw(np.random.default_rng([3, seed]))) for seed in range(1000)])
        assert 0.2 < (counts == 0).mean() < 0.3
        assert 0.2 < (counts >= 3).mean() < 0.33
        assert counts.max() <= max(COUNTS) + 1

    def test_a_chain_has_one_part_of_each_group_in_order(self) -> None:
        for seed in range(300):
            parts = _draw(np.random.default_rng([4, seed]))
            groups = [part.group for part in parts]
            assert len(set(groups)) == len(groups)
            assert [PARTS.index(part) for part in parts] == sorted(PARTS.index(part) for part in parts)
            assert "noise" in groups or all(part.apply is not light.make_night for part in parts)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.apply.__name__)
class TestParts:
    def test_a_part_changes_the_image_within_bounds(self, scene: NDArray[np.uint8], part: Part) -> None:
        before, (low, high) = scene.copy(), DIFFERENCES[part.apply.__name__]
        for seed in range(20):
            rng = np.random.default_rng(seed)
            changed = part.apply(scene, rng)
            if part.apply is optics.shrink:
                changed = optics.enlarge(changed, SIZE, SIZE, rng)
            assert changed.shape == scene.shape
            assert changed.dtype == np.uint8
            assert low <= difference(changed, scene) <= high
        np.testing.assert_array_equal(scene, before)

    def test_a_part_depends_on_the_generator_alone(self, scene: NDArray[np.uint8], part: Part) -> None:
        first, second, other = (part.apply(scene, np.random.default_rng(seed)) for seed in (8, 8, 9))
        np.testing.assert_array_equal(first, second)
        assert first.shape != other.shape or (first != other).any()


class TestLight:
    def test_grey_and_infrared_have_no_colour(self, scene: NDArray[np.uint8]) -> None:
        for apply in (light.make_grey, light.make_infrared):
            image = apply(scene, np.random.default_rng(0))
            assert np.ptp(image, axis=2).max() == 0

    def test_dark_images_are_exposed_longer(self) -> None:
        dark = np.random.default_rng(0).integers(0, 24, (64, 64, 3)).astype(np.uint8)
        assert light.limit_exposure(dark).mean() > 1.8 * dark.mean()

    def test_usual_images_keep_their_exposure(self, scene: NDArray[np.uint8]) -> None:
        np.testing.assert_array_equal(light.limit_exposure(scene), scene)


class TestH264:
    def test_encoder_leaves_other_traces_than_jpeg(self, scene: NDArray[np.uint8]) -> None:
        for seed in range(8):
            h264 = compression.compress_h264(scene, np.random.default_rng(seed))
            jpeg = compression.compress_jpeg(scene, np.random.default_rng(seed))
            assert difference(h264, jpeg) > 0.3

    def test_a_higher_rate_factor_gives_less_data_and_a_worse_image(self, scene: NDArray[np.uint8]) -> None:
        sizes, errors = [], []
        for crf in (20, 30, 42):
            packets = compression._encode([scene, scene[::-1].copy()], crf=crf, preset="ultrafast")
            sizes.append(sum(packet.size for packet in packets))
            errors.append(difference(compression._decode_last(packets), scene[::-1].copy()))
        assert sizes == sorted(sizes, reverse=True)
        assert errors == sorted(errors)
        assert errors[0] < 4
