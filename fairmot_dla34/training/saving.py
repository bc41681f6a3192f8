"""The weights that a run writes: checkpoints that every part of this package and PaddleDetection read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..config import InputSize
from ..files import output_error, write_whole
from ..weights import write_pdparams
from ..weights.checkpoint_file import INPUT_SIZE_NAME
from .network.fairmot import FairMOTNetwork


def write_weights(path: Path, network: FairMOTNetwork, input_size: InputSize) -> None:
    """Write the weights of a network, with its input size, which `track` then uses.

    Raises:
        OutputError: The file cannot be written; an earlier one is unchanged.
    """
    size = np.array([input_size.width, input_size.height], np.float32)
    write_pdparams(path, {**network.arrays(), INPUT_SIZE_NAME: size})


def copy_weights(source: Path, target: Path) -> None:
    """Copy a checkpoint, atomically.

    Raises:
        OutputError: The copy cannot be written; an earlier one is unchanged.
    """
    try:
        write_whole(target, source.read_bytes())
    except OSError as error:
        raise output_error(target, error) from error
