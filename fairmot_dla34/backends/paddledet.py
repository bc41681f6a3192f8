"""PaddleDetection's own FairMOT: the reference that the other backends are tested against."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import DeviceUnavailableError
from ..architectures.peaks import STRIDE
from ..values import Peaks
from ..weights import load_arrays
from .base import BackendInfo
from .base import BackendRequest
from .base import closed_error
from .base import failed_error
from .base import only_fp32
from .base import reason_of

# What configs/mot/fairmot/_base_/fairmot_dla34.yml of PaddleDetection 2.6 sets; that file is not in its package.
MODEL_CONFIG = {
    "architecture": "FairMOT",
    "for_mot": True,
    "FairMOT": {
        "detector": "CenterNet",
        "reid": "FairMOTEmbeddingHead",
        "loss": "FairMOTLoss",
        "tracker": "JDETracker",
    },
    "CenterNet": {
        "backbone": "DLA",
        "neck": "CenterNetDLAFPN",
        "head": "CenterNetHead",
        "post_process": "CenterNetPostProcess",
    },
    "CenterNetDLAFPN": {"down_ratio": 4, "last_level": 5, "out_channel": 0, "dcn_v2": True, "with_sge": False},
    "CenterNetHead": {"head_planes": 256, "regress_ltrb": True, "add_iou": False},
    "FairMOTEmbeddingHead": {"ch_head": 256, "ch_emb": 128},
    "CenterNetPostProcess": {"max_per_img": 500, "down_ratio": 4, "regress_ltrb": True},
}


class PaddleDetBackend:
    """``ppdet.modeling.FairMOT``, built by PaddleDetection's config system and run as it is.

    Args:
        request: What to load.

    Raises:
        DeviceUnavailableError: ``use_gpu`` and this Paddle has no CUDA or sees no GPU.
        InvalidInputError: A precision other than fp32 was asked for.
        CheckpointError: The weights do not fit.
    """

    def __init__(self, request: BackendRequest) -> None:
        import paddle

        precision = only_fp32("paddledet", request.precision)
        self._device = _pick_device(use_gpu=request.use_gpu)
        threads = None if request.use_gpu else os.cpu_count() or 1
        if threads:
            paddle.set_flags({"FLAGS_paddle_num_threads": threads})  # Paddle's default is one thread
        paddle.disable_static()  # paddlehub calls a module's methods in static mode
        _use(self._device)
        arrays = load_arrays(request.weights)
        self.input_size: InputSize = request.input_size
        cells = (request.input_size.height // STRIDE) * (request.input_size.width // STRIDE)
        self._model = _build_model(len(arrays["detector.head.heatmap.2.conv.bias"]), cells)
        self._model.set_state_dict({name: paddle.to_tensor(array) for name, array in arrays.items()})
        self._model.eval()
        self.info = BackendInfo("paddledet", _version(), self._device.upper(), precision, threads)
        if request.use_gpu:
            self.infer(np.zeros((self.input_size.height, self.input_size.width, 3), np.uint8))  # a bad CUDA shows here

    def infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one letterboxed picture; see `Backend.infer`."""
        import paddle

        if self._model is None:
            raise closed_error()
        paddle.disable_static()
        _use(self._device)  # it is global in Paddle: another model may have changed it
        try:
            return self._infer(image)
        except (RuntimeError, OSError) as error:
            raise failed_error(self.info, error) from error

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        import paddle

        size = self.input_size
        rgb = image[:, :, ::-1].astype(np.float32) / np.float32(255)
        with paddle.no_grad():
            detections, embeddings = self._model(
                {
                    "image": paddle.to_tensor(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])),
                    # Naming the input itself as the picture inside the padding leaves the boxes in network px.
                    "im_shape": paddle.to_tensor([[float(size.height), float(size.width)]]),
                    "scale_factor": paddle.to_tensor([[1.0, 1.0]]),
                }
            )
        rows = detections.numpy()  # (500, 6): class, score, left, top, right, bottom
        kept = rows[:, 1] > 0
        return Peaks(
            boxes=rows[kept, 2:6],
            scores=rows[kept, 1],
            embeddings=embeddings.numpy()[kept],
            class_ids=rows[kept, 0].astype(np.int64),
        )

    def close(self) -> None:
        """Free the network; safe to call twice."""
        self._model = None


def _pick_device(*, use_gpu: bool) -> str:
    import paddle

    if not use_gpu:
        return "cpu"
    if not paddle.is_compiled_with_cuda():
        raise DeviceUnavailableError(
            "use_gpu is True, but this PaddlePaddle is a CPU build; replace it: pip uninstall paddlepaddle && "
            "pip install 'fairmot_dla34[paddle-gpu]'"
        )
    if paddle.device.cuda.device_count() < 1:
        raise DeviceUnavailableError("use_gpu is True, but PaddlePaddle sees no GPU; check the NVIDIA driver.")
    return "gpu:0"


def _use(device: str) -> None:
    import paddle

    try:
        paddle.set_device(device)
    except (RuntimeError, ValueError, OSError) as error:
        raise DeviceUnavailableError(
            f"PaddlePaddle cannot use {device} ({reason_of(error)}); check CUDA and cuDNN, or use use_gpu=False."
        ) from error


def _build_model(num_classes: int, cells: int) -> Any:
    import ppdet.modeling  # noqa: F401  # registers the classes that the config names
    from ppdet.core.workspace import create, merge_config

    config: dict[str, Any] = {**MODEL_CONFIG, "num_classes": num_classes}
    # Its top-K fails on a heatmap with fewer cells than peaks asked for.
    config["CenterNetPostProcess"] = config["CenterNetPostProcess"] | {"max_per_img": min(500, cells)}
    merge_config(config)
    return create("FairMOT")


def _version() -> str:
    from importlib.metadata import version

    return version("paddledet")
