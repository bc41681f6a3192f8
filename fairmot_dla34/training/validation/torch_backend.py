"""A backend on the PyTorch network in training, for validation on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...architectures.heads import MAX_PEAKS
from ...architectures.peaks import NOT_A_PEAK, RawPeaks
from ...backends.base import Backend, BackendInfo, inference_error, reason_of
from ...config import InputSize
from ...values import Peaks
from ..network.fairmot import FairMOTNetwork
from ..network.layers import gather_neighbourhoods


class TorchBackend(Backend):
    """The network of a training run in eval mode; the network stays the caller's.

    Args:
        network: Network, on ``device``.
        input_size: Network input.
        device: Device of the network.
    """

    def __init__(self, network: FairMOTNetwork, input_size: InputSize, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        super().__init__(backend_info(self._device), input_size)
        self._network = network

    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        with inference(self.info):
            raw = raw_peaks(self._network, image_tensor(image, self._device))
        return self._network.architecture.decode(raw, self.input_size)


def backend_info(device: torch.device) -> BackendInfo:
    """Return the runtime and the device for messages."""
    return BackendInfo("torch", torch.__version__, str(device), "fp32")


@contextmanager
def inference(info: BackendInfo) -> Iterator[None]:
    """Run PyTorch without gradients; errors of the network are raised as those of a backend.

    Raises:
        OutOfMemoryError: There is too little memory.
        BackendError: PyTorch failed in another way.
    """
    try:
        with torch.inference_mode():
            yield
    except torch.cuda.OutOfMemoryError as error:
        raise inference_error(info, MemoryError(reason_of(error))) from error
    except RuntimeError as error:
        raise inference_error(info, error) from error


def image_tensor(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return a letterboxed ``(H, W, 3)`` uint8 BGR image as ``(1, 3, H, W)`` RGB in [0, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device)  # 1 byte a value on the way to a GPU
    return pixels.flip(2).permute(2, 0, 1)[None].float() / 255


def raw_peaks(network: FairMOTNetwork, image: Tensor) -> RawPeaks:
    """Return the best peaks of the heatmap of one image, as `peaks_onnx` computes them.

    Args:
        network: Network in eval mode.
        image: ``(1, 3, H, W)`` RGB in [0, 1].
    """
    layers, feature_map = network.features(image)
    heads = network.heads
    heatmap = layers.dense_head(feature_map, heads.heatmap)  # (1, classes, h, w)
    highest = functional.max_pool2d(heatmap, 3, stride=1, padding=1)
    flat = torch.where(heatmap == highest, heatmap, NOT_A_PEAK).flatten()
    logits, cells = flat.topk(min(MAX_PEAKS, len(flat)))
    rows, columns = heatmap.shape[2:]
    place = cells % (rows * columns)
    places = torch.stack([torch.zeros_like(place), place // columns, place % columns], dim=1)
    neighbourhoods = gather_neighbourhoods(feature_map, places)
    found = (layers.cell_head(neighbourhoods, prefix) for prefix in (heads.size, heads.offset, heads.embedding))
    return RawPeaks(logits.cpu().numpy(), cells.cpu().numpy(), *(values.cpu().numpy() for values in found))
