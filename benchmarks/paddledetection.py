"""Runs PaddleDetection's own FairMOT, network and tracker, as its `tools/infer_mot.py` does: the reference."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.backends.paddledet_config import model_config
from fairmot_dla34.config import InputSize
from fairmot_dla34.weights import load_checkpoint, resolve_weights

TRACKER = {
    "conf_thres": 0.4,
    "tracked_thresh": 0.4,
    "metric_type": "cosine",
    "min_box_area": 200,
    "vertical_ratio": 1.6,
}


class PaddleDetection:
    """``ppdet.engine.Tracker`` with a checkpoint, at the faster number of threads: one (its default) or every core.

    Args:
        weights: Registered name or checkpoint file.
        size: Size of the network input.
    """

    def __init__(self, weights: str, size: InputSize) -> None:
        import paddle
        import ppdet.data
        import ppdet.modeling  # noqa: F401 (registers the classes that the config names)
        from ppdet.core.workspace import global_config, merge_config
        from ppdet.data.source.mot import MOTImageFolder
        from ppdet.engine import Tracker

        self._paddle = paddle
        shape = [size.height, size.width]
        transforms: list[dict[str, Any]] = [
            {"Decode": {}},
            {"LetterBoxResize": {"target_size": shape}},
            {"NormalizeImage": {"mean": [0, 0, 0], "std": [1, 1, 1], "is_scale": True}},
            {"Permute": {}},
        ]
        reader = {"sample_transforms": transforms, "batch_size": 1, "inputs_def": {"image_shape": [3, *shape]}}
        data = {"TestMOTDataset": MOTImageFolder(keep_ori_im=True), "TestMOTReader": reader}
        network = model_config(find_architecture("dla34"), HeadSizes())
        merge_config({**network, "metric": "MOT", "JDETracker": TRACKER, **data})
        self._tracker = Tracker(global_config, mode="test")
        # ppdet's load_weights_jde refuses checkpoints without the classifier, which only training uses.
        arrays = load_checkpoint(resolve_weights(weights)).arrays
        self._tracker.model.set_state_dict({name: paddle.to_tensor(array) for name, array in arrays.items()})
        self._tracker.model.eval()
        self.threads = self._best_threads(np.zeros((size.height, size.width, 3), np.uint8))

    def network(self, image: NDArray[np.uint8]) -> None:
        """Run the network on one letterboxed image, ``(height, width, 3)`` uint8, BGR."""
        tensor = self._paddle.to_tensor
        rgb = image[:, :, ::-1].astype(np.float32) / np.float32(255)
        shape = [[float(side) for side in image.shape[:2]]]
        with self._paddle.no_grad():
            self._tracker.model(
                {
                    "image": tensor(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])),
                    "im_shape": tensor(shape),
                    "scale_factor": tensor([[1.0, 1.0]]),
                }
            )

    def track(self, images: Path, results: Path, *, drawn: bool) -> None:
        """Track a folder of images to a MOT file; ``drawn`` also writes every image with its boxes."""
        self._tracker.dataset.roidbs = None
        self._tracker.mot_predict_seq(
            None, 10, str(images), str(results), model_type="FairMOT", save_images=drawn, save_videos=False
        )

    def _best_threads(self, image: NDArray[np.uint8]) -> int:
        seconds = {}
        self.network(image)  # warm-up
        for threads in {1, os.cpu_count() or 1}:
            self._paddle.set_flags({"FLAGS_paddle_num_threads": threads})
            start = time.perf_counter()
            self.network(image)
            seconds[threads] = time.perf_counter() - start
        best = min(seconds, key=lambda threads: seconds[threads])
        self._paddle.set_flags({"FLAGS_paddle_num_threads": best})
        return best


def write_images(images: Iterable[NDArray[np.uint8]], folder: Path) -> Path:
    """Write a folder of JPEG files, the input of PaddleDetection's tracker."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index:06}.jpg"), image)
    return folder
