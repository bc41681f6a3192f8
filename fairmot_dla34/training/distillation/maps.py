"""The heatmap and the feature map of a frozen network: computed by OpenVINO on a CPU, by PyTorch on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...architectures import Checkpoint, HeadSizes
from ...architectures.graph_builder import GraphBuilder
from ...architectures.heads import maps_onnx
from ...backends import BackendOptions
from ...backends.openvino.graph import read_onnx
from ...backends.openvino.runtime import start_runtime
from ...backends.openvino.target import Target
from ...config import InputSize
from ..network.fairmot import FairMOTNetwork

if TYPE_CHECKING:
    import openvino


class CompiledMaps:
    """The dense part of a network, by OpenVINO, which joins layers and folds norms: about three times PyTorch's speed.

    Args:
        checkpoint: Weights of an architecture with features and heads.
        input_size: Images that it takes.
        precision: ``fp32``, or ``bf16`` if the processor has it.
        threads: CPU threads.

    Raises:
        BackendUnavailableError: The installation of OpenVINO is broken.
        BackendError: OpenVINO cannot compile the network.
        OutOfMemoryError: The memory is not enough.
    """

    def __init__(self, checkpoint: Checkpoint, input_size: InputSize, *, precision: str, threads: int) -> None:
        architecture, heads = checkpoint.architecture, checkpoint.architecture.heads
        assert heads is not None  # noqa: S101 (the teacher has checked it)
        target = Target(start_runtime(), BackendOptions("auto" if precision == "bf16" else precision, threads=threads))

        def read_model() -> openvino.Model:
            builder = GraphBuilder(checkpoint.arrays, architecture.norm_epsilon)
            features = architecture.features(builder, "image")
            model = maps_onnx(builder, features, heads, input_size, checkpoint.sizes)
            return read_onnx(target.core, model.SerializeToString(), for_bf16=target.bf16)

        self._request = target.compile(read_model, input_size).create_infer_request()

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of the heatmap and the feature map, both ``(B, C, h, w)`` float32.

        Args:
            images: ``(B, 3, H, W)`` float32 RGB in [0, 1], multiples of 1/255.
        """
        pixels = (images * 255).round().to(torch.uint8).flip(1).permute(0, 2, 3, 1).contiguous().numpy()
        features, logits = [], []
        for image in pixels:
            found = self._request.infer({"image": image[None]}, share_inputs=True)
            features.append(torch.from_numpy(found[0]))
            logits.append(torch.from_numpy(found[1]))
        return torch.cat(logits).sigmoid(), torch.cat(features)


class TorchMaps:
    """The dense part of a network, by PyTorch.

    Args:
        checkpoint: Weights of an architecture with features and heads.
        device: Device to compute on.
        precision: ``fp32``, or ``bf16`` for the layers below the heads.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device, *, precision: str) -> None:
        offsets = [array for name, array in checkpoint.arrays.items() if ".conv_offset." in name]
        plain_neck = bool(offsets) and not any(array.any() for array in offsets)  # the same numbers, in less time
        sizes = HeadSizes(checkpoint.sizes.num_classes, checkpoint.sizes.embedding_size)
        network = FairMOTNetwork(checkpoint.architecture, sizes, plain_neck=plain_neck)
        network.load_arrays(network.heads.with_ltrb_sizes(checkpoint.arrays))
        self._network = network.eval().requires_grad_(requires_grad=False).to(device)
        self._uses_bf16 = precision == "bf16"

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of the heatmap and the feature map, both ``(B, C, h, w)`` float32.

        Args:
            images: ``(B, 3, H, W)`` float32 RGB in [0, 1].
        """
        network = self._network
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._uses_bf16):
            layers, features = network.features(images)
        features = features.float()  # the heads are cheap, and boxes need more than bf16's 8 bits
        return layers.dense_head(features, network.heads.heatmap).sigmoid(), features
