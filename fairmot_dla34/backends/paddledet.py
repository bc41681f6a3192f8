"""The PaddleDetection backend, which runs its FairMOT unchanged: the reference in tests of the other backends."""

from __future__ import annotations

import signal
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architectures import Checkpoint, Network
from ..config import InputSize
from ..console.signals import restore_handler
from ..errors import DeviceUnavailableError, InvalidInputError
from ..messages import install_command
from ..values import Peaks
from .base import Backend, BackendInfo, BackendOptions, inference_error, only_fp32, reason_of
from .cpus import usable_cpus
from .paddledet_config import ARCHITECTURES, model_config

_building = threading.Lock()  # PaddleDetection's config is global


class PaddleDetBackend(Backend):
    """``ppdet.modeling.FairMOT``, built by PaddleDetection's config system and run unchanged, one image at a time.

    Three settings of Paddle belong to the whole process and stay changed after `close`: the number of CPU threads
    (``FLAGS_paddle_num_threads``; the backend loaded last decides), the dynamic mode, and the device, which is chosen
    again for every image.

    Args:
        network: The network to load; its architecture must be one of `paddledet_config.ARCHITECTURES`.
        options: How to run it.

    Raises:
        DeviceUnavailableError: ``use_gpu`` and this Paddle has no CUDA or finds no GPU.
        InvalidInputError: The precision is not fp32, ``streams`` is not 1, or PaddleDetection lacks the architecture.
        CheckpointError: The checkpoint cannot be read or does not fit.
    """

    def __init__(self, network: Network, options: BackendOptions) -> None:
        import paddle

        precision = only_fp32("paddledet", options.precision)
        _check(network, options)
        self._device = _pick_device(use_gpu=options.use_gpu)
        threads = None if options.use_gpu else options.threads or usable_cpus()
        if threads:
            paddle.set_flags({"FLAGS_paddle_num_threads": threads})  # Paddle's default is one thread
        paddle.disable_static()  # paddlehub calls a module's methods in static mode
        _use(self._device)
        super().__init__(
            BackendInfo("paddledet", _version(), self._device.upper(), precision, threads), network.input_size
        )
        with _building:
            self._model: Any = _build_model(network.checkpoint.read(), network.input_size)
        restore_handler(signal.SIGTERM)
        if options.use_gpu:
            self.infer(np.zeros((self.input_size.height, self.input_size.width, 3), np.uint8))  # a bad CUDA shows here

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        import paddle

        paddle.disable_static()
        _use(self._device)  # it is global in Paddle: another model may have changed it
        try:
            return self._run(image)
        except (RuntimeError, OSError) as error:
            raise inference_error(self.info, error) from error

    def _run(self, image: NDArray[np.uint8]) -> Peaks:
        import paddle

        size = self.input_size
        rgb = image[:, :, ::-1].astype(np.float32) / np.float32(255)
        with paddle.no_grad():
            detections, embeddings = self._model(
                {
                    "image": paddle.to_tensor(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])),
                    # Passing the input itself as the image inside the padding leaves the boxes in network px.
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

    def _release(self) -> None:
        self._model = None


def _check(network: Network, options: BackendOptions) -> None:
    if network.architecture.name not in ARCHITECTURES:
        raise InvalidInputError(
            f"{network.label} is a checkpoint of {network.architecture.title}; backend paddledet runs only "
            f"{', '.join(ARCHITECTURES)}: use backend openvino or onnxruntime."
        )
    if options.streams > 1:
        raise InvalidInputError(
            f"streams is {options.streams}; backend paddledet processes one image at a time: use 1, or openvino."
        )


def _pick_device(*, use_gpu: bool) -> str:
    import paddle

    if not use_gpu:
        return "cpu"
    if not paddle.is_compiled_with_cuda():
        raise DeviceUnavailableError(
            "PaddlePaddle is a CPU build; for use_gpu replace it: pip uninstall paddlepaddle && "
            + install_command("paddle-gpu")
        )
    if paddle.device.cuda.device_count() < 1:
        raise DeviceUnavailableError("PaddlePaddle finds no GPU, which use_gpu needs; check the NVIDIA driver.")
    return "gpu:0"


def _use(device: str) -> None:
    import paddle

    try:
        paddle.set_device(device)
    except (RuntimeError, ValueError, OSError) as error:
        raise DeviceUnavailableError(
            f"PaddlePaddle cannot use {device} ({reason_of(error)}); check CUDA and cuDNN, or use use_gpu=False."
        ) from error


def _build_model(checkpoint: Checkpoint, input_size: InputSize) -> Any:
    import paddle
    import ppdet.modeling  # noqa: F401  # registers the classes that the config names
    from ppdet.core.workspace import create, merge_config

    merge_config(model_config(checkpoint.architecture, checkpoint.sizes, input_size))
    model = create("FairMOT")
    model.set_state_dict({name: paddle.to_tensor(array) for name, array in checkpoint.arrays.items()})
    model.eval()
    return model


def _version() -> str:
    from importlib.metadata import version

    return version("paddledet")
