"""PaddleDetection's FairMOT in training mode, built in Python: the reference of the parity tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.backends.paddledet_config import model_config
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets.values import ImageLabels

Arrays = dict[str, NDArray[np.float32]]


def build_model(num_identities: int, architecture: str = "dla34") -> Any:
    """Return ``ppdet.modeling.FairMOT`` in training mode."""
    import paddle
    import ppdet.modeling  # noqa: F401  # registers the classes that the config names
    from ppdet.core.workspace import create, merge_config

    paddle.disable_static()
    paddle.seed(0)
    config = model_config(find_architecture(architecture), HeadSizes())
    config["FairMOTEmbeddingHead"] |= {"num_identities_dict": {0: num_identities}}
    merge_config(config)
    model = create("FairMOT")
    model.train()
    return model


def arrays_of(model: Any) -> Arrays:
    """Return copies of parameters and running statistics by name."""
    return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}


def set_arrays(model: Any, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Set the arrays that the model has."""
    import paddle

    state = model.state_dict()
    model.set_state_dict({name: paddle.to_tensor(array) for name, array in arrays.items() if name in state})


def gradients_of(model: Any) -> Arrays:
    """Return the gradients by parameter name; 0 for parameters that the loss does not depend on."""
    return {
        name: np.zeros(p.shape, p.numpy().dtype) if p.grad is None else p.grad.numpy().copy()
        for name, p in model.named_parameters()
    }


def targets_of(labels: list[ImageLabels], input_size: InputSize, num_classes: int = 1) -> dict[str, NDArray[Any]]:
    """Return the batch that ``Gt2FairMOTTarget`` makes from labels in network px."""
    from ppdet.data.transform.mot_operators import Gt2FairMOTTarget

    size = np.array([input_size.width, input_size.height], np.float32)
    samples = []
    for one in labels:
        centres, sides = (one.boxes[:, :2] + one.boxes[:, 2:]) / 2, one.boxes[:, 2:] - one.boxes[:, :2]
        samples.append(
            {
                "image": np.empty((3, input_size.height, input_size.width), np.float32),
                "gt_bbox": np.concatenate((centres / size, sides / size), axis=1).astype(np.float32),
                "gt_class": one.class_ids[:, None],
                "gt_ide": one.ids[:, None],
            }
        )
    samples = Gt2FairMOTTarget(num_classes=num_classes)(samples)
    keys = ("heatmap", "index", "offset", "size", "index_mask", "reid")
    return {key: np.stack([sample[key] for sample in samples]) for key in keys}


def losses_of(model: Any, images: NDArray[np.float32], targets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the losses of a batch by PaddleDetection's names; ``images`` are ``(B, 3, H, W)`` RGB in [0, 1]."""
    import paddle

    inputs = {"image": paddle.to_tensor(images)} | {key: paddle.to_tensor(a) for key, a in targets.items()}
    losses: dict[str, Any] = model(inputs)
    return losses
