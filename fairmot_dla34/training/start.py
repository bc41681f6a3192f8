"""The network that a run starts from: a checkpoint, adapted to the classes of the data, or random numbers."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from ..architectures import Architecture, Checkpoint, HeadSizes, find_architecture
from ..config import InputSize
from ..errors import InvalidInputError
from ..weights import find_entry, input_size_for, load_checkpoint, resolve_weights
from .config import TrainingConfig
from .network.fairmot import FairMOTNetwork
from .network.initialisation import layer_kinds

logger = logging.getLogger(__name__)

DEFAULT_ARCHITECTURE = "dla34"


def read_start(config: TrainingConfig) -> tuple[Architecture, Checkpoint | None, InputSize]:
    """Return the architecture, the start checkpoint (None: random numbers) and the input size of a run.

    Raises:
        WeightsError: The weights cannot be found, downloaded or read.
        InvalidInputError: The weights are of another architecture than ``arch``, or the network has no deformable
            convolutions and ``plain_neck`` is set.
    """
    if config.weights is None:
        architecture = find_architecture(config.arch or DEFAULT_ARCHITECTURE)
        _check_plain_neck(config, architecture)
        return architecture, None, input_size_for(None, config.input_size)
    entry = find_entry(config.weights)
    if entry:  # before a download
        _check_arch(config, entry.architecture, str(config.weights))
    path = resolve_weights(config.weights)
    checkpoint = load_checkpoint(path, find_architecture(entry.architecture) if entry else None)
    _check_arch(config, checkpoint.architecture.name, str(path))
    _check_plain_neck(config, checkpoint.architecture)
    return checkpoint.architecture, checkpoint, input_size_for(entry, config.input_size, path)


def _check_arch(config: TrainingConfig, found: str, weights: str) -> None:
    if config.arch not in (None, found):
        raise InvalidInputError(
            f"arch is {config.arch}, but {weights} is a checkpoint of {found}; leave --arch out, or start from weights "
            "of that architecture or from random numbers (--weights none)."
        )


def _check_plain_neck(config: TrainingConfig, architecture: Architecture) -> None:
    if config.plain_neck and not layer_kinds(architecture).deformable:
        raise InvalidInputError(
            f"plain_neck is set, but {architecture.name} has no deformable convolutions; expected an architecture that "
            "has some, such as dla34: leave --plain-neck out."
        )


def start_network(
    architecture: Architecture,
    checkpoint: Checkpoint | None,
    *,
    num_classes: int,
    plain_neck: bool,
    identities: bool,
    seed: int,
) -> FairMOTNetwork:
    """Return the network with the numbers it starts from, on the CPU.

    If the checkpoint has another number of classes, the last layer of its heatmap is made anew, with a warning. A size
    head of width and height becomes one of ltrb distances that gives the same boxes.

    Args:
        architecture: The architecture.
        checkpoint: Checkpoint to start from; None: random numbers.
        num_classes: Classes of the data.
        plain_neck: Compute the neck's deformable convolutions as plain ones.
        identities: The data has identities to train the embedding with.
        seed: Seed of the random numbers.
    """
    embedding_size = checkpoint.sizes.embedding_size if checkpoint else architecture.embedding_size
    sizes = HeadSizes(num_classes, embedding_size)
    network = FairMOTNetwork(architecture, sizes, plain_neck=plain_neck, identities=identities)
    network.initialise(torch.Generator().manual_seed(seed))
    if checkpoint is not None:
        network.load_arrays(_adapted(checkpoint, network))
    return network


def _adapted(checkpoint: Checkpoint, network: FairMOTNetwork) -> Mapping[str, NDArray[np.float32]]:
    classes = network.sizes.num_classes
    arrays = network.heads.with_ltrb_sizes(checkpoint.arrays)
    if checkpoint.sizes.num_classes == classes:
        return arrays
    logger.warning(
        "%s has %d classes and the data %d: the last layer of the heatmap is trained from random numbers",
        checkpoint.label, checkpoint.sizes.num_classes, classes,
    )  # fmt: skip
    prefix = f"{network.heads.heatmap}.2."
    fresh = {name: array for name, array in network.arrays().items() if name.startswith(prefix)}
    return {**arrays, **fresh}
